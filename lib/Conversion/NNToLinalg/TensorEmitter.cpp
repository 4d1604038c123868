//===- TensorEmitter.cpp - what the lowerings to linalg share -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "TensorEmitter.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include <functional>

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

std::optional<int64_t> TensorEmitter::getConstant(Size size) {
  return getConstantIntValue(size);
}

Value TensorEmitter::asValue(Size size) {
  if (auto value = dyn_cast<Value>(size))
    return value;
  return arith::ConstantIndexOp::create(rewriter, location, *getConstant(size));
}

Size TensorEmitter::getDim(Value tensor, int64_t index) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(index))
    return size(type.getDimSize(index));
  return rewriter.createOrFold<tensor::DimOp>(location, tensor, index);
}

Sizes TensorEmitter::getDims(Value tensor) {
  Sizes sizes;
  for (int64_t i = 0, rank = getRank(tensor); i < rank; ++i)
    sizes.push_back(getDim(tensor, i));
  return sizes;
}

FailureOr<Sizes> TensorEmitter::getResultDims(unsigned result) {
  ReifiedRankedShapedTypeDims dims;
  if (failed(cast<ReifyRankedShapedTypeOpInterface>(op).reifyResultShapes(
          rewriter, dims)))
    return op->emitOpError("has a result shape that depends on data in a way "
                           "that cannot be computed beforehand");
  return dims[result];
}

Size TensorEmitter::add(Size lhs, Size rhs) {
  auto l = getConstant(lhs), r = getConstant(rhs);
  if (l && r)
    return size(*l + *r);
  if (l == 0)
    return rhs;
  if (r == 0)
    return lhs;
  return rewriter.createOrFold<arith::AddIOp>(location, asValue(lhs),
                                              asValue(rhs));
}

Size TensorEmitter::sub(Size lhs, Size rhs) {
  auto l = getConstant(lhs), r = getConstant(rhs);
  if (l && r)
    return size(*l - *r);
  if (r == 0)
    return lhs;
  return rewriter.createOrFold<arith::SubIOp>(location, asValue(lhs),
                                              asValue(rhs));
}

Size TensorEmitter::mul(Size lhs, Size rhs) {
  auto l = getConstant(lhs), r = getConstant(rhs);
  if (l && r)
    return size(*l * *r);
  if (l == 1)
    return rhs;
  if (r == 1)
    return lhs;
  return rewriter.createOrFold<arith::MulIOp>(location, asValue(lhs),
                                              asValue(rhs));
}

Size TensorEmitter::floorDiv(Size lhs, Size rhs) {
  auto l = getConstant(lhs), r = getConstant(rhs);
  if (l && r && *r > 0)
    return size(*l / *r);
  if (r == 1)
    return lhs;
  return rewriter.createOrFold<arith::DivSIOp>(location, asValue(lhs),
                                               asValue(rhs));
}

Size TensorEmitter::ceilDiv(Size lhs, Size rhs) {
  return floorDiv(add(lhs, sub(rhs, size(1))), rhs);
}

Size TensorEmitter::min(Size lhs, Size rhs) {
  auto l = getConstant(lhs), r = getConstant(rhs);
  if (l && r)
    return size(std::min(*l, *r));
  return rewriter.createOrFold<arith::MinSIOp>(location, asValue(lhs),
                                               asValue(rhs));
}

Size TensorEmitter::max(Size lhs, Size rhs) {
  auto l = getConstant(lhs), r = getConstant(rhs);
  if (l && r)
    return size(std::max(*l, *r));
  return rewriter.createOrFold<arith::MaxSIOp>(location, asValue(lhs),
                                               asValue(rhs));
}

Size TensorEmitter::product(ArrayRef<Size> sizes) {
  Size result = size(1);
  for (Size factor : sizes)
    result = mul(result, factor);
  return result;
}

