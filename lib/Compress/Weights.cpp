//===- Weights.cpp - fewer and fewer distinct weights ---------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// In passes, each of which makes more weights 0, a layer's weights are fitted anew: its inputs
// in the model as it is by now (the student) are to give what those in the model as it was (the
// teacher) give with the weights that it had there. So each layer also makes up for what the
// layers before it lost. No labels are needed.
//
//===----------------------------------------------------------------------===//

#include "Measure.h"
#include "Moments.h"
#include "Rounding.h"
#include "nn/Kernels/Templates.h"
#include "nn/Support/Constants.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::nn;

/// Passes that make weights 0, and what is added to the moments, as a part of their mean.
static constexpr int kPasses = 6;
static constexpr double kDamping = 0.01;

namespace {

/// A region whose weights are changed, as a matrix of depth x columns.
struct Layer {
  ProductRegion *region;
  int64_t depth = 0, columns = 0;
  Matrix original, weights;
  std::vector<double> bias;         // empty: none
  std::vector<double> originalBias; // that of the teacher
  std::vector<char> isKept;         // of each weight
  /// What Y loses if it alone becomes 0, relative to the size of Y.
  std::vector<float> losses;

  /// Rows for each channel of the input, which are next to each other.
  int64_t getTaps() const {
    return depth / cast<RankedTensorType>(region->input.getType()).getDimSize(region->inputAxis);
  }
  bool keeps(int64_t row, int64_t column) const { return isKept[row * columns + column]; }
};

class Refiner {
public:
  Refiner(ModuleOp module, MutableArrayRef<ProductRegion> regions, Samples &samples,
          const WeightOptions &options, int threads)
      : builder(module.getContext()), module(module), regions(regions), samples(samples),
        options(options), threads(threads) {}

  llvm::Error refine();

private:
  void addLayer(ProductRegion &region);
  /// The model as it is by now, which gives what the layers read.
  llvm::Expected<Probe> probeInputs();
  llvm::Expected<std::vector<Moments>> observe(Probe &teacher);
  llvm::Error fit(Probe &teacher, std::optional<double> sparsity, bool clusters);
  /// Rounds all layers to integers that make up for each other.
  llvm::Error round(Probe &teacher);
  void choose(double sparsity);
  void chooseOfFour(Layer &layer, int64_t removed);
  void fitBias(Layer &layer, const Moments &moments);
  /// Writes the weights, or those that `rounded` has, and the bias into the module.
  void store(Layer &layer, const RoundedWeights *rounded = nullptr);

  OpBuilder builder;
  ModuleOp module;
  MutableArrayRef<ProductRegion> regions;
  Samples &samples;
  const WeightOptions &options;
  int threads;
  std::vector<Layer> layers;
};

} // namespace

llvm::Expected<Probe> Refiner::probeInputs() {
  SmallVector<Value> inputs;
  for (Layer &layer : layers)
    inputs.push_back(layer.region->input);
  return Probe::make(module, inputs, threads);
}

