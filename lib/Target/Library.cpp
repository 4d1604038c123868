//===- Library.cpp - compiled models as files -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Target/Library.h"
#include "dialects/NN/IR/NN.h"
#include "nn/Target/Target.h"
#include "nn/Support/CustomNodes.h"
#include "nn/Support/DataType.h"
#include "nn/Support/HostTensor.h"
#include "nn/Support/Structured.h"
#include "nn/Support/UserError.h"
#include "nn/Target/Passes.h"
#include "nn/Target/Weights.h"
#include "runtime/abi/nnrt_abi.h"
#include "runtime/lib/Core/ModelFile.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Signature
//===----------------------------------------------------------------------===//

static FailureOr<nnrt::TensorSignature>
describeTensor(func::FuncOp main, Type type, DictionaryAttr attributes,
               StringRef kind, unsigned index) {
  // The function's location is the graph's name, which is no node's.
  Location unknown = UnknownLoc::get(main.getContext());
  auto tensor = dyn_cast<RankedTensorType>(type);
  std::optional<DataType> dataType =
      tensor ? getDataType(tensor.getElementType()) : std::nullopt;
  if (!dataType)
    return emitUserError(unknown)
           << kind << " " << index << " of the model has type " << type
           << ", which a library cannot have";
  // Small types are held in bytes, strings as numbers.
  if (auto stored = attributes ? attributes.getAs<TypeAttr>("nn.stored_type") : TypeAttr()) {
    if (isa<StringType>(stored.getValue()))
      dataType = DataType::String;
    else if (std::optional<DataType> small = getDataType(stored.getValue()))
      dataType = small;
  }
  nnrt::TensorSignature signature;
  signature.type = int32_t(*dataType);
  for (int64_t size : tensor.getShape()) {
    signature.dims.push_back(ShapedType::isDynamic(size) ? -1 : size);
    signature.dimNames.push_back("");
  }
  signature.name = (kind + Twine(index)).str();
  if (attributes) {
    if (auto name = attributes.getAs<StringAttr>("nn.name"))
      signature.name = name.str();
    if (auto names = attributes.getAs<ArrayAttr>("nn.dim_names"))
      for (auto [i, name] : llvm::enumerate(names.getAsRange<StringAttr>()))
        if (i < signature.dimNames.size() && signature.dims[i] < 0)
          signature.dimNames[i] = name.str();
    if (auto partName = attributes.getAs<StringAttr>("nn.part")) {
      std::optional<ValuePart> part = findPart(partName);
      auto value = attributes.getAs<StringAttr>("nn.value");
      if (!part || !value)
        return emitUserError(unknown) << kind << " '" << signature.name
                                      << "' has no nn.value, or an unknown nn.part: "
                                      << partName;
      static_assert(uint32_t(ValuePart::Items) == NNRT_PART_ITEMS, "other numbers");
      signature.part = static_cast<uint32_t>(*part);
      signature.value = value.str();
    }
  }
  return signature;
}

/// Whether the parts of values stand as nnrt.h says.
static LogicalResult checkParts(func::FuncOp main,
                                const std::vector<nnrt::TensorSignature> &tensors) {
  std::string error;
  for (size_t i = 0; i < tensors.size();) {
    size_t parts = nnrt::countParts(tensors, i, error);
    if (!parts)
      return emitUserError(UnknownLoc::get(main.getContext())) << error;
    i += parts;
  }
  return success();
}

FailureOr<nnrt::Manifest> nn::describeModel(ModuleOp module) {
  func::FuncOp main = getMain(module);
  if (!main)
    return emitUserError(UnknownLoc::get(module.getContext()))
           << "there is no function @main to compile";
  nnrt::Manifest manifest;
  manifest.abiVersion = NNRT_ABI_VERSION;
  if (auto producer = module->getAttrOfType<StringAttr>("nn.producer"))
    manifest.producer = producer.str();
  for (auto [i, type] : llvm::enumerate(main.getArgumentTypes())) {
    auto input = describeTensor(main, type, main.getArgAttrDict(i), "input", i);
    if (failed(input))
      return failure();
    manifest.inputs.push_back(*input);
  }
  for (auto [i, type] : llvm::enumerate(main.getResultTypes())) {
    auto output = describeTensor(main, type, main.getResultAttrDict(i), "output", i);
    if (failed(output))
      return failure();
    manifest.outputs.push_back(*output);
  }
  if (failed(checkParts(main, manifest.inputs)) ||
      failed(checkParts(main, manifest.outputs)))
    return failure();
  if (auto metadata = module->getAttrOfType<ArrayAttr>("nn.metadata"))
    for (auto pair : metadata.getAsRange<ArrayAttr>())
      manifest.metadata.emplace_back(cast<StringAttr>(pair[0]).str(),
                                     cast<StringAttr>(pair[1]).str());
  if (auto strings = module->getAttrOfType<ArrayAttr>("nn.strings"))
    for (StringRef text : strings.getAsValueRange<StringAttr>())
      manifest.strings.push_back(text.str());
  return manifest;
}

CompiledVariant nn::describeVariant(ModuleOp lowered, const CodeVariant &variant) {
  CompiledVariant described{variant, {}, "", "", 0};
  if (auto formula = lowered->getAttrOfType<StringAttr>("nn.arena_bytes"))
    described.arena = formula.str();
  if (auto formula = lowered->getAttrOfType<StringAttr>("nn.device_arena_bytes"))
    described.deviceArena = formula.str();
  if (auto count = lowered->getAttrOfType<IntegerAttr>("nn.data_dependent_buffers"))
    described.dataDependentBuffers = uint32_t(count.getInt());
  return described;
}