Size TensorEmitter::getEntry(Value list, int64_t index) {
  Attribute attribute;
  if (matchPattern(list, m_Constant(&attribute)))
    if (auto elements = dyn_cast<DenseIntElementsAttr>(attribute))
      return size(elements.getValues<APInt>()[index].getSExtValue());
  if (auto elements = list.getDefiningOp<tensor::FromElementsOp>())
    if (auto known = getConstantIntValue(elements.getElements()[index]))
      return size(*known);
  list = signless(list);
  SmallVector<Value> indices;
  if (getRank(list) == 1)
    indices.push_back(asValue(size(index)));
  Value entry = rewriter.createOrFold<tensor::ExtractOp>(location, list, indices);
  return rewriter.createOrFold<arith::IndexCastOp>(
      location, rewriter.getIndexType(), entry);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// The first name in a location: the ONNX node.
static std::string getNodeName(Location location) {
  std::string name;
  location->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named)
      return WalkResult::advance();
    name = named.getName().str();
    return WalkResult::interrupt();
  });
  return name;
}

void TensorEmitter::check(Value condition, const Twine &message) {
  IntegerAttr known;
  if (matchPattern(condition, m_Constant(&known)) && known.getValue().isOne())
    return;
  std::string name = getNodeName(location);
  std::string where = name.empty() ? op->getName().getStringRef().str()
                                   : "node '" + name + "'";
  cf::AssertOp::create(rewriter, location, condition,
                       (where + ": " + message).str());
}

void TensorEmitter::checkEqual(Size lhs, Size rhs, const Twine &message) {
  auto l = getConstant(lhs), r = getConstant(rhs);
  if ((l && r && *l == *r) || lhs == rhs)
    return;
  check(rewriter.createOrFold<arith::CmpIOp>(
            location, arith::CmpIPredicate::eq, asValue(lhs), asValue(rhs)),
        message);
}

void TensorEmitter::checkSameDim(Value lhs, int64_t lhsDim, Value rhs,
                                 int64_t rhsDim, const Twine &message) {
  if (!symbols.proveEqual(symbols.getDims(lhs)[lhsDim],
                          symbols.getDims(rhs)[rhsDim]))
    checkEqual(getDim(lhs, lhsDim), getDim(rhs, rhsDim), message);
}

void TensorEmitter::checkDimAtMost(Value lhs, Value rhs, int64_t dim,
                                   const Twine &message) {
  if (symbols.proveEqual(symbols.getDims(lhs)[dim], symbols.getDims(rhs)[dim]))
    return;
  check(rewriter.createOrFold<arith::CmpIOp>(location, arith::CmpIPredicate::sle,
                                             asValue(getDim(lhs, dim)),
                                             asValue(getDim(rhs, dim))),
        message);
}

//===----------------------------------------------------------------------===//
// Making tensors
//===----------------------------------------------------------------------===//

Value TensorEmitter::signless(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  auto signlessType = cast<RankedTensorType>(getSignlessType(type));
  if (type == signlessType)
    return tensor;
  if (auto bitcast = tensor.getDefiningOp<tensor::BitcastOp>())
    if (bitcast.getSource().getType() == signlessType)
      return bitcast.getSource();
  if (auto constant = tensor.getDefiningOp<ConstantOp>()) {
    // The same bits, and the same blob.
    ElementsAttr value = constant.getValue();
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
      value = DenseResourceElementsAttr::get(signlessType,
                                             resource.getRawHandle());
    else if (auto dense = dyn_cast<DenseElementsAttr>(value))
      value = dense.bitcast(signlessType.getElementType());
    if (value.getElementType() == signlessType.getElementType())
      return ConstantOp::create(rewriter, constant.getLoc(), value);
  }
  return tensor::BitcastOp::create(rewriter, location, signlessType, tensor);
}

Value TensorEmitter::empty(ArrayRef<Size> sizes, Type elementType) {
  return tensor::EmptyOp::create(rewriter, location, sizes, elementType);
}

Value TensorEmitter::filled(ArrayRef<Size> sizes, Value scalar) {
  return linalg::FillOp::create(rewriter, location, ValueRange{scalar},
                                ValueRange{empty(sizes, scalar.getType())})
      .getResult(0);
}

Value TensorEmitter::filled(ArrayRef<Size> sizes, Type elementType,
                            double value) {
  return filled(sizes, scalar(elementType, value));
}

AffineMap TensorEmitter::select(int64_t rank, ArrayRef<int64_t> dims) {
  SmallVector<AffineExpr> exprs;
  for (int64_t dim : dims)
    exprs.push_back(dim < 0 ? rewriter.getAffineConstantExpr(0)
                            : rewriter.getAffineDimExpr(dim));
  return affineMap(rank, exprs);
}

