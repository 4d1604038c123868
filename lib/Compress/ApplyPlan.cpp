//===- ApplyPlan.cpp - quantizes what a plan says -------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Rounding.h"
#include "dialects/NN/IR/NN.h"
#include "mlir/IR/Remarks.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Compress/Passes.h"
#include "nn/Compress/Regions.h"
#include "nn/Support/Constants.h"
#include "nn/Support/HostTensor.h"
#include "nn/Support/UserError.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>

namespace mlir::nn {
#define GEN_PASS_DEF_APPLYPLAN
#include "nn/Compress/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

namespace {
/// Scale and zero point of a tensor of ui8.
struct Parameters {
  float scale = 1;
  int64_t zero = 0;
};

class Applier {
public:
  Applier(ModuleOp module, const CompressionPlan &plan)
      : module(module), plan(plan), builder(module.getContext()) {}

  AppliedPlan apply();

private:
  const TensorStatistics *findStatistics(Value value) const {
    auto found = plan.tensors.find(getTensorName(value));
    return found == plan.tensors.end() ? nullptr : &found->second;
  }
  bool hasRange(const ProductRegion &region) const { return findStatistics(region.input); }
  void miss(Location loc, const std::string &why) {
    remark::missed(loc, remark::RemarkOpts::name("plan").category("nn-apply-plan")) << why;
    applied.problems.push_back(why);
  }
  void quantizeActivations(ArrayRef<ProductRegion> regions);
  void quantizeWeights(const ProductRegion &region);
  void quantizeToInt4(ProductRegion region);
  void quantizeTable(GatherOp gather);
  void correctBias(const ProductRegion &region, ArrayRef<double> errors,
                   const HostTensor *scales);

  Value makeConstant(const HostTensor &tensor, Location loc) {
    return ConstantOp::create(builder, loc, makeConstantAttr(module.getContext(), tensor));
  }

  ModuleOp module;
  const CompressionPlan &plan;
  OpBuilder builder;
  DenseMap<Value, Parameters> parameters;
  AppliedPlan applied;
};
} // namespace

/// 0 is a number of the result, exactly: padding and ReLU need it.
static Parameters getParameters(const TensorStatistics &statistics) {
  double low = std::min(statistics.min, 0.0), high = std::max(statistics.max, 0.0);
  Parameters parameters;
  auto scale = float((high - low) / 255);
  if (!(scale >= std::numeric_limits<float>::min()))
    return parameters; // All that was seen is 0.
  parameters.scale = scale;
  parameters.zero = std::clamp<int64_t>(std::nearbyint(-low / scale), 0, 255);
  return parameters;
}

static HostTensor makeScalar(DataType type, double value) {
  HostTensor tensor = HostTensor::allocate(type, {});
  tensor.setDouble(0, value);
  return tensor;
}

/// Rounds to -127 ... 127, so that a weight and its negative are equally large.
static QuantizedWeights quantize(const HostTensor &weights, int64_t axis) {
  ArrayRef<float> elements = weights.get<float>();
  int64_t channels = weights.getDim(axis), inner = 1;
  for (int64_t dim : weights.getDims().drop_front(axis + 1))
    inner *= dim;
  QuantizedWeights result{HostTensor::allocate(DataType::Int8, weights.getDims()),
                          HostTensor::allocate(DataType::Float32, {channels}),
                          std::vector<double>(elements.size())};
  MutableArrayRef<float> scales = result.scales.getMutable<float>();
  for (size_t i = 0; i < elements.size(); ++i) {
    float &scale = scales[i / inner % channels];
    scale = std::max(scale, std::fabs(elements[i]));
  }
  for (float &scale : scales)
    scale = scale / 127 >= std::numeric_limits<float>::min() ? scale / 127 : 1;
  MutableArrayRef<int8_t> integers = result.integers.getMutable<int8_t>();
  for (size_t i = 0; i < elements.size(); ++i) {
    double scale = scales[i / inner % channels];
    double rounded = std::clamp(std::nearbyint(elements[i] / scale), -127.0, 127.0);
    integers[i] = rounded;
    result.errors[i] = rounded * scale - elements[i];
  }
  return result;
}

static HostTensor transpose(const HostTensor &matrix) {
  int64_t rows = matrix.getDim(0), columns = matrix.getDim(1);
  HostTensor result = HostTensor::allocate(DataType::Int8, {columns, rows});
  ArrayRef<int8_t> from = matrix.get<int8_t>();
  MutableArrayRef<int8_t> to = result.getMutable<int8_t>();
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < columns; ++k)
      to[k * rows + i] = from[i * columns + k];
  return result;
}

