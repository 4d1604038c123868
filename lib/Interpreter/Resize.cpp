//===- Resize.cpp - resampling --------------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// ONNX Resize (version 19). Interpolation is separable: one axis after the
// other is resampled, with a list of weighted input elements for each position
// of the result.
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include <cmath>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

namespace {
struct Tap {
  int64_t index;
  double weight;
};
/// The inputs of a position of the result; without taps, it is outside the region of
/// interest.
using Taps = SmallVector<Tap, 4>;

struct Axis {
  int64_t input, output;
  float scale;
  /// The size of the result before it was rounded.
  float exact;
  /// The region of interest, as parts of the dimension.
  double roiStart = 0, roiEnd = 1;
  /// The scale is the quotient of the sizes.
  bool isBySizes = false;
};
} // namespace

/// The coordinate in the input of position `at` of the result. Division is in
/// f32 as in ONNX Runtime: where scales are rounded numbers, nearest-neighbour
/// results depend on it.
static double getCoordinate(const Axis &axis, int64_t at, StringRef mode) {
  float x = float(at);
  auto unscale = [&](float number) {
    return axis.isBySizes ? number * float(axis.input) / float(axis.output)
                          : number / axis.scale;
  };
  double length = double(axis.scale) * axis.input;
  if (mode == "asymmetric")
    return unscale(x);
  if (mode == "align_corners")
    return axis.output == 1
               ? 0.0
               : double(x) * (axis.input - 1) / (double(axis.exact) - 1);
  if (mode == "pytorch_half_pixel" && axis.output == 1)
    return 0;
  if (mode == "tf_crop_and_resize") {
    double size = axis.input - 1, part = axis.roiEnd - axis.roiStart;
    return axis.output > 1
               ? axis.roiStart * size + x * part * size / (axis.output - 1)
               : 0.5 * (axis.roiStart + axis.roiEnd) * size;
  }
  double halfPixel = unscale(x + 0.5f) - 0.5f;
  if (mode == "half_pixel_symmetric")
    return axis.input / 2.0 * (1 - axis.output / length) + halfPixel;
  return halfPixel;
}

