//===- Conv.cpp - convolutions --------------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Formulas.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

namespace {
/// A convolution connects positions of a large image (the input of a convolution, or
/// the result of a transposed one) with positions of a small one through weights. In a
/// run along the last spatial dimension, position `small + i` is connected with `large
/// + i * stride`, i < count.
struct Run {
  int64_t large, small, count;
};
} // namespace

/// All runs that one position of the kernel connects.
static std::vector<Run> getRuns(const Window &window,
                                ArrayRef<int64_t> kernel) {
  int64_t last = window.getRank() - 1;
  Shape largeStrides = getStrides(window.input);
  Shape smallStrides = getStrides(window.output);
  // The positions of the last dimension that are not in the padding.
  int64_t low = 0, high = window.output[last];
  while (low < high && window.getInput(last, low, kernel[last]) < 0)
    ++low;
  while (low < high &&
         window.getInput(last, high - 1, kernel[last]) >= window.input[last])
    --high;
  std::vector<Run> runs;
  if (low == high)
    return runs;
  forEachIndex(ArrayRef(window.output).drop_back(), [&](ArrayRef<int64_t> row) {
    Run run{window.getInput(last, low, kernel[last]), low, high - low};
    for (int64_t d = 0; d < last; ++d) {
      int64_t at = window.getInput(d, row[d], kernel[d]);
      if (at < 0 || at >= window.input[d])
        return;
      run.large += at * largeStrides[d];
      run.small += row[d] * smallStrides[d];
    }
    runs.push_back(run);
  });
  return runs;
}

/// Calls `multiply(factor, large, small)` for each weight and the two elements that
/// it connects, for one image after the other. `weight` is small maps x large maps of
/// a group x kernel.
template <typename Multiply>
static void forEachProduct(const HostTensor &weight, const Window &window,
                           int64_t batch, int64_t groups, Multiply multiply) {
  int64_t smallMaps = weight.getDim(0), groupLarge = weight.getDim(1);
  int64_t groupSmall = smallMaps / groups, largeMaps = groupLarge * groups;
  int64_t largeArea = product(window.input), smallArea = product(window.output);
  int64_t kernelArea = product(window.kernel), stride = window.strides.back();
  Doubles w = readDoubles(weight);
  int64_t k = 0;
  forEachIndex(window.kernel, [&](ArrayRef<int64_t> kernel) {
    std::vector<Run> runs = getRuns(window, kernel);
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t s = 0; s < smallMaps; ++s)
        for (int64_t l = 0; l < groupLarge; ++l) {
          int64_t map = s / groupSmall * groupLarge + l;
          int64_t large = (n * largeMaps + map) * largeArea;
          int64_t small = (n * smallMaps + s) * smallArea;
          double factor = w[(s * groupLarge + l) * kernelArea + k];
          for (const Run &run : runs)
            for (int64_t i = 0; i < run.count; ++i)
              multiply(factor, large + run.large + i * stride, small + run.small + i);
        }
    ++k;
  });
}

Doubles interpreter::convolve(const HostTensor &input, const HostTensor &weight,
                              const Window &window, int64_t groups,
                              int64_t zeroPoint) {
  Doubles x = readDoubles(input);
  for (double &value : x)
    value -= zeroPoint;
  Doubles result(input.getDim(0) * weight.getDim(0) * product(window.output));
  const double *from = x.data();
  double *to = result.data();
  forEachProduct(weight, window, input.getDim(0), groups,
                 [=](double factor, int64_t large, int64_t small) {
                   to[small] += factor * from[large];
                 });
  return result;
}

Doubles interpreter::convolveTransposed(const HostTensor &input,
                                        const HostTensor &weight,
                                        const Window &window, int64_t groups) {
  Doubles x = readDoubles(input);
  Doubles result(input.getDim(0) * weight.getDim(1) * groups * product(window.input));
  const double *from = x.data();
  double *to = result.data();
  forEachProduct(weight, window, input.getDim(0), groups,
                 [=](double factor, int64_t large, int64_t small) {
                   to[large] += factor * from[small];
                 });
  return result;
}

static HostTensor addBias(Doubles values, ArrayRef<int64_t> dims,
                          const HostTensor &bias, DataType type) {
  if (bias.isValid()) {
    int64_t area = product(dims.drop_front(2));
    for (int64_t i = 0, e = dims[0] * dims[1]; i < e; ++i)
      for (int64_t j = 0; j < area; ++j)
        values[i * area + j] += bias.getDouble(i % dims[1]);
  }
  return makeTensor(type, dims, values);
}

