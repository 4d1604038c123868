//===- OnnxLibrary.cpp - what the ONNX library does for the importer ------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "OnnxLibrary.h"
#include "Isolated.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "onnx/defs/parser.h"
#include "onnx/defs/schema.h"
#include "onnx/shape_inference/implementation.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <limits>
#include <unordered_map>

using namespace mlir::nn;
using namespace mlir::nn::importer;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static const char *const fileAdvice =
    "get a complete copy of the file, or export the model again";

static std::optional<ReadError> parseBinary(const llvm::MemoryBuffer &buffer,
                                            onnx::ModelProto &model) {
  // Errors are reported in our own words.
  google::protobuf::LogSilencer silence;
  google::protobuf::io::CodedInputStream stream(
      reinterpret_cast<const uint8_t *>(buffer.getBufferStart()),
      static_cast<int>(buffer.getBufferSize()));
  stream.SetTotalBytesLimit(std::numeric_limits<int>::max());
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    return ReadError{"the file is an ONNX model (protobuf)",
                     "bytes that are not, or end too early", fileAdvice};
  return std::nullopt;
}

/// The parser recurses for nested brackets; real models nest them a few deep.
static bool isNestedTooDeep(StringRef text) {
  constexpr int limit = 200;
  int depth = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    switch (text[at]) {
    case '"':
      for (++at; at < text.size() && text[at] != '"'; ++at)
        at += text[at] == '\\';
      break;
    case '#':
      at = std::min(text.find('\n', at), text.size());
      break;
    case '(':
    case '{':
    case '[':
      if (++depth > limit)
        return true;
      break;
    case ')':
    case '}':
    case ']':
      --depth;
      break;
    }
  }
  return false;
}

static std::optional<ReadError> parseText(const llvm::MemoryBuffer &buffer,
                                          onnx::ModelProto &model) {
  StringRef text = buffer.getBuffer();
  std::string message;
  if (isNestedTooDeep(text)) {
    message = "brackets nested more than 200 deep";
  } else {
    try {
      onnx::OnnxParser parser(std::string_view(text.data(), text.size()));
      onnx::Common::Status status = parser.Parse(model);
      if (!status.IsOK())
        message = status.ErrorMessage();
      else if (!parser.EndOfInput())
        message = "text after the model's end " + parser.GetCurrentPos();
    } catch (const std::exception &error) {
      message = error.what();
    }
  }
  if (message.empty())
    return std::nullopt;
  return ReadError{"the file is an ONNX model in ONNX's textual syntax", message,
                   "correct the text; see onnx/docs/Syntax.md"};
}

std::optional<ReadError> importer::readModel(StringRef path,
                                             onnx::ModelProto &model) {
  llvm::sys::fs::file_status status;
  std::error_code code = llvm::sys::fs::status(path, status);
  if (!code && llvm::sys::fs::is_directory(status))
    code = std::make_error_code(std::errc::is_a_directory);
  if (code)
    return ReadError{"the model's file can be read", code.message(),
                     "check the path and its permissions"};
  if (status.getSize() > uint64_t(std::numeric_limits<int>::max()))
    return ReadError{
        "the model's file is smaller than 2 GiB, a limit of protobuf",
        std::to_string(status.getSize()) + " bytes",
        "keep the weights in external data: onnx.save_model(model, path, "
        "save_as_external_data=True)"};
  // A mapping, so that a large file is not in memory twice.
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return ReadError{"the model's file can be read", buffer.getError().message(),
                     "check the path and its permissions"};
  if ((*buffer)->getBufferSize() == 0)
    return ReadError{"the file is an ONNX model", "an empty file", fileAdvice};
  return path.ends_with(".onnxtxt") ? parseText(**buffer, model)
                                    : parseBinary(**buffer, model);
}

//===----------------------------------------------------------------------===//
// Schemas
//===----------------------------------------------------------------------===//

const onnx::OpSchema *importer::findSchema(StringRef op, int64_t opset,
                                           StringRef domain) {
  int version = static_cast<int>(
      std::min<int64_t>(opset, std::numeric_limits<int>::max()));
  try {
    return onnx::OpSchemaRegistry::Schema(op.str(), version, domain.str());
  } catch (const std::exception &) {
    return nullptr;
  }
}

int64_t importer::getNewestOpset(StringRef domain) {
  const auto &map =
      onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
  auto it = map.find(domain.str());
  return it == map.end() ? 0 : it->second.second;
}

int64_t importer::getSinceVersion(const onnx::OpSchema &schema) {
  return schema.SinceVersion();
}

const std::vector<std::string> &
importer::getOperandNames(const onnx::OpSchema &schema) {
  static std::unordered_map<const onnx::OpSchema *, std::vector<std::string>> cache;
  auto [it, inserted] = cache.try_emplace(&schema);
  if (inserted)
    for (const auto &parameter : schema.inputs())
      it->second.push_back(parameter.GetName());
  return it->second;
}

bool importer::hasVariadicOperand(const onnx::OpSchema &schema) {
  return !schema.inputs().empty() &&
         schema.inputs().back().GetOption() == onnx::OpSchema::Variadic;
}

const onnx::AttributeProto *importer::getDefault(const onnx::OpSchema &schema,
                                                 const std::string &attribute) {
  auto it = schema.attributes().find(attribute);
  if (it == schema.attributes().end() || it->second.default_value.name().empty())
    return nullptr;
  return &it->second.default_value;
}

bool importer::mayHaveFunction(const onnx::OpSchema &schema) {
  return schema.HasFunction() || schema.HasContextDependentFunction();
}

std::optional<onnx::FunctionProto>
importer::getFunction(const onnx::OpSchema &schema, const onnx::NodeProto &node,
                      int64_t opset,
                      const std::vector<onnx::TypeProto> &operandTypes) {
  opset = std::min(opset, getNewestOpset(schema.domain()));
  try {
    if (schema.HasFunction())
      if (const onnx::FunctionProto *function =
              schema.GetFunction(static_cast<int>(opset)))
        return *function;
    if (schema.HasContextDependentFunction()) {
      onnx::FunctionBodyBuildContextImpl context(node, operandTypes);
      onnx::FunctionProto function;
      if (schema.BuildContextDependentFunction(context, function,
                                               static_cast<int>(opset)))
        return function;
    }
  } catch (const std::exception &) {
    // A node that the schema's builder cannot understand has no function.
  }
  return std::nullopt;
}

void importer::inferTypes(onnx::ModelProto &model) {
  // It is not robust against invalid models: it dereferences null pointers and reads
  // beyond the end of shapes. And it is called when something is wrong with a model.
  constexpr unsigned seconds = 5;
  std::optional<std::string> found = runIsolated(
      [&] {
        try {
          onnx::shape_inference::InferShapes(model);
        } catch (const std::exception &) {
          // Types found until then are kept.
        }
        onnx::GraphProto types;
        types.mutable_value_info()->Swap(model.mutable_graph()->mutable_value_info());
        types.mutable_output()->Swap(model.mutable_graph()->mutable_output());
        return types.SerializePartialAsString();
      },
      seconds);
  onnx::GraphProto types;
  if (!found || !types.ParsePartialFromString(*found))
    return;
  model.mutable_graph()->mutable_value_info()->Swap(types.mutable_value_info());
  model.mutable_graph()->mutable_output()->Swap(types.mutable_output());
}