/// What the rounding of weights adds to each channel of the result, on the average over
/// inputs of those means.
static std::vector<double> getShift(const ProductRegion &region, ArrayRef<double> errors,
                                    ArrayRef<double> means) {
  ArrayRef<int64_t> dims = cast<RankedTensorType>(region.weight.getType()).getShape();
  int64_t channels = dims[region.weightAxis];
  std::vector<double> shift(channels, 0.0);
  if (auto conv = dyn_cast<ConvOp>(region.anchor)) {
    // M x C/group x window.
    int64_t depth = dims[1], window = errors.size() / (channels * depth),
            perGroup = channels / conv.getGroup();
    if (int64_t(means.size()) != depth * int64_t(conv.getGroup()))
      return {};
    for (size_t i = 0; i < errors.size(); ++i) {
      int64_t channel = i / (depth * window), k = i / window % depth;
      shift[channel] += errors[i] * means[channel / perGroup * depth + k];
    }
    return shift;
  }
  int64_t depth = dims[1 - region.weightAxis];
  if (int64_t(means.size()) != depth)
    return {};
  for (size_t i = 0; i < errors.size(); ++i) {
    int64_t row = i / dims[1], column = i % dims[1];
    shift[region.weightAxis == 0 ? row : column] +=
        errors[i] * means[region.weightAxis == 0 ? column : row];
  }
  return shift;
}

void Applier::quantizeActivations(ArrayRef<ProductRegion> regions) {
  for (auto [value, source] : findQuantizedValues(regions)) {
    const TensorStatistics *statistics = findStatistics(source);
    if (!statistics)
      continue;
    Parameters chosen = parameters[value] = getParameters(*statistics);
    builder.setInsertionPointAfterValue(value);
    Location loc = value.getLoc();
    Value scale = makeConstant(makeScalar(DataType::Float32, chosen.scale), loc),
          zero = makeConstant(makeScalar(DataType::UInt8, chosen.zero), loc);
    auto quantized =
        QuantizeOp::create(builder, loc, value, scale, zero,
                           builder.getIntegerType(8, /*isSigned=*/false), /*axis=*/1,
                           /*block_size=*/0);
    auto result = DequantizeOp::create(builder, loc, quantized, scale, zero, /*axis=*/1,
                                       /*block_size=*/0);
    value.replaceUsesWithIf(result, [&](OpOperand &use) {
      return use.getOwner() != quantized && !isa<func::ReturnOp>(use.getOwner());
    });
    ++applied.activations;
  }
}