static LogicalResult conv(ConvOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  const HostTensor &weight = call[op.getWeight()], &bias = call[op.getBias()];
  int64_t batch = input.getDim(0), channels = input.getDim(1);
  int64_t maps = weight.getDim(0), group = op.getGroup();
  int64_t groupChannels = weight.getDim(1);
  if (channels != group * groupChannels || maps % group != 0)
    return call.fail("input " + formatDims(input.getDims()) + " and weight " +
                     formatDims(weight.getDims()) + " do not fit in " +
                     Twine(group) + " groups");
  if (bias.isValid() && bias.getNumElements() != maps)
    return call.fail("the bias has " + Twine(bias.getNumElements()) +
                     " elements for " + Twine(maps) + " channels");
  FailureOr<Window> window =
      makeWindow(call, input.getDims().drop_front(2),
                 weight.getDims().drop_front(2), op.getStrides(),
                 op.getDilations(), op.getPads(), op.getAutoPad(), false);
  if (failed(window))
    return failure();

  Shape dims{batch, maps};
  dims.append(window->output);
  Doubles y = convolve(input, weight, *window, group, op.getInputZeroPoint());
  return call.give(
      writeSpatial(op, addBias(std::move(y), dims, bias, call.getResultType())));
}

/// The window whose input is the result of the transposed convolution, and
/// whose output is its input.
static FailureOr<Window> makeTransposedWindow(ConvTransposeOp op, Call &call,
                                              ArrayRef<int64_t> sizes,
                                              ArrayRef<int64_t> kernel) {
  size_t rank = sizes.size();
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides.assign(op.getStrides().begin(), op.getStrides().end());
  window.dilations.assign(op.getDilations().begin(), op.getDilations().end());
  window.strides.resize(rank, 1);
  window.dilations.resize(rank, 1);
  window.begins.assign(rank, 0);
  window.ends.assign(rank, 0);
  window.output.assign(sizes.begin(), sizes.end());
  AutoPad autoPad = op.getAutoPad();
  for (size_t d = 0; d < rank; ++d) {
    int64_t extra = op.getOutputPadding().empty() ? 0 : op.getOutputPadding()[d];
    int64_t full = window.strides[d] * (sizes[d] - 1) + extra + window.getExtent(d);
    bool same = autoPad == AutoPad::SameUpper || autoPad == AutoPad::SameLower;
    if (!op.getOutputShape().empty() || same) {
      int64_t size = op.getOutputShape().empty() ? sizes[d] * window.strides[d]
                                                 : op.getOutputShape()[d];
      // If the result is larger than what the input reaches, the rest is at the end.
      int64_t total = std::max<int64_t>(full - size, 0), half = total / 2;
      // ONNX: an odd padding goes to the end only for same_upper.
      window.begins[d] = autoPad == AutoPad::SameUpper ? half : total - half;
      window.ends[d] = full - size - window.begins[d];
    } else if (autoPad == AutoPad::NotSet && !op.getPads().empty()) {
      window.begins[d] = op.getPads()[d];
      window.ends[d] = op.getPads()[rank + d];
    }
    window.input.push_back(full - window.begins[d] - window.ends[d]);
    if (window.input.back() <= 0)
      return call.fail("spatial dimension " + Twine(d) +
                       " of the result has no elements");
  }
  return window;
}

static LogicalResult convTranspose(ConvTransposeOp op, Call &call) {
  HostTensor input = readSpatial(op, call[op.getInput()]);
  const HostTensor &weight = call[op.getWeight()], &bias = call[op.getBias()];
  int64_t batch = input.getDim(0), channels = input.getDim(1);
  int64_t group = op.getGroup(), maps = weight.getDim(1) * group;
  if (weight.getDim(0) != channels || channels % group != 0)
    return call.fail("input " + formatDims(input.getDims()) + " and weight " +
                     formatDims(weight.getDims()) + " do not fit in " +
                     Twine(group) + " groups");
  if (bias.isValid() && bias.getNumElements() != maps)
    return call.fail("the bias has " + Twine(bias.getNumElements()) +
                     " elements for " + Twine(maps) + " channels");
  FailureOr<Window> window =
      makeTransposedWindow(op, call, input.getDims().drop_front(2),
                           weight.getDims().drop_front(2));
  if (failed(window))
    return failure();

  Shape dims{batch, maps};
  dims.append(window->input);
  Doubles y = convolveTransposed(input, weight, *window, group);
  return call.give(
      writeSpatial(op, addBias(std::move(y), dims, bias, input.getType())));
}

void interpreter::registerConv(Registry &registry) {
  registry.add<ConvOp>(conv);
  registry.add<ConvTransposeOp>(convTranspose);
}
