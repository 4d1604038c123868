//===- NNCustomOps.cpp - operators that libraries of users compute --------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;

LogicalResult CustomOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                    SmallVectorImpl<InferredTensor> &results) {
  ArrayAttr types = adaptor.getTypes(), shapes = adaptor.getShapes();
  // custom_c1
  if (types.empty() || types.size() != shapes.size())
    return env.fail("has " + Twine(types.size()) + " types of results and " +
                    Twine(shapes.size()) + " shapes");
  Dims sizes;
  for (Value input : adaptor.getInputs())
    llvm::append_range(sizes, env.getDims(input));
  for (auto map : shapes.getAsValueRange<AffineMapAttr>())
    while (sizes.size() < map.getNumSymbols())
      sizes.push_back(env.fresh());
  for (auto [type, map] : llvm::zip_equal(types.getAsValueRange<TypeAttr>(),
                                          shapes.getAsValueRange<AffineMapAttr>())) {
    // custom_c2
    if (map.getNumDims() != 0)
      return env.fail("has a shape with dimensions, which only symbols may be");
    Dims dims;
    for (AffineExpr size : map.getResults()) {
      dims.push_back(size.replaceSymbols(sizes));
      if (getConstant(dims.back()).value_or(0) < 0)
        return env.fail("has a shape with the size " + Twine(*getConstant(dims.back())));
    }
    results.push_back({dims, type});
  }
  return success();
}

bool CustomOp::hasComputedSizes() {
  unsigned known = 0;
  for (Value input : getInputs())
    known += cast<RankedTensorType>(input.getType()).getRank();
  return llvm::any_of(getShapes().getAsValueRange<AffineMapAttr>(), [&](AffineMap map) {
    for (unsigned symbol = known; symbol < map.getNumSymbols(); ++symbol)
      if (map.isFunctionOfSymbol(symbol))
        return true;
    return false;
  });
}

/// Whether ONNX has attributes of that kind.
static bool isAttributeOfNode(Attribute value) {
  if (auto list = dyn_cast<ArrayAttr>(value))
    return llvm::all_of(list, [](Attribute item) { return isa<StringAttr>(item); });
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return integer.getType().isSignlessInteger(64);
  if (auto number = dyn_cast<FloatAttr>(value))
    return number.getType().isF32();
  return isa<StringAttr, DenseI64ArrayAttr, DenseF32ArrayAttr, ElementsAttr>(value);
}

LogicalResult CustomOp::verify() {
  // custom_c3
  auto [domain, name] = getDomainAndName();
  if (!getFunction().contains(':') || name.empty())
    return emitOpError("calls '") << getFunction() << "', which is not DOMAIN:NAME";
  if (getLibrary().empty())
    return emitOpError("names no library");
  // custom_c4
  if (DictionaryAttr parameters = getParametersAttr())
    for (NamedAttribute attribute : parameters)
      if (!isAttributeOfNode(attribute.getValue()))
        return emitOpError("has an attribute '")
               << attribute.getName().getValue() << "' that no ONNX node has: "
               << attribute.getValue();
  // custom_c5
  int64_t before = -1, last = int64_t(getInputs().size() + getAbsent().size()) - 1;
  for (int64_t place : getAbsent()) {
    if (place <= before || place >= last)
      return emitOpError("lacks operand ")
             << place << ", which is not before the last one, or not in ascending order";
    before = place;
  }
  return success();
}
