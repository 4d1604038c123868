//===- Constants.cpp - the canonical form of constants --------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Support/Constants.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"
#include <cstring>
#include <mutex>

using namespace mlir;
using namespace mlir::nn;

/// True if all elements have the same bits: each equals its predecessor.
static bool isSplat(ArrayRef<char> bytes, unsigned size) {
  return bytes.size() <= size ||
         std::memcmp(bytes.data(), bytes.data() + size, bytes.size() - size) == 0;
}

static DenseElementsAttr makeDense(RankedTensorType type, ArrayRef<char> bytes,
                                   unsigned size, bool splat) {
  if (type.getElementType().isInteger(1)) {
    SmallVector<bool> values;
    for (char byte : splat && !bytes.empty() ? bytes.take_front(1) : bytes)
      values.push_back(byte != 0);
    return DenseElementsAttr::get(type, values);
  }
  // In attributes, the unused bits of a byte are zero.
  if (auto integer = dyn_cast<IntegerType>(type.getElementType());
      integer && integer.getWidth() < 8) {
    SmallVector<APInt> values;
    for (char byte : splat && !bytes.empty() ? bytes.take_front(1) : bytes)
      values.push_back(APInt(integer.getWidth(), uint8_t(byte), /*isSigned=*/false,
                             /*implicitTrunc=*/true));
    return DenseElementsAttr::get(type, values);
  }
  return DenseElementsAttr::getFromRawBuffer(
      type, splat ? bytes.take_front(size) : bytes);
}

static bool isAligned(const void *data) {
  return reinterpret_cast<uintptr_t>(data) % 16 == 0;
}

/// The entry of the context's blobs with these bytes; takes over the bytes if there is
/// none yet.
static DenseResourceElementsHandle
getBlob(MLIRContext *context, AsmResourceBlob blob) {
  // Lookup and insertion must be one step: the name of a second insertion would
  // depend on which thread came first.
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);

  auto &interface = DenseResourceElementsHandle::getManagerInterface(context);
  auto *builtin = context->getLoadedDialect<BuiltinDialect>();
  ArrayRef<char> bytes = blob.getData();
  llvm::XXH128_hash_t hash = llvm::xxh3_128bits(ArrayRef(
      reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  std::string key;
  llvm::raw_string_ostream(key)
      << "c" << llvm::format_hex_no_prefix(hash.high64, 16)
      << llvm::format_hex_no_prefix(hash.low64, 16);
  // Different contents with the same hash (made on purpose) get different names.
  for (;; key += "x") {
    auto *entry = interface.getBlobManager().lookup(key);
    if (!entry)
      return interface.insert(key, std::move(blob));
    // Released, now needed again.
    if (!entry->getBlob() || entry->getBlob()->getData().empty())
      interface.update(key, std::move(blob));
    else if (entry->getBlob()->getData() != bytes)
      continue;
    return DenseResourceElementsHandle(entry, builtin);
  }
}

ElementsAttr nn::makeConstantAttr(RankedTensorType type, AsmResourceBlob blob) {
  ArrayRef<char> bytes = blob.getData();
  std::optional<DataType> dataType = getDataType(type.getElementType());
  assert(dataType && "constants of this element type cannot be made");
  unsigned size = getByteSize(*dataType);
  assert(bytes.size() == size_t(type.getNumElements()) * size &&
         "the memory does not fit the type");
  bool splat = isSplat(bytes, size);
  if (splat || type.getNumElements() <= maxDenseElements)
    return makeDense(type, bytes, size, splat);
  if (!isAligned(bytes.data()))
    blob = HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, 16);
  return DenseResourceElementsAttr::get(
      type, getBlob(type.getContext(), std::move(blob)));
}

ElementsAttr nn::makeConstantAttr(MLIRContext *context,
                                  const HostTensor &tensor, Type elementType) {
  if (!elementType)
    elementType = getElementType(context, tensor.getType());
  assert(elementType && getDataType(elementType) == tensor.getType());
  auto type = RankedTensorType::get(tensor.getDims(), elementType);
  ArrayRef<char> bytes(static_cast<const char *>(tensor.getData()),
                       tensor.getNumBytes());
  // The copy of the tensor in the deleter keeps the buffer alive.
  return makeConstantAttr(
      type, AsmResourceBlob(
                bytes, isAligned(bytes.data()) ? 16 : 1,
                [keep = tensor](void *, size_t, size_t) {}, false));
}

FailureOr<HostTensor> nn::readConstant(Value value) {
  ElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)))
    return failure();
  return toHostTensor(elements);
}

void nn::releaseConstantsBut(MLIRContext *context, ArrayRef<ModuleOp> users) {
  llvm::StringSet<> used;
  AttrTypeWalker walker;
  walker.addWalk([&](DenseResourceElementsAttr attr) {
    used.insert(attr.getRawHandle().getKey());
  });
  for (ModuleOp module : users)
    module->walk([&](Operation *op) { walker.walk(op->getAttrDictionary()); });
  DialectResourceBlobManager &blobs =
      DenseResourceElementsHandle::getManagerInterface(context).getBlobManager();
  std::vector<std::string> released;
  blobs.getBlobMap([&](const llvm::StringMap<DialectResourceBlobManager::BlobEntry> &map) {
    for (const auto &[key, entry] : map)
      if (!used.contains(key))
        released.push_back(key.str());
  });
  for (const std::string &key : released)
    blobs.update(key, AsmResourceBlob());
}
