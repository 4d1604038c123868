//===- Maps.cpp - import of operators on maps -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// A map is a list of keys and a list of their values, of one row of data.
//
//===----------------------------------------------------------------------===//

#include "Scores.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::importer;

/// For each of `wanted` (a list of numbers) the value of that key, else 0.
static Value lookUp(NodeBinder &node, Value keys, Value values, Value wanted) {
  Value rows = node.create<UnsqueezeOp>(wanted, ArrayRef<int64_t>{1});
  Value isKey = node.create<EqualOp>(rows, keys);
  Value zero = node.failed() ? Value() : node.constantScalar(0, getElementType(values));
  Value chosen = node.create<WhereOp>(isKey, values, zero);
  return node.create<ReduceSumOp>(chosen, ArrayRef<int64_t>{1}, /*keepdims=*/false);
}

/// The list as a matrix of one row.
static LogicalResult setRow(NodeBinder &node, Value list) {
  return node.replaceWith<UnsqueezeOp>(list, ArrayRef<int64_t>{0});
}

static LogicalResult importDictVectorizer(NodeBinder &node) {
  MapValue map;
  SmallVector<int64_t> integers;
  SmallVector<std::string> strings;
  if (node.mapOperand("X", map).attr("int64_vocabulary", integers)
          .attr("string_vocabulary", strings)
          .require(integers.empty() != strings.empty(), "there is one vocabulary",
                   integers.empty() ? "none" : "two", "").failed() ||
      node.require(holdsStrings(map.keys) == !strings.empty(),
                   "the vocabulary has the type of the keys",
                   strings.empty() ? "integers" : "strings", show(map.keys.getType())).failed())
    return failure();
  Value keys = strings.empty() ? map.keys : node.numbersOf(map.keys);
  Value wanted = node.constantList(strings.empty() ? integers : node.getNumbers(strings));
  if (!holdsStrings(map.values))
    return setRow(node, lookUp(node, keys, map.values, wanted));
  // The empty string has number 0.
  return setRow(node, node.stringsOf(lookUp(node, keys, node.numbersOf(map.values), wanted)));
}

/// The values by ascending keys, or at the places that the keys say.
static LogicalResult importCastMap(NodeBinder &node) {
  MapValue map;
  std::string type, form;
  int64_t size;
  if (node.mapOperand("X", map)
          .attr("cast_to", type, "TO_FLOAT", {"TO_FLOAT", "TO_STRING", "TO_INT64"})
          .attr("map_form", form, "DENSE", {"DENSE", "SPARSE"}).attr("max_map", size, 1)
          .require(form == "DENSE" || size > 0, "attribute 'max_map' is positive",
                   Twine(size), "").failed() ||
      node.require(getElementType(map.keys).isSignlessInteger(64), "keys are integers",
                   show(map.keys.getType()), "int64", Remedy::ConvertType).failed())
    return failure();
  Builder builder(node.getContext());
  Type to = type == "TO_FLOAT"   ? Type(builder.getF32Type())
            : type == "TO_INT64" ? Type(builder.getI64Type())
                                 : Type(StringType::get(node.getContext()));
  Value values = map.values;
  if (getElementType(values) != to)
    values = isString(to) || holdsStrings(values) ? castStrings(node, values, to)
                                                  : castTo(node, values, to);
  if (isString(to))
    values = node.numbersOf(values);
  Value list;
  if (form == "DENSE") {
    Value count = getDimList(node, map.keys, 0);
    SmallVector<Value> sorted = node.createMany<TopKOp>(2, map.keys, count, int64_t(-1), false);
    list = sorted.empty() ? Value() : node.create<GatherOp>(values, sorted[1], int64_t(0));
  } else {
    Value places = makeIota(node, node.constantScalar(double(size), builder.getI64Type()));
    list = lookUp(node, map.keys, values, places);
  }
  return setRow(node, isString(to) ? node.stringsOf(list) : list);
}

void importer::registerMLMaps(Registry &r) {
  r.onOp(classicalML, "CastMap", 1, importCastMap);
  r.onOp(classicalML, "DictVectorizer", 1, importDictVectorizer);
}