/// Takes from the bias what the errors of the weights add to the results on the average, and
/// makes it integers if there are scales of weights.
void Applier::correctBias(const ProductRegion &region, ArrayRef<double> errors,
                          const HostTensor *weightScales) {
  const TensorStatistics *statistics = findStatistics(region.input);
  std::vector<double> shift =
      statistics ? getShift(region, errors, statistics->means) : std::vector<double>();
  auto conv = dyn_cast<ConvOp>(region.anchor);
  // A bias that is not constant stays what it is.
  if (!region.bias && (!conv || conv.getBias() || shift.empty()))
    return;
  std::vector<double> bias(
      cast<RankedTensorType>(region.weight.getType()).getDimSize(region.weightAxis), 0.0);
  if (region.bias) {
    FailureOr<HostTensor> tensor = readConstant(region.bias->get());
    if (failed(tensor))
      return;
    for (size_t i = 0; i < bias.size(); ++i)
      bias[i] = tensor->getDouble(i);
  }
  for (size_t i = 0; i < shift.size(); ++i)
    bias[i] -= shift[i];

  auto size = int64_t(bias.size());
  HostTensor integers = HostTensor::allocate(DataType::Int32, {size}),
             products = HostTensor::allocate(DataType::Float32, {size}),
             floats = HostTensor::allocate(DataType::Float32, {size});
  bool fits = weightScales != nullptr;
  for (int64_t i = 0; i < size; ++i) {
    floats.setDouble(i, bias[i]);
    if (!weightScales)
      continue;
    float scale = parameters[region.input].scale * float(weightScales->getDouble(i));
    double rounded = std::nearbyint(bias[i] / scale);
    fits &= std::abs(rounded) < 1e9 && scale > 0;
    products.setDouble(i, scale);
    integers.setDouble(i, fits ? rounded : 0);
  }
  Location loc = region.bias ? region.bias->get().getLoc() : region.anchor->getLoc();
  builder.setInsertionPoint(region.anchor);
  Value value =
      fits ? Value(DequantizeOp::create(builder, loc, makeConstant(integers, loc),
                                        makeConstant(products, loc), Value(), /*axis=*/0,
                                        /*block_size=*/0))
           : makeConstant(floats, loc);
  if (region.bias)
    region.bias->set(value);
  else
    conv.getBiasMutable().assign(value);
}

void Applier::quantizeWeights(const ProductRegion &region) {
  bool computesInBytes = parameters.contains(region.input);
  if (!computesInBytes && region.weight.getDefiningOp<DequantizeOp>())
    return; // They are stored in few bits already.
  std::optional<QuantizedWeights> stored = getStoredWeights(region);
  FailureOr<HostTensor> tensor = readWeights(region);
  if (failed(tensor))
    return;
  QuantizedWeights weights = stored ? *stored : quantize(*tensor, region.weightAxis);
  Location loc = region.weight.getLoc();
  builder.setInsertionPoint(region.anchor);
  HostTensor integers = weights.integers;
  int64_t axis = region.weightAxis;
  // What stands between weights and their product in ONNX, others take for a computation.
  if (auto matmul = dyn_cast<MatMulOp>(region.anchor); matmul && matmul.getTransposeRhs()) {
    integers = transpose(integers);
    axis = 1;
    matmul.setTransposeRhs(false);
  }
  Value value = DequantizeOp::create(builder, loc, makeConstant(integers, loc),
                                     makeConstant(weights.scales, loc), Value(), axis,
                                     /*block_size=*/0);
  region.anchor->setOperand(1, value);
  correctBias(region, weights.errors, computesInBytes ? &weights.scales : nullptr);
  ++applied.regions;
}

void Applier::quantizeToInt4(ProductRegion region) {
  if (region.weight.getDefiningOp<DequantizeOp>())
    return; // They are stored in few bits already.
  FailureOr<HostTensor> tensor = readWeights(region);
  if (failed(tensor))
    return;
  int64_t columns = tensor->getDim(region.weightAxis),
          depth = tensor->getNumElements() / columns;
  Matrix matrix(depth, columns);
  for (int64_t k = 0; k < depth; ++k)
    for (int64_t n = 0; n < columns; ++n)
      matrix[k][n] =
          tensor->getDouble(region.weightAxis == 0 ? n * depth + k : k * columns + n);
  RoundedWeights rounded = roundToNearest(matrix, 4);
  Matrix values = rounded.getValues();
  HostTensor integers = HostTensor::allocate(DataType::Int4, {depth, columns});
  std::vector<double> errors;
  for (size_t i = 0; i < values.elements.size(); ++i) {
    integers.setDouble(i, rounded.integers.elements[i]);
    errors.push_back(values.elements[i] - matrix.elements[i]);
  }
  cast<MatMulOp>(region.anchor).setTransposeRhs(false);
  region.weightAxis = 1;
  Location loc = region.weight.getLoc();
  builder.setInsertionPoint(region.anchor);
  region.weight = makeConstant(integers, loc);
  region.anchor->setOperand(1, dequantize(builder, loc, region, rounded));
  correctBias(region, errors, nullptr);
  ++applied.regions;
}

