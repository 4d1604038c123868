//===- Regions.cpp - what of a model can be quantized ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Compress/Regions.h"
#include "mlir/IR/Matchers.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Interpreter/Interpreter.h"
#include "nn/Support/Constants.h"
#include "nn/Support/Locations.h"

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType getTensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

static bool isConstant(Value value) { return matchPattern(value, m_Constant()); }

static bool isF32(Value value) { return getTensorType(value).getElementType().isF32(); }

/// The operator that makes constant weights of fewer bits f32, if there is one.
static DequantizeOp getDequantization(Value weight) {
  auto op = weight.getDefiningOp<DequantizeOp>();
  return op && llvm::all_of(op->getOperands(), isConstant) ? op : nullptr;
}

std::string nn::getTensorName(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto function = dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
    auto name = function ? function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                                 "nn.name")
                         : StringAttr();
    return name ? name.str() : "";
  }
  for (OriginAttr origin : getOrigins(value))
    if (origin.getPermutation().empty())
      return origin.getTensor().str();
  return "";
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

/// A constant with an element for each channel of a product's result.
static bool isBias(Value value, int64_t channels) {
  return isConstant(value) && isF32(value) && getTensorType(value).getRank() == 1 &&
         getTensorType(value).getDimSize(0) == channels;
}

static void addNodes(Operation *op, llvm::StringSet<> &nodes) {
  SmallVector<StringRef> names;
  std::string joined = getONNXNames(op->getLoc());
  StringRef(joined).split(names, " + ");
  for (StringRef name : names)
    if (!name.empty())
      nodes.insert(name);
}

static std::optional<ProductRegion> getRegion(Operation *op) {
  ProductRegion region;
  region.anchor = op;
  if (auto conv = dyn_cast<ConvOp>(op)) {
    if (conv.getLayout() != Layout::ChannelsFirst)
      return std::nullopt;
    region.input = conv.getInput();
    region.weight = conv.getWeight();
    region.inputAxis = 1;
    if (Value bias = conv.getBias(); bias && isConstant(bias))
      region.bias = &conv.getBiasMutable()[0];
  } else if (auto matmul = dyn_cast<MatMulOp>(op)) {
    region.input = matmul.getLhs();
    region.weight = matmul.getRhs();
    if (matmul.getTransposeLhs() || getTensorType(region.weight).getRank() != 2 ||
        getTensorType(region.input).getRank() < 2)
      return std::nullopt;
    region.weightAxis = matmul.getTransposeRhs() ? 0 : 1;
    region.inputAxis = getTensorType(region.input).getRank() - 1;
  } else {
    return std::nullopt;
  }
  region.output = op->getResult(0);
  region.name = getTensorName(region.output);
  DequantizeOp stored = getDequantization(region.weight);
  if ((!stored && !isConstant(region.weight)) || isConstant(region.input) ||
      !isF32(region.weight) || !isF32(region.input))
    return std::nullopt;
  // This product is quantized already.
  if (stored && region.input.getDefiningOp<DequantizeOp>())
    return std::nullopt;

  // What follows.
  addNodes(op, region.product);
  region.nodes = region.product;
  int64_t channels = getTensorType(region.weight).getDimSize(region.weightAxis);
  while (region.output.hasOneUse()) {
    OpOperand &use = *region.output.use_begin();
    Operation *user = use.getOwner();
    if (!isa<ElementwiseOpInterface>(user) || user->getNumResults() != 1 ||
        user->getResult(0).getType() != region.output.getType() ||
        user->getBlock() != op->getBlock())
      break;
    bool known = llvm::all_of(user->getOpOperands(), [&](OpOperand &other) {
      return &other == &use || isConstant(other.get());
    });
    if (!known)
      break;
    if (isa<MatMulOp>(op) && isa<AddOp>(user) && region.output == op->getResult(0)) {
      OpOperand &other = user->getOpOperand(1 - use.getOperandNumber());
      if (isBias(other.get(), channels))
        region.bias = &other;
    }
    region.output = user->getResult(0);
    addNodes(user, region.nodes);
    // A sum with a bias has the name of what ONNX's Gemm gives.
    if (region.name.empty())
      region.name = getTensorName(region.output);
  }
  if (region.name.empty())
    return std::nullopt;
  return region;
}

SmallVector<ProductRegion> nn::findRegions(ModuleOp module) {
  SmallVector<ProductRegion> regions;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  for (Operation &op : main.getBody().front())
    if (std::optional<ProductRegion> region = getRegion(&op))
      regions.push_back(std::move(*region));
  return regions;
}

FailureOr<HostTensor> nn::readWeights(const ProductRegion &region) {
  DequantizeOp stored = getDequantization(region.weight);
  if (!stored)
    return readConstant(region.weight);
  HostTensors operands, results;
  for (Value operand : stored->getOperands()) {
    FailureOr<HostTensor> tensor = readConstant(operand);
    if (failed(tensor))
      return failure();
    operands.push_back(*tensor);
  }
  std::string error;
  if (failed(interpretOp(stored, operands, results, error)))
    return failure();
  return results.front();
}

