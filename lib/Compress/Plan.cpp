//===- Plan.cpp - what a compressed model computes in ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Compress/Plan.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
namespace json = llvm::json;

static constexpr std::pair<Precision, llvm::StringLiteral> kPrecisions[] = {
    {Precision::Float, "float"},
    {Precision::Int8, "int8"},
    {Precision::Int8Weights, "int8-weights"},
    {Precision::Int4Weights, "int4-weights"}};

StringRef nn::getName(Precision precision) { return kPrecisions[int(precision)].second; }

Precision CompressionPlan::getPrecision(StringRef tensor) const {
  for (const RegionPlan &region : regions)
    if (region.tensor == tensor)
      return region.precision;
  return Precision::Float;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace mlir::nn {
static bool fromJSON(const json::Value &value, Precision &precision, json::Path path) {
  std::optional<StringRef> text = value.getAsString();
  for (auto [known, name] : kPrecisions)
    if (text == name) {
      precision = known;
      return true;
    }
  path.report("float, int8, int8-weights or int4-weights expected");
  return false;
}

static bool fromJSON(const json::Value &value, RegionPlan &region, json::Path path) {
  json::ObjectMapper mapper(value, path);
  return mapper && mapper.map("tensor", region.tensor) &&
         mapper.map("precision", region.precision) &&
         mapper.mapOptional("error", region.error) &&
         mapper.mapOptional("float_us", region.floatUs) &&
         mapper.mapOptional("int8_us", region.int8Us) &&
         mapper.mapOptional("weights_us", region.weightsUs) &&
         mapper.mapOptional("why", region.why);
}

static bool fromJSON(const json::Value &value, TensorStatistics &tensor, json::Path path) {
  json::ObjectMapper mapper(value, path);
  if (!mapper || !mapper.map("min", tensor.min) || !mapper.map("max", tensor.max) ||
      !mapper.mapOptional("means", tensor.means))
    return false;
  if (!std::isfinite(tensor.min) || !std::isfinite(tensor.max) || tensor.min > tensor.max) {
    path.report("min and max must be finite and in order");
    return false;
  }
  return true;
}

static bool fromJSON(const json::Value &value, CompressionPlan &plan, json::Path path) {
  json::ObjectMapper mapper(value, path);
  int64_t version = 0;
  if (!mapper || !mapper.map("version", version))
    return false;
  if (version != 1) {
    path.field("version").report("this compiler reads plans of version 1");
    return false;
  }
  if (!mapper.map("regions", plan.regions) || !mapper.mapOptional("scales", plan.scales) ||
      !mapper.map("tensors", plan.tensors))
    return false;
  for (const auto &[name, list] : plan.scales)
    if (llvm::any_of(list, [](double x) { return !std::isfinite(x) || x <= 0; })) {
      path.field("scales").report("scales must be positive");
      return false;
    }
  llvm::StringSet<> seen;
  for (auto [i, region] : llvm::enumerate(plan.regions))
    if (!seen.insert(region.tensor).second) {
      path.field("regions").index(i).report("this tensor has an entry already");
      return false;
    }
  return true;
}
} // namespace mlir::nn

llvm::Expected<CompressionPlan> CompressionPlan::read(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return createStringError("cannot read the plan '" + path +
                             "': " + file.getError().message());
  llvm::Expected<json::Value> value = json::parse((*file)->getBuffer());
  if (!value)
    return createStringError("the plan '" + path +
                             "' is not JSON: " + llvm::toString(value.takeError()));
  CompressionPlan plan;
  json::Path::Root root("plan");
  if (!fromJSON(*value, plan, root))
    return createStringError("the plan '" + path + "' is not valid: " +
                             llvm::toString(root.getError()));
  return plan;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

llvm::Error CompressionPlan::write(StringRef path) const {
  std::error_code code;
  llvm::ToolOutputFile file(path, code, llvm::sys::fs::OF_Text);
  if (code)
    return createStringError("cannot write the plan '" + path + "': " + code.message());
  json::OStream os(file.os(), /*IndentSize=*/1);
  os.object([&] {
    os.attribute("version", 1);
    os.attributeArray("regions", [&] {
      for (const RegionPlan &region : regions)
        os.object([&] {
          os.attribute("tensor", json::fixUTF8(region.tensor));
          os.attribute("precision", getName(region.precision));
          for (auto [key, number] : {std::pair("error", region.error),
                                     std::pair("float_us", region.floatUs),
                                     std::pair("int8_us", region.int8Us),
                                     std::pair("weights_us", region.weightsUs)})
            if (number)
              os.attribute(key, *number);
          if (!region.why.empty())
            os.attribute("why", json::fixUTF8(region.why));
        });
    });
    if (!scales.empty())
      os.attributeObject("scales", [&] {
        for (const auto &[name, list] : scales)
          os.attribute(json::fixUTF8(name), json::Array(list));
      });
    os.attributeObject("tensors", [&] {
      for (const auto &[name, tensor] : tensors)
        os.attributeObject(json::fixUTF8(name), [&, &tensor = tensor] {
          os.attribute("min", tensor.min);
          os.attribute("max", tensor.max);
          if (!tensor.means.empty())
            os.attribute("means", json::Array(tensor.means));
        });
    });
  });
  file.os() << "\n";
  file.keep();
  return llvm::Error::success();
}