//===----------------------------------------------------------------------===//
// File
//===----------------------------------------------------------------------===//

/// The constants of the weights section. `owners` keeps their memory.
static LogicalResult collectWeights(ModuleOp module,
                                    std::vector<nnrt::WeightBlob> &blobs,
                                    SmallVectorImpl<HostTensor> &owners) {
  auto list = module->getAttrOfType<ArrayAttr>("nn.weights");
  if (!list)
    return success();
  for (auto entry : list.getAsRange<ArrayAttr>()) {
    FailureOr<HostTensor> tensor = toHostTensor(cast<ElementsAttr>(entry[0]));
    if (failed(tensor))
      return module.emitError() << "a constant of type "
                                << cast<ElementsAttr>(entry[0]).getType()
                                << " was released before it was written";
    owners.push_back(*tensor);
    blobs.push_back({uint64_t(cast<IntegerAttr>(entry[1]).getInt()),
                     tensor->getData(), tensor->getNumBytes(),
                     uint32_t(tensor->getNumBytes() /
                              std::max<int64_t>(tensor->getNumElements(), 1))});
  }
  return success();
}

LogicalResult nn::writeLibrary(ModuleOp lowered, nnrt::Manifest manifest,
                               ArrayRef<CompiledVariant> variants,
                               ArrayRef<DeviceCode> deviceCode, StringRef path,
                               bool codesWeights) {
  Location loc = UnknownLoc::get(lowered.getContext());
  auto fail = [&](const Twine &what, std::error_code code) -> LogicalResult {
    return emitUserError(loc) << "cannot write " << what << ": " << code.message();
  };
  // Beside the target, so that the last step is a rename.
  SmallString<128> temporary;
  if (std::error_code code = llvm::sys::fs::createUniqueFile(
          path + ".%%%%%%.tmp", temporary))
    return fail(path, code);
  std::vector<std::string> objects;
  llvm::scope_exit cleanUp([&] {
    llvm::sys::fs::remove(temporary);
    for (const std::string &file : objects)
      llvm::sys::fs::remove(file);
  });

  for (const CompiledVariant &compiled : variants) {
    SmallString<128> object;
    int fd;
    if (std::error_code code = llvm::sys::fs::createTemporaryFile("nn", "o", fd, object))
      return fail("a temporary file", code);
    objects.push_back(std::string(object));
    llvm::raw_fd_ostream os(fd, /*shouldClose=*/true);
    os.write(compiled.object.data(), compiled.object.size());
    os.close();
    if (os.has_error())
      return fail(object, os.error());
    nnrt::Section code;
    code.kind = nnrt::SectionKind::Code;
    code.name = compiled.variant.cpu;
    code.target = getRequiredFeatures(compiled.variant);
    code.symbol = "nnrt_model_run_" + compiled.variant.getSuffix();
    code.arena = compiled.arena;
    code.deviceArena = compiled.deviceArena;
    code.dataDependentBuffers = compiled.dataDependentBuffers;
    manifest.sections.push_back(code);
  }
  if (failed(linkSharedLibrary(objects, temporary, loc)))
    return failure();

  if (auto libraries = lowered->getAttrOfType<ArrayAttr>("nn.libraries"))
    for (StringRef library : libraries.getAsValueRange<StringAttr>())
      manifest.flags |= library == "onednn" ? nnrt::NeedsOneDNN
                        : library == "re2"  ? nnrt::NeedsRE2
                                            : 0;
  if (auto kernels = lowered->getAttrOfType<ArrayAttr>("nn.kernels"))
    for (auto entry : kernels.getAsRange<ArrayAttr>())
      manifest.kernels.push_back({cast<StringAttr>(entry[0]).str(),
                                  cast<StringAttr>(entry[1]).str()});
  if (auto operators = lowered->getAttrOfType<ArrayAttr>("nn.custom_operators"))
    for (auto custom : operators.getAsRange<DictionaryAttr>()) {
      FailureOr<nnrt::CustomNode> node = toCustomNode(custom);
      if (failed(node))
        return lowered.emitError("an attribute was released before it was written");
      manifest.customNodes.push_back(std::move(*node));
    }
  std::vector<nnrt::WeightBlob> blobs;
  SmallVector<HostTensor> owners;
  if (failed(collectWeights(lowered, blobs, owners)))
    return failure();
  std::vector<nnrt::DeviceCodeBlob> deviceBlobs;
  for (const DeviceCode &code : deviceCode) {
    nnrt::DeviceCodeBlob blob;
    blob.section.kind = code.kind;
    blob.section.name = code.processor;
    blob.data = code.bytes.data();
    blob.size = code.bytes.size();
    deviceBlobs.push_back(std::move(blob));
  }
  if (getTarget(lowered).getKind() == TargetKind::CUDA)
    manifest.flags |= nnrt::NeedsCUDA;
  std::string error =
      nnrt::appendToLibrary(temporary.str().str(), blobs, manifest, deviceBlobs, codesWeights);
  if (!error.empty())
    return emitUserError(loc) << error;
  // Readable and executable as the user's mask says; createUniqueFile is strict.
  llvm::sys::fs::setPermissions(
      temporary, llvm::sys::fs::perms(0777 & ~llvm::sys::fs::getUmask()));
  if (std::error_code code = llvm::sys::fs::rename(temporary, path))
    return fail(path, code);
  return success();
}
