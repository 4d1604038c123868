//===- KernelSite.cpp - where a kernel is made and called -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Kernels/KernelSite.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Conversion/ElementwiseToArith.h"

using namespace mlir;
using namespace mlir::nn;

KernelSite::KernelSite(const FusionView &view, OpBuilder &host,
                       const CostModel &costs)
    : view(view), host(host), costs(costs), vectorBits(costs.getVectorBits()) {}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

static Location getLoc(const FusionView &view) { return view.root->getLoc(); }

unsigned KernelSite::addInput(Value leaf) {
  Value tensor = view.getOuter(leaf);
  if (!tensor) {
    tensor = ConstantOp::create(host, leaf.getLoc(), view.getConstant(leaf));
    made.push_back(tensor.getDefiningOp());
  }
  return numbers[leaf] = addTensor(tensor);
}

unsigned KernelSite::addTensor(Value tensor) {
  Type type = getSignlessType(tensor.getType());
  if (type != tensor.getType()) {
    tensor = tensor::BitcastOp::create(host, getLoc(view), type, tensor);
    made.push_back(tensor.getDefiningOp());
  }
  auto *known = llvm::find(inputs, tensor);
  unsigned number = known - inputs.begin();
  if (known == inputs.end())
    inputs.push_back(tensor);
  return number;
}

void KernelSite::addInputs(const llvm::SetVector<Value> &leaves) {
  for (Value leaf : leaves)
    addInput(leaf);
}

unsigned KernelSite::addConstant(ElementsAttr value) {
  auto constant = ConstantOp::create(host, getLoc(view), value);
  made.push_back(constant);
  inputs.push_back(constant);
  return inputs.size() - 1;
}

void KernelSite::check(Value condition, const Twine &message) {
  Location loc = getLoc(view);
  made.push_back(cf::AssertOp::create(host, loc, condition,
                                      ("node " + getNodeNames(loc) + ": " + message).str()));
}

Value KernelSite::equal(Value lhs, Value rhs) {
  return arith::CmpIOp::create(host, getLoc(view), arith::CmpIPredicate::eq, lhs, rhs);
}

void KernelSite::checkBroadcast(Value leaf, int64_t dim, Value wanted) {
  Value size = hostSize(view.getOuter(leaf), dim);
  Value same = equal(size, wanted);
  Value one = equal(size, hostIndex(1));
  check(arith::OrIOp::create(host, getLoc(view), same, one),
        "dimension " + Twine(dim) +
            " of an operand neither is 1 nor has the size of the result, so the shapes do "
            "not broadcast");
}

void KernelSite::checkSize(Value tensor, int64_t dim, Value wanted, const Twine &message) {
  Value size = hostSize(tensor, dim);
  if (!getConstantIntValue(size) || !getConstantIntValue(wanted))
    check(equal(size, wanted), message);
}

//===----------------------------------------------------------------------===//
// The function that calls
//===----------------------------------------------------------------------===//

Value KernelSite::hostIndex(int64_t value) {
  return arith::ConstantIndexOp::create(host, getLoc(view), value);
}

Value KernelSite::hostMul(Value lhs, Value rhs) {
  return KernelEmitter(host, getLoc(view), vectorBits).mul(lhs, rhs);
}

Value KernelSite::hostCeilDiv(Value lhs, int64_t rhs) {
  KernelEmitter e(host, getLoc(view), vectorBits);
  return e.ceilDiv(lhs, e.index(rhs));
}

Value KernelSite::hostSize(Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return hostIndex(type.getDimSize(dim));
  return tensor::DimOp::create(host, getLoc(view), tensor, dim);
}

LogicalResult KernelSite::reifyResults() {
  if (!sizes.empty())
    return success();
  // Static sizes need no arithmetic.
  bool isStatic = llvm::all_of(view.root->getResultTypes(), [](Type type) {
    return cast<RankedTensorType>(type).hasStaticShape();
  });
  if (isStatic) {
    for (Type type : view.root->getResultTypes()) {
      sizes.emplace_back();
      for (int64_t size : cast<RankedTensorType>(type).getShape())
        sizes.back().push_back(host.getIndexAttr(size));
    }
    return success();
  }
  ReifiedRankedShapedTypeDims reified;
  if (failed(reifyResultShapes(host, view.root, reified)))
    return failure();
  sizes = std::move(reified);
  return success();
}

Value KernelSite::getResultSize(unsigned result, int64_t dim) {
  if (failed(reifyResults()))
    return {};
  return getValueOrCreateConstantIndexOp(host, getLoc(view),
                                         sizes[result][dim]);
}