bool nn::takesInt4(const ProductRegion &region) {
  return isa<MatMulOp>(region.anchor) &&
         getTensorType(region.weight).getDimSize(1 - region.weightAxis) % kInt4Block == 0;
}

std::optional<QuantizedWeights> nn::getStoredWeights(const ProductRegion &region) {
  DequantizeOp stored = getDequantization(region.weight);
  if (!stored || stored.getBlockSize() != 0)
    return std::nullopt;
  FailureOr<HostTensor> integers = readConstant(stored.getInput()),
                        scales = readConstant(stored.getScale());
  if (failed(integers) || failed(scales) || integers->getType() != DataType::Int8 ||
      scales->getType() != DataType::Float32)
    return std::nullopt;
  if (Value zero = stored.getZeroPoint()) {
    FailureOr<HostTensor> zeros = readConstant(zero);
    if (failed(zeros))
      return std::nullopt;
    for (int64_t i = 0; i < zeros->getNumElements(); ++i)
      if (zeros->getDouble(i) != 0)
        return std::nullopt;
  }
  int64_t channels = integers->getDim(region.weightAxis), count = scales->getNumElements();
  int64_t axis = stored.getAxis() + (stored.getAxis() < 0 ? integers->getRank() : 0);
  if (count != 1 && (axis != region.weightAxis || count != channels))
    return std::nullopt;
  QuantizedWeights weights{*integers, HostTensor::allocate(DataType::Float32, {channels}),
                           std::vector<double>(integers->getNumElements(), 0.0)};
  for (int64_t i = 0; i < channels; ++i)
    weights.scales.setDouble(i, scales->getDouble(count == 1 ? 0 : i));
  return weights;
}

/// With fewer columns, scales would take as much memory as rows save; smaller tables do not
/// matter.
static constexpr int64_t kTableColumns = 16, kTableElements = 4096;

SmallVector<TableRegion> nn::findTables(ModuleOp module) {
  SmallVector<TableRegion> tables;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  for (auto gather : main.getBody().front().getOps<GatherOp>()) {
    Value table = gather.getInput();
    RankedTensorType type = getTensorType(table);
    std::string name = getTensorName(gather);
    if (!name.empty() && isConstant(table) && isF32(table) && type.getRank() == 2 &&
        gather.getAxis() == 0 && type.getDimSize(1) >= kTableColumns &&
        type.getNumElements() >= kTableElements)
      tables.push_back({gather, name});
  }
  return tables;
}

//===----------------------------------------------------------------------===//
// Quantized values
//===----------------------------------------------------------------------===//

/// Operators whose results have the elements of their first operand.
static bool keepsElements(Operation *op) {
  return isa<MaxPoolOp, ReshapeOp, TransposeOp, SqueezeOp, UnsqueezeOp, SliceOp, FlattenOp>(op);
}

/// Operators that are worth reading 8 bits, if a product reads their result.
static bool carries(Operation *op) {
  return keepsElements(op) || isa<AddOp, MulOp, ConcatOp, AveragePoolOp, ReduceMeanOp>(op);
}

namespace {
class Search {
public:
  explicit Search(ArrayRef<ProductRegion> regions) {
    for (const ProductRegion &region : regions)
      inputs.insert(region.input);
  }

  /// Whether a product reads the value, or what is made of it. Users come later in the
  /// block, so the depth is bounded by the results kept for those; callers ask the last
  /// values first.
  bool isRead(Value value) {
    if (inputs.contains(value))
      return true;
    auto [known, isNew] = read.try_emplace(value, false);
    if (!isNew)
      return known->second;
    bool result = llvm::any_of(value.getUsers(), [&](Operation *user) {
      return carries(user) && isRead(user->getResult(0));
    });
    return read[value] = result;
  }

  llvm::SmallSetVector<Value, 16> inputs;

private:
  DenseMap<Value, bool> read;
};
} // namespace

llvm::MapVector<Value, Value> nn::findQuantizedValues(ArrayRef<ProductRegion> regions) {
  Search search(regions);
  llvm::MapVector<Value, Value> values;
  SmallVector<Value> outputs;
  for (const ProductRegion &region : llvm::reverse(regions))
    if (search.isRead(region.output))
      outputs.push_back(region.output);
  for (const ProductRegion &region : regions)
    values.insert({region.input, region.input});
  for (Value output : llvm::reverse(outputs))
    values.insert({output, output});

  for (Value output : outputs)
    for (Operation *user : output.getUsers())
      if (isa<ConcatOp>(user) && search.isRead(user->getResult(0)))
        values.insert({user->getResult(0), user->getResult(0)});

  // Operands of a concatenation are quantized alike, and so is what only was moved.
  auto findSource = [&](Value value) {
    for (Value last; value != last;) {
      last = value;
      Operation *op = value.getDefiningOp();
      if (op && keepsElements(op) && values.contains(op->getOperand(0)))
        value = op->getOperand(0);
      else if (value.hasOneUse() && isa<ConcatOp>(*value.user_begin()) &&
               values.contains(value.user_begin()->getResult(0)))
        value = value.user_begin()->getResult(0);
    }
    return value;
  };
  for (auto &[value, source] : values)
    source = findSource(value);
  return values;
}