Value TensorEmitter::map(ArrayRef<Size> sizes, Type elementType,
                         ValueRange inputs, ArrayRef<AffineMap> maps,
                         ElementBody body) {
  int64_t rank = sizes.size();
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(identity(rank));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return reduce(empty(sizes, elementType), inputs, allMaps, iterators, body);
}

Value TensorEmitter::generate(ArrayRef<Size> sizes, Type elementType,
                              ElementBody body) {
  int64_t rank = sizes.size();
  return map(sizes, elementType, {}, {},
             [&](OpBuilder &b, Location l, ValueRange) {
               SmallVector<Value> indices;
               for (int64_t i = 0; i < rank; ++i)
                 indices.push_back(linalg::IndexOp::create(b, l, i));
               return body(b, l, indices);
             });
}

Value TensorEmitter::reduce(Value init, ValueRange inputs,
                            ArrayRef<AffineMap> maps,
                            ArrayRef<utils::IteratorType> iterators,
                            ElementBody body) {
  return linalg::GenericOp::create(
             rewriter, location, TypeRange{init.getType()}, inputs,
             ValueRange{init}, maps, iterators,
             [&](OpBuilder &b, Location l, ValueRange arguments) {
               linalg::YieldOp::create(b, l, body(b, l, arguments));
             })
      .getResult(0);
}

SmallVector<Value> TensorEmitter::loops(ArrayRef<Size> sizes, ValueRange init,
                                        LoopBody body) {
  SmallVector<Value> bounds;
  for (Size bound : sizes)
    bounds.push_back(asValue(bound));
  Value zero = asValue(size(0)), one = asValue(size(1));
  SmallVector<Value> indices;
  std::function<SmallVector<Value>(OpBuilder &, ValueRange)> nest =
      [&](OpBuilder &b, ValueRange carried) -> SmallVector<Value> {
    if (indices.size() == bounds.size())
      return body(b, location, indices, carried);
    auto loop = scf::ForOp::create(b, location, zero, bounds[indices.size()], one,
                                   carried);
    OpBuilder inner = OpBuilder::atBlockEnd(loop.getBody(), b.getListener());
    indices.push_back(loop.getInductionVar());
    SmallVector<Value> next = nest(inner, loop.getRegionIterArgs());
    indices.pop_back();
    scf::YieldOp::create(inner, location, next);
    return SmallVector<Value>(loop.getResults());
  };
  return nest(rewriter, init);
}

Value TensorEmitter::copyOf(Value tensor) {
  int64_t rank = getRank(tensor);
  return map(getDims(tensor), getElement(tensor), {tensor}, {identity(rank)},
             [](OpBuilder &, Location, ValueRange args) { return args[0]; });
}

Value TensorEmitter::countFromEnd(OpBuilder &b, Location l, Value index, Value size) {
  if (!index.getType().isIndex())
    index = arith::IndexCastOp::create(b, l, b.getIndexType(), index);
  Value zero = arith::ConstantIndexOp::create(b, l, 0);
  Value isNegative =
      arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, index, zero);
  return arith::SelectOp::create(b, l, isNegative,
                                 arith::AddIOp::create(b, l, index, size), index);
}

Value TensorEmitter::convert(Value tensor, Type elementType) {
  if (getElement(tensor) == elementType)
    return tensor;
  int64_t rank = getRank(tensor);
  return map(getDims(tensor), elementType, {tensor}, {identity(rank)},
             [&](OpBuilder &b, Location l, ValueRange arguments) {
               return emitCast(b, l, arguments[0], elementType, false, false);
             });
}

//===----------------------------------------------------------------------===//
// Broadcasting
//===----------------------------------------------------------------------===//

SmallVector<TensorEmitter::Access>
TensorEmitter::getAccess(Value operand, ArrayRef<Dim> like) {
  auto type = cast<RankedTensorType>(operand.getType());
  Dims dims = symbols.getDims(operand);
  size_t offset = like.size() - dims.size();
  SmallVector<Access> access;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    if (type.getDimSize(i) == 1 || symbols.isConstant(dims[i], 1))
      access.push_back(Access::Zero);
    else if (!type.isDynamicDim(i) ||
             symbols.proveEqual(dims[i], like[offset + i]))
      access.push_back(Access::Same);
    else
      access.push_back(Access::Unknown);
  }
  return access;
}