/// Looks up rows of 8 bits and their scales, so that the table is never stored in float.
void Applier::quantizeTable(GatherOp gather) {
  FailureOr<HostTensor> tensor = readConstant(gather.getInput());
  if (failed(tensor))
    return;
  QuantizedWeights rows = quantize(*tensor, /*axis=*/0);
  Location loc = gather.getLoc();
  builder.setInsertionPoint(gather);
  auto lookUp = [&](const HostTensor &table) {
    return GatherOp::create(builder, loc, makeConstant(table, gather.getInput().getLoc()),
                            gather.getIndices(), /*axis=*/0);
  };
  Value integers = CastOp::create(builder, loc, lookUp(rows.integers), builder.getF32Type());
  Value scales = lookUp(rows.scales.withDims({tensor->getDim(0), 1}));
  auto result = MulOp::create(builder, loc, integers, scales);
  inheritProvenance(gather, result->getResults());
  gather.replaceAllUsesWith(result.getResult());
  gather.erase();
  ++applied.regions;
}

/// --verify-numeric does not hold the change against the pass.
static void declareApproximation(ModuleOp module, StringRef what) {
  SmallVector<Attribute> list;
  if (auto old = module->getAttrOfType<ArrayAttr>("nn.approximations"))
    llvm::append_range(list, old);
  list.push_back(StringAttr::get(module.getContext(), what));
  module->setAttr("nn.approximations", ArrayAttr::get(module.getContext(), list));
}

AppliedPlan Applier::apply() {
  applied.problems = applyScales(module, plan);
  SmallVector<ProductRegion> regions = findRegions(module), bytes;
  llvm::StringSet<> known;
  for (const ProductRegion &region : regions) {
    known.insert(region.name);
    if (plan.getPrecision(region.name) != Precision::Int8)
      continue;
    if (hasRange(region))
      bytes.push_back(region);
    else
      miss(region.anchor->getLoc(), "'" + region.name +
                                        "' is not quantized: the plan has no range of its "
                                        "input '" + getTensorName(region.input) + "'");
  }
  SmallVector<TableRegion> tables = findTables(module);
  for (const TableRegion &table : tables)
    known.insert(table.name);
  for (const RegionPlan &entry : plan.regions)
    if (!known.contains(entry.tensor))
      miss(module.getLoc(), "the model has no product or lookup '" + entry.tensor +
                                "' with constant weights");
  quantizeActivations(bytes);
  for (const ProductRegion &region : regions) {
    Precision precision = plan.getPrecision(region.name);
    if (precision == Precision::Int8Weights ||
        (precision == Precision::Int8 && hasRange(region)))
      quantizeWeights(region);
    else if (precision == Precision::Int4Weights && takesInt4(region))
      quantizeToInt4(region);
    else if (precision == Precision::Int4Weights)
      miss(region.anchor->getLoc(),
           "'" + region.name + "' cannot have weights of 4 bits, which are for matrix products "
           "of a depth that is a multiple of " + std::to_string(kInt4Block) +
           "; its precision can be int8-weights");
  }
  for (TableRegion &table : tables)
    if (plan.getPrecision(table.name) != Precision::Float)
      quantizeTable(table.gather);
  if (applied.regions > 0)
    declareApproximation(module, "nn-apply-plan");
  return applied;
}

AppliedPlan nn::applyPlan(ModuleOp module, const CompressionPlan &plan) {
  return Applier(module, plan).apply();
}

namespace {
struct ApplyPlan : nn::impl::ApplyPlanBase<ApplyPlan> {
  using ApplyPlanBase::ApplyPlanBase;

  void runOnOperation() override {
    llvm::Expected<CompressionPlan> read = CompressionPlan::read(plan);
    if (!read) {
      emitUserError(getOperation().getLoc()) << llvm::toString(read.takeError());
      return signalPassFailure();
    }
    AppliedPlan applied = applyPlan(getOperation(), *read);
    numRegions += applied.regions;
    numActivations += applied.activations;
  }
};
} // namespace
