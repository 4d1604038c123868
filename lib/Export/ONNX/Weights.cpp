//===- Weights.cpp - from constants to ONNX tensors -----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Weights.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::exporter;

/// Where protobuf cannot hold all tensors, smaller ones than this stay in the model:
/// tools want to see shapes, axes and scalars.
static constexpr uint64_t defaultExternalBytes = 1024;

Weights::Weights(StringRef path, std::optional<uint64_t> externalBytes)
    : path(path), externalBytes(externalBytes) {}

void Weights::setTotal(uint64_t bytes) {
  // Protobuf's limit, with room for nodes and names.
  constexpr uint64_t limit = (uint64_t(1) << 31) - (uint64_t(1) << 27);
  if (!externalBytes && bytes > limit)
    externalBytes = defaultExternalBytes;
}

std::string Weights::getBytes(const HostTensor &tensor) {
  if (isPacked(tensor.getType()))
    return packElements(tensor);
  return std::string(static_cast<const char *>(tensor.getData()), tensor.getNumBytes());
}

void Weights::write(const HostTensor &tensor, onnx::TensorProto &to) {
  to.set_data_type(int32_t(tensor.getType()));
  for (int64_t size : tensor.getDims())
    to.add_dims(size);
  uint64_t size = getPackedBytes(tensor.getType(), tensor.getNumElements());
  if (!externalBytes || size < *externalBytes || size == 0) {
    to.set_raw_data(getBytes(tensor));
    return;
  }
  if (isPacked(tensor.getType()))
    writeExternal(packElements(tensor), to);
  else
    writeExternal(StringRef(static_cast<const char *>(tensor.getData()),
                            tensor.getNumBytes()),
                  to);
}

void Weights::writeExternal(StringRef bytes, onnx::TensorProto &to) {
  if (!problem.empty())
    return;
  if (!file) {
    if (path == "-") {
      problem = "tensors that are to lie in a file beside the model need a model that is "
                "a file: -o OUT.onnx";
      return;
    }
    std::error_code code;
    file = std::make_unique<llvm::ToolOutputFile>(path + ".data", code,
                                                  llvm::sys::fs::OF_None);
    if (code) {
      problem = "cannot write '" + path + ".data': " + code.message();
      return;
    }
  }
  // Large tensors begin at a page, so that readers can map them.
  constexpr uint64_t page = 4096, line = 64;
  uint64_t offset = llvm::alignTo(file->os().tell(), bytes.size() >= page ? page : line);
  file->os().write_zeros(offset - file->os().tell());
  file->os() << bytes;
  to.set_data_location(onnx::TensorProto::EXTERNAL);
  auto add = [&](const char *key, const std::string &value) {
    onnx::StringStringEntryProto *entry = to.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  add("location", llvm::sys::path::filename(path).str() + ".data");
  add("offset", std::to_string(offset));
  add("length", std::to_string(bytes.size()));
}

std::optional<std::string> Weights::finish() {
  if (!file)
    return std::nullopt;
  file->os().flush();
  if (file->os().has_error()) {
    std::string message = file->os().error().message();
    file->os().clear_error();
    return "cannot write '" + path + ".data': " + message;
  }
  file->keep();
  return std::nullopt;
}