static double linearWeight(double distance) {
  return std::max(0.0, 1 - std::fabs(distance));
}
static double cubicWeight(double distance, double a) {
  double x = std::fabs(distance);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static int64_t roundNearest(double x, StringRef mode) {
  double low = std::floor(x);
  if (mode == "floor")
    return int64_t(low);
  if (mode == "ceil")
    return int64_t(std::ceil(x));
  bool up = mode == "round_prefer_ceil" ? x - low >= 0.5 : x - low > 0.5;
  return int64_t(low) + up;
}

static Taps getTaps(ResizeOp op, const Axis &axis, int64_t at) {
  double x = getCoordinate(axis, at, op.getCoordinateMode());
  if (op.getCoordinateMode() == "tf_crop_and_resize" &&
      (x < 0 || x > axis.input - 1))
    return {};
  Taps taps;
  if (op.getMode() == "nearest") {
    taps.push_back({roundNearest(x, op.getNearestMode()), 1.0});
  } else {
    bool linear = op.getMode() == "linear";
    double a = op.getCubicCoeffA().convertToDouble();
    // Antialiasing widens the filter where the result is smaller.
    double shrink = op.getAntialias() ? std::min(double(axis.scale), 1.0) : 1.0;
    double reach = (linear ? 1 : 2) / shrink, sum = 0;
    for (auto i = int64_t(std::floor(x - reach)) + 1; i < x + reach; ++i) {
      double distance = (i - x) * shrink;
      double weight = linear ? linearWeight(distance) : cubicWeight(distance, a);
      bool outside = i < 0 || i >= axis.input;
      if (weight == 0 || (outside && op.getExcludeOutside()))
        continue;
      taps.push_back({i, weight});
      sum += weight;
    }
    if (op.getAntialias() || op.getExcludeOutside())
      for (Tap &tap : taps)
        tap.weight /= sum;
  }
  for (Tap &tap : taps) // beyond the edges the outermost elements repeat
    tap.index = std::clamp<int64_t>(tap.index, 0, axis.input - 1);
  return taps;
}

/// The scale and output size of each dimension.
static FailureOr<SmallVector<Axis>> getAxes(ResizeOp op, Call &call,
                                            ArrayRef<int64_t> dims) {
  SmallVector<Axis> axes;
  for (int64_t dim : dims)
    axes.push_back({dim, dim, 1.0f, float(dim)});
  Shape which = normalizeAxes(op.getAxes(), dims.size());
  const HostTensor &scales = call[op.getScales()], &sizes = call[op.getSizes()];
  const HostTensor &list = scales.isValid() ? scales : sizes;
  if (list.getNumElements() != int64_t(which.size()))
    return call.fail("scales or sizes have " + Twine(list.getNumElements()) +
                     " elements for " + Twine(which.size()) + " dimensions");
  for (auto [i, d] : llvm::enumerate(which)) {
    Axis &axis = axes[d];
    if (scales.isValid()) {
      axis.scale = float(scales.getDouble(i));
      axis.exact = float(axis.input) * axis.scale;
      axis.output = int64_t(std::floor(axis.exact));
    } else {
      axis.output = sizes.getInt(i);
      axis.exact = float(axis.output);
      axis.scale = float(axis.output) / float(axis.input);
      axis.isBySizes = op.getKeepAspectRatio() == "stretch";
    }
    if (axis.scale <= 0 || axis.output < 0)
      return call.fail("dimension " + Twine(d) + " would get the size " +
                       Twine(axis.output));
  }
  if (sizes.isValid() && op.getKeepAspectRatio() != "stretch") {
    double scale = axes[which.front()].scale;
    for (int64_t d : which) {
      double own = double(axes[d].output) / axes[d].input;
      scale = d == which.front()                         ? own
              : op.getKeepAspectRatio() == "not_larger" ? std::min(scale, own)
                                                         : std::max(scale, own);
    }
    for (int64_t d : which) {
      axes[d].scale = float(scale);
      axes[d].exact = float(scale * axes[d].input);
      axes[d].output = int64_t(std::floor(scale * axes[d].input + 0.5));
    }
  }
  const HostTensor &roi = call[op.getRoi()];
  if (op.getCoordinateMode() == "tf_crop_and_resize") {
    if (!roi.isValid() || roi.getNumElements() != 2 * int64_t(which.size()))
      return call.fail("tf_crop_and_resize needs a roi of " +
                       Twine(2 * which.size()) + " elements");
    for (auto [i, d] : llvm::enumerate(which)) {
      axes[d].roiStart = roi.getDouble(i);
      axes[d].roiEnd = roi.getDouble(which.size() + i);
    }
  }
  return axes;
}

static LogicalResult resize(ResizeOp op, Call &call) {
  if (call.getResultType() == DataType::Bool && op.getMode() != "nearest")
    return call.fail("mode '" + op.getMode() + "' is not defined for bools");
  HostTensor input = readSpatial(op, call[op.getInput()]);
  FailureOr<SmallVector<Axis>> axes = getAxes(op, call, input.getDims());
  if (failed(axes))
    return failure();
  Shape dims(input.getDims());
  Doubles values = readDoubles(input);
  for (auto [d, axis] : llvm::enumerate(*axes)) {
    bool wholeDim = axis.roiStart == 0 && axis.roiEnd == 1;
    if (axis.output == axis.input && axis.scale == 1 && wholeDim)
      continue;
    if (axis.input == 0)
      return call.fail("dimension " + Twine(d) + " is empty");
    int64_t outer = product(ArrayRef(dims).take_front(d));
    int64_t inner = product(ArrayRef(dims).drop_front(d + 1));
    Doubles next(outer * axis.output * inner);
    for (int64_t at = 0; at < axis.output; ++at) {
      Taps taps = getTaps(op, axis, at);
      for (int64_t o = 0; o < outer; ++o)
        for (int64_t i = 0; i < inner; ++i) {
          double sum = taps.empty() ? op.getExtrapolationValue().convertToDouble() : 0;
          for (const Tap &tap : taps)
            sum += tap.weight * values[(o * axis.input + tap.index) * inner + i];
          next[(o * axis.output + at) * inner + i] = sum;
        }
    }
    values = std::move(next);
    dims[d] = axis.output;
  }
  DataType type = input.getType();
  if (!isFloat(type)) // round and saturate
    for (double &value : values) {
      double bits = 8 * getByteSize(type), low = 0;
      if (isSignedInteger(type))
        low = -std::ldexp(1.0, --bits);
      value = std::clamp(std::nearbyint(value), low, std::ldexp(1.0, bits) - 1);
    }
  return call.give(writeSpatial(op, makeTensor(type, dims, values)));
}

void interpreter::registerResize(Registry &registry) {
  registry.add<ResizeOp>(resize);
}