void TensorEmitter::checkBroadcast(Value operand, ArrayRef<Access> access,
                                   ArrayRef<Size> sizes) {
  size_t offset = sizes.size() - access.size();
  for (auto [i, how] : llvm::enumerate(access)) {
    if (how != Access::Unknown)
      continue;
    Value have = asValue(getDim(operand, i));
    Value one = asValue(size(1));
    Value isOne = arith::CmpIOp::create(rewriter, location,
                                        arith::CmpIPredicate::eq, have, one);
    Value same =
        arith::CmpIOp::create(rewriter, location, arith::CmpIPredicate::eq,
                              have, asValue(sizes[offset + i]));
    check(arith::OrIOp::create(rewriter, location, isOne, same),
          "dimension " + Twine(i) + " of an operand is neither 1 nor the size "
          "that it is broadcast to");
  }
}

AffineMap TensorEmitter::broadcastMap(Value &operand, ArrayRef<Dim> like,
                                      ArrayRef<Size> likeSizes) {
  int64_t rank = like.size();
  SmallVector<Access> access = getAccess(operand, like);
  int64_t offset = rank - access.size();
  bool unknown = llvm::is_contained(access, Access::Unknown);
  if (unknown)
    checkBroadcast(operand, access, likeSizes);
  Value source = signless(operand);
  if (unknown) {
    Sizes sizes;
    Sizes sourceSizes = getDims(source);
    for (auto [i, how] : llvm::enumerate(access))
      sizes.push_back(how == Access::Zero ? size(1) : likeSizes[offset + i]);
    SmallVector<Value> isOne(access.size());
    for (auto [i, how] : llvm::enumerate(access))
      if (how == Access::Unknown)
        isOne[i] = arith::CmpIOp::create(
            rewriter, location, arith::CmpIPredicate::eq,
            asValue(sourceSizes[i]), asValue(size(1)));
    Value zero = asValue(size(0));
    source = generate(sizes, getElement(source),
                      [&](OpBuilder &b, Location l, ValueRange indices) {
                        SmallVector<Value> from(indices);
                        for (auto [i, flag] : llvm::enumerate(isOne))
                          if (flag)
                            from[i] = arith::SelectOp::create(b, l, flag, zero,
                                                              indices[i]);
                        return tensor::ExtractOp::create(b, l, source, from)
                            .getResult();
                      });
  }
  operand = source;
  SmallVector<int64_t> dims;
  for (auto [i, how] : llvm::enumerate(access))
    dims.push_back(how == Access::Zero ? -1 : offset + int64_t(i));
  return select(rank, dims);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

Value TensorEmitter::castTo(Value tensor, RankedTensorType type) {
  if (tensor.getType() == type)
    return tensor;
  return tensor::CastOp::create(rewriter, location, type, tensor);
}

SmallVector<Value> TensorEmitter::callRuntime(rt::RuntimeKernel kernel, ValueRange inputs,
                                              ValueRange outputs,
                                              ArrayRef<int64_t> parameters,
                                              DictionaryAttr custom) {
  auto call = rt::CallOp::create(rewriter, location, outputs.getTypes(), kernel, inputs,
                                 outputs, parameters, custom);
  return SmallVector<Value>(call.getResults());
}

LogicalResult TensorEmitter::replace(ValueRange values) {
  SmallVector<Value> results;
  for (auto [value, result] : llvm::zip_equal(values, op->getResults())) {
    auto type = cast<RankedTensorType>(result.getType());
    Value adapted = value;
    if (adapted.getType() != type)
      adapted = castTo(adapted, cast<RankedTensorType>(getSignlessType(type)));
    if (adapted.getType() != type)
      adapted = tensor::BitcastOp::create(rewriter, location, type, adapted);
    results.push_back(adapted);
  }
  rewriter.replaceOp(op, results);
  return success();
}

SmallVector<int64_t> nn::getOtherDims(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(axes, i))
      result.push_back(i);
  return result;
}