llvm::Expected<std::vector<Moments>> Refiner::observe(Probe &teacher) {
  llvm::Expected<Probe> student = probeInputs();
  if (!student)
    return student.takeError();
  std::vector<Moments> moments;
  for (Layer &layer : layers)
    moments.emplace_back(layer.depth);
  for (size_t i = 0; i < samples.size(); ++i) {
    if (llvm::all_of(moments, [](const Moments &each) { return each.isEnough(); }))
      break;
    llvm::Expected<HostTensors> arguments = samples.get(i);
    if (!arguments)
      return arguments.takeError();
    llvm::Expected<HostTensors> own = student->run(*arguments);
    if (!own)
      return llvm::createStringError(samples.describe(i) + ": " +
                                     llvm::toString(own.takeError()));
    llvm::Expected<HostTensors> old = teacher.run(*arguments);
    if (!old)
      return old.takeError();
    for (auto [layer, sums, x, t] : llvm::zip_equal(layers, moments, *own, *old))
      forEachRow(*layer.region, layer.depth, x, t, [&, &sums = sums](const float *x,
                                                                     const float *t) {
        if (!sums.isEnough())
          sums.add(x, t);
        return !sums.isEnough();
      });
  }
  for (auto [layer, sums] : llvm::zip_equal(layers, moments))
    if (!sums.finish(/*centers=*/!layer.bias.empty()))
      return llvm::createStringError(
          "on these samples the input of '" + layer.region->name +
          "' has elements that are NaN, infinite or too large, for which weights cannot be "
          "fitted; leave such samples out");
  return moments;
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

/// Where a weight of the matrix lies in its tensor.
static int64_t getIndex(const Layer &layer, int64_t row, int64_t column) {
  return layer.region->weightAxis == 0 ? column * layer.depth + row
                                       : row * layer.columns + column;
}

void Refiner::addLayer(ProductRegion &region) {
  auto conv = dyn_cast<ConvOp>(region.anchor);
  FailureOr<HostTensor> weights = readWeights(region);
  if (failed(weights) || weights->getNumElements() == 0 || (conv && conv.getGroup() != 1))
    return;
  // Sizes that depend on the input's would have to be found out again.
  if (conv && conv.getAutoPad() != AutoPad::NotSet)
    return;
  Layer layer;
  layer.region = &region;
  layer.columns = weights->getDim(region.weightAxis);
  layer.depth = weights->getNumElements() / layer.columns;
  layer.weights = Matrix(layer.depth, layer.columns);
  for (int64_t k = 0; k < layer.depth; ++k)
    for (int64_t n = 0; n < layer.columns; ++n)
      layer.weights[k][n] = weights->getDouble(getIndex(layer, k, n));
  layer.original = layer.weights;
  layer.isKept.assign(layer.depth * layer.columns, 1);
  for (auto [kept, weight] : llvm::zip_equal(layer.isKept, layer.weights.elements))
    kept = weight != 0 || options.sparsity > 0;
  if (region.bias) {
    FailureOr<HostTensor> bias = readConstant(region.bias->get());
    if (succeeded(bias))
      for (int64_t n = 0; n < layer.columns; ++n)
        layer.bias.push_back(bias->getDouble(n));
  } else if (conv && !conv.getBias()) {
    layer.bias.assign(layer.columns, 0);
  }
  layer.originalBias = layer.bias;
  layers.push_back(std::move(layer));
}

void Refiner::store(Layer &layer, const RoundedWeights *rounded) {
  ProductRegion &region = *layer.region;
  auto shape = llvm::to_vector(cast<RankedTensorType>(region.weight.getType()).getShape());
  if (auto matmul = dyn_cast<MatMulOp>(region.anchor); matmul && rounded) {
    // In ONNX nothing may be between integers and their product.
    matmul.setTransposeRhs(false);
    region.weightAxis = 1;
    shape = {layer.depth, layer.columns};
  }
  const Matrix &matrix = rounded ? rounded->integers : layer.weights;
  HostTensor weights = HostTensor::allocate(
      !rounded ? DataType::Float32 : rounded->isInt4() ? DataType::Int4 : DataType::Int8, shape);
  for (int64_t k = 0; k < layer.depth; ++k)
    for (int64_t n = 0; n < layer.columns; ++n)
      weights.setDouble(getIndex(layer, k, n), matrix[k][n]);
  Location loc = region.weight.getLoc();
  builder.setInsertionPoint(region.anchor);
  Operation *old = region.weight.getDefiningOp();
  region.weight =
      ConstantOp::create(builder, loc, makeConstantAttr(module.getContext(), weights));
  if (rounded)
    region.weight = dequantize(builder, loc, region, *rounded);
  region.anchor->setOperand(1, region.weight);
  if (old->use_empty())
    old->erase();
  if (layer.bias.empty())
    return;
  HostTensor bias = HostTensor::allocate(DataType::Float32, {layer.columns});
  for (int64_t n = 0; n < layer.columns; ++n)
    bias.setDouble(n, layer.bias[n]);
  Value value = ConstantOp::create(builder, region.bias ? region.bias->get().getLoc() : loc,
                                   makeConstantAttr(module.getContext(), bias));
  if (region.bias) {
    region.bias->set(value);
  } else {
    cast<ConvOp>(region.anchor).getBiasMutable().assign(value);
    region.bias = &cast<ConvOp>(region.anchor).getBiasMutable()[0];
  }
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

/// Removes so many of four channels, for each result channel and tap. Of what is left of fewer than
/// four, all stay.
void Refiner::chooseOfFour(Layer &layer, int64_t removed) {
  constexpr int64_t kGroup = 4;
  int64_t taps = layer.getTaps();
  for (int64_t first = 0; first + kGroup * taps <= layer.depth; first += kGroup * taps)
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t n = 0; n < layer.columns; ++n) {
        std::array<int64_t, kGroup> group;
        for (int64_t i = 0; i < kGroup; ++i)
          group[i] = (first + i * taps + tap) * layer.columns + n;
        llvm::stable_sort(group, [&](int64_t a, int64_t b) {
          return layer.losses[a] < layer.losses[b];
        });
        for (int64_t i : ArrayRef(group).take_front(removed))
          layer.isKept[i] = false;
      }
}

/// Keeps the weights, or sets of them, whose loss would be largest, over all layers.
void Refiner::choose(double sparsity) {
  if (options.pattern == SparsityPattern::TwoOfFour) {
    for (Layer &layer : layers)
      chooseOfFour(layer, sparsity < 0.5 ? 1 : 2);
    return;
  }
  bool areChannels = options.pattern == SparsityPattern::Channels,
       areFours = options.pattern == SparsityPattern::FourBlocks,
       areBlocks = options.pattern == SparsityPattern::Blocks || areFours;
  struct Unit {
    float loss;
    int64_t weights;
  };
  std::vector<Unit> units;
  int64_t total = 0;
  // `rows` sets of `count` neighbouring weights, `stride` apart.
  struct Set {
    int64_t first, count, rows = 1, stride = 0;
    int64_t getWeights() const { return count * rows; }
  };
  auto forEachUnit = [&](Layer &layer, auto visit) {
    int64_t taps = layer.getTaps();
    if (areChannels) {
      int64_t size = taps * layer.columns;
      for (int64_t first = 0; first < layer.depth * layer.columns; first += size)
        visit(Set{first, size});
      return;
    }
    int64_t step = areBlocks ? kBlockColumns : 1, together = areFours ? kBlockBytes : 1;
    int64_t channels = layer.depth / taps;
    for (int64_t c = 0; c < channels; c += together)
      for (int64_t tap = 0; tap < taps; ++tap)
        for (int64_t n = 0; n < layer.columns; n += step)
          visit(Set{(c * taps + tap) * layer.columns + n, std::min(step, layer.columns - n),
                    std::min(together, channels - c), taps * layer.columns});
  };
  auto getLoss = [](const Layer &layer, const Set &set) {
    float loss = 0;
    for (int64_t row = 0; row < set.rows; ++row) {
      auto begin = layer.losses.begin() + set.first + row * set.stride;
      loss = std::accumulate(begin, begin + set.count, loss);
    }
    return loss;
  };
  // A channel goes if all layers that read it do without.
  llvm::DenseMap<Value, std::vector<std::pair<float, int64_t>>> shared;
  if (areChannels)
    for (Layer &layer : layers)
      forEachUnit(layer, [&](const Set &set) {
        auto &list = shared[layer.region->input];
        int64_t channel = set.first / set.count;
        list.resize(std::max<size_t>(list.size(), channel + 1));
        list[channel].first += getLoss(layer, set);
        list[channel].second += set.count;
      });
  auto getMean = [&](const Layer &layer, const Set &set) {
    if (!areChannels)
      return getLoss(layer, set) / float(set.getWeights());
    auto [loss, weights] = shared[layer.region->input][set.first / set.count];
    return loss / float(weights);
  };
  for (Layer &layer : layers) {
    total += layer.depth * layer.columns;
    forEachUnit(layer, [&](const Set &set) {
      units.push_back({getMean(layer, set), set.getWeights()});
    });
  }
  llvm::sort(units, [](const Unit &a, const Unit &b) { return a.loss < b.loss; });
  auto removed = int64_t(std::llround(sparsity * double(total)));
  float limit = -1;
  for (const Unit &unit : units) {
    removed -= unit.weights;
    if (removed < 0)
      break;
    limit = unit.loss;
  }
  for (Layer &layer : layers)
    forEachUnit(layer, [&](const Set &set) {
      bool isKept = getMean(layer, set) > limit;
      for (int64_t row = 0; row < set.rows; ++row)
        for (int64_t i = 0; i < set.count; ++i)
          layer.isKept[set.first + row * set.stride + i] &= isKept;
    });
}

/// Decides for 0 where a layer does not keep a weight.
static auto prune(const Layer &layer) {
  return [&layer](int64_t row, int64_t column, double value) {
    return layer.keeps(row, column) ? value : 0;
  };
}

/// The mean of (t'W - mean)^2 over columns.
static double getSize(const Layer &layer, const Moments &moments) {
  // The student's inputs stand for the teacher's.
  Matrix product = multiply(moments.own, layer.original);
  double size = 0;
  for (size_t i = 0; i < product.elements.size(); ++i)
    size += product.elements[i] * layer.original.elements[i];
  return std::max(size, 1e-30);
}

/// A pass over all layers. `sparsity`: the part of the weights that is 0 after it.
llvm::Error Refiner::fit(Probe &teacher, std::optional<double> sparsity, bool clusters) {
  llvm::Expected<std::vector<Moments>> observed = observe(teacher);
  if (!observed)
    return observed.takeError();
  std::vector<InverseMoments> inverses;
  for (auto [layer, moments] : llvm::zip_equal(layers, *observed)) {
    inverses.emplace_back(moments.own, kDamping);
    const InverseMoments &inverse = inverses.back();
    // inv(H) (x t' W + damping W): W stays where the inputs say nothing.
    Matrix wanted = multiply(moments.cross, layer.original);
    for (size_t i = 0; i < wanted.elements.size(); ++i)
      wanted.elements[i] += inverse.getDamping() * layer.weights.elements[i];
    layer.weights = inverse.apply(wanted);
    if (!sparsity)
      continue;
    Matrix fitted = inverse.decide(layer.weights, prune(layer));
    std::vector<double> diagonal = inverse.getDiagonal();
    double size = getSize(layer, moments);
    layer.losses.resize(fitted.elements.size());
    for (size_t i = 0; i < fitted.elements.size(); ++i) {
      double value = fitted.elements[i];
      layer.losses[i] = float(value * value / diagonal[i / layer.columns] / size);
    }
  }
  if (sparsity)
    choose(*sparsity);
  for (auto [layer, moments, inverse] : llvm::zip_equal(layers, *observed, inverses)) {
    Matrix fitted = inverse.decide(layer.weights, prune(layer));
    if (clusters) {
      std::vector<double> numbers;
      bool hasZeros = false;
      for (auto [kept, value] : llvm::zip_equal(layer.isKept, fitted.elements))
        kept ? numbers.push_back(value) : void(hasZeros = true);
      if (!numbers.empty()) {
        std::vector<double> centers =
            findClusters(std::move(numbers), (int64_t(1) << options.clusterBits) - hasZeros);
        for (double &center : centers)
          center = float(center);
        fitted = inverse.decide(
            layer.weights, [&, &layer = layer](int64_t k, int64_t n, double value) {
              return layer.keeps(k, n) ? findNearest(centers, value) : 0;
            });
      }
    }
    layer.weights = std::move(fitted);
    fitBias(layer, moments);
    store(layer);
  }
  return llvm::Error::success();
}

/// The bias takes what the means of the inputs make of the difference.
void Refiner::fitBias(Layer &layer, const Moments &moments) {
  for (size_t n = 0; n < layer.bias.size(); ++n) {
    layer.bias[n] = layer.originalBias[n];
    for (int64_t k = 0; k < layer.depth; ++k)
      layer.bias[n] += moments.teacherMean[k] * layer.original[k][n] -
                       moments.mean[k] * layer.weights[k][n];
  }
}

llvm::Error Refiner::round(Probe &teacher) {
  llvm::Expected<std::vector<Moments>> observed = observe(teacher);
  if (!observed)
    return observed.takeError();
  for (auto [layer, moments] : llvm::zip_equal(layers, *observed)) {
    int bits = takesInt4(*layer.region) ? options.roundingBits : 8;
    InverseMoments inverse(moments.own, kDamping);
    RoundedWeights rounded = roundWeights(layer.weights, bits, moments.own, inverse);
    layer.weights = rounded.getValues();
    fitBias(layer, moments);
    store(layer, &rounded);
  }
  return llvm::Error::success();
}

llvm::Error Refiner::refine() {
  for (ProductRegion &region : regions)
    addLayer(region);
  if (layers.empty())
    return llvm::Error::success();
  llvm::Expected<Probe> teacher = probeInputs();
  if (!teacher)
    return teacher.takeError();
  if (options.sparsity > 0) {
    // What is left shrinks by the same factor in each pass; the last one only fits.
    // One of four, then two.
    int passes = options.pattern == SparsityPattern::TwoOfFour ? 2 : kPasses;
    for (int pass = 1; pass <= passes; ++pass) {
      double left = std::pow(1 - options.sparsity, double(pass) / passes);
      if (llvm::Error error = fit(*teacher, 1 - left, /*clusters=*/false))
        return error;
    }
    if (llvm::Error error = fit(*teacher, std::nullopt, /*clusters=*/false))
      return error;
  }
  if (options.clusterBits > 0)
    return fit(*teacher, std::nullopt, /*clusters=*/true);
  if (options.roundingBits > 0)
    return round(*teacher);
  return llvm::Error::success();
}

llvm::Error nn::refineWeights(ModuleOp module, MutableArrayRef<ProductRegion> regions,
                              Samples &samples, const WeightOptions &options, int threads) {
  return Refiner(module, regions, samples, options, threads).refine();
}

std::vector<WeightStatistics> nn::describeWeights(ArrayRef<ProductRegion> regions) {
  constexpr size_t kMostValues = 256;
  std::vector<WeightStatistics> list;
  for (const ProductRegion &region : regions) {
    FailureOr<HostTensor> tensor = readWeights(region);
    if (failed(tensor) || tensor->getType() != DataType::Float32)
      continue;
    WeightStatistics entry{region.name, tensor->getNumElements()};
    std::map<float, int64_t> counts;
    for (float weight : tensor->get<float>()) {
      entry.kept += weight != 0;
      if (counts.size() <= kMostValues)
        ++counts[weight];
    }
    entry.values = counts.size();
    if (counts.size() <= kMostValues) {
      entry.bits = 0;
      for (auto [value, count] : counts) {
        double part = double(count) / double(entry.weights);
        entry.bits -= part * std::log2(part);
      }
    }
    list.push_back(entry);
  }
  return list;
}