Value KernelSite::hostResultProduct(unsigned result, int64_t from, int64_t to) {
  Value product = hostIndex(1);
  for (int64_t dim = from; dim < to; ++dim)
    product = hostMul(product, getResultSize(result, dim));
  return product;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

static Type toMemref(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  return MemRefType::get(tensor.getShape(), tensor.getElementType());
}

LogicalResult KernelSite::begin(StringRef kind) {
  if (failed(reifyResults()))
    return failure();
  Location loc = getLoc(view);
  SmallVector<Type> types;
  for (Value input : inputs)
    types.push_back(toMemref(input.getType()));
  for (auto [type, size] : llvm::zip(view.root->getResultTypes(), sizes)) {
    auto signless = cast<RankedTensorType>(getSignlessType(type));
    SmallVector<Value> dynamic;
    for (auto [dim, value] : llvm::enumerate(size))
      if (signless.isDynamicDim(dim))
        dynamic.push_back(getValueOrCreateConstantIndexOp(host, loc, value));
    auto empty = tensor::EmptyOp::create(host, loc, signless, dynamic);
    made.push_back(empty);
    outputs.push_back(empty);
    types.push_back(toMemref(signless));
  }
  types.append(2, host.getIndexType());

  auto module = view.root->getParentOfType<ModuleOp>();
  kernelBuilder.emplace(host.getContext());
  kernelBuilder->setInsertionPointToEnd(module.getBody());
  kernel = func::FuncOp::create(*kernelBuilder, loc, "kernel",
                                kernelBuilder->getFunctionType(types, {}));
  kernel.setPrivate();
  kernel->setAttr("nn.kernel", host.getStringAttr(kind));
  kernelBuilder->setInsertionPointToStart(kernel.addEntryBlock());
  emitter.emplace(*kernelBuilder, loc, vectorBits);
  // Made first, so that they dominate all uses.
  for (unsigned i = 0; i < inputs.size() + outputs.size(); ++i)
    arrays[i] = emitter->array(kernel.getArgument(i));
  return success();
}

void KernelSite::finish(Value count, int64_t grain) {
  func::ReturnOp::create(*kernelBuilder, getLoc(view));
  SmallVector<Type> types(ValueRange(outputs).getTypes());
  auto op = rt::LaunchOp::create(
      host, getLoc(view), types, FlatSymbolRefAttr::get(kernel.getSymNameAttr()),
      inputs, outputs, ValueRange{}, count, host.getI64IntegerAttr(grain));
  call = op;
  SmallVector<Value> replacements;
  for (auto [result, original] :
       llvm::zip(op.getResults(), view.root->getResults())) {
    Value value = result;
    if (value.getType() != original.getType())
      value = tensor::BitcastOp::create(host, getLoc(view), original.getType(),
                                        value);
    view.dims.inherit(value, original);
    replacements.push_back(value);
  }
  if (Attribute origin = view.root->getAttr(originAttrName))
    op->setAttr(originAttrName, origin);
  view.root->replaceAllUsesWith(replacements);
}

void KernelSite::abandon() {
  if (kernel)
    kernel.erase();
  kernel = {};
  // Canonicalization removes the size arithmetic that is now unused.
  for (Operation *op : llvm::reverse(made))
    if (op->use_empty())
      op->erase();
  made.clear();
}

Array KernelSite::getInput(unsigned number) { return arrays.at(number); }
Array KernelSite::getInput(Value leaf) { return getInput(numbers[leaf]); }
Value KernelSite::getInputMemref(Value leaf) {
  return kernel.getArgument(numbers[leaf]);
}
Array KernelSite::getOutput(unsigned number) {
  return arrays.at(inputs.size() + number);
}
Value KernelSite::getOutputMemref(unsigned number) {
  return kernel.getArgument(inputs.size() + number);
}
Value KernelSite::getBegin() {
  return kernel.getArgument(inputs.size() + outputs.size());
}
Value KernelSite::getEnd() {
  return kernel.getArgument(inputs.size() + outputs.size() + 1);
}

LogicalResult KernelSite::emitResults(int64_t lanes, BodyEmitter::Leaf leaf,
                                      Value offset, Value mask) {
  BodyEmitter body(view, *emitter, lanes);
  SmallVector<Value> values;
  for (Value result : view.results) {
    FailureOr<Value> value = body.emit(view.getUntransposed(result), leaf);
    if (failed(value))
      return failure();
    values.push_back(*value);
  }
  for (auto [index, value] : llvm::enumerate(values))
    emitter->store(value, getOutput(index), offset, mask);
  return success();
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

static void collectNames(Location location, SmallVectorImpl<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(location)) {
    if (!llvm::is_contained(names, name.getName().getValue()))
      names.push_back(name.getName());
  } else if (auto fused = dyn_cast<FusedLoc>(location)) {
    for (Location part : fused.getLocations())
      collectNames(part, names);
  }
}

std::string nn::getNodeNames(Location location) {
  SmallVector<StringRef> names;
  collectNames(location, names);
  if (names.empty())
    return "(unnamed)";
  std::string result;
  for (StringRef name : names)
    result += (result.empty() ? "'" : ", '") + name.str() + "'";
  return result;
}
