//===- NNSignalOps.cpp - discrete Fourier transforms ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType getTensorType(Value tensor) {
  return cast<RankedTensorType>(tensor.getType());
}

// dft_c1, stft_c1
static LogicalResult checkParts(ShapeEnv &env, Value signal) {
  RankedTensorType type = getTensorType(signal);
  int64_t parts = type.getRank() < 2 ? 0 : type.getShape().back();
  return parts == 1 || parts == 2
             ? success()
             : env.fail("the last dimension must be 1 (real) or 2 (complex)");
}

/// The element of a scalar that must be positive. What is known only at run time is
/// checked before it is used, and is 1 here if it is less: sizes are divided by it.
static FailureOr<Dim> getPositive(ShapeEnv &env, Value scalar, StringRef name) {
  Contents contents = env.getContents(scalar);
  if (!contents)
    return env.fresh();
  Dim value = contents->front();
  if (std::optional<int64_t> known = getConstant(value)) {
    if (*known < 1)
      return env.fail(name + " is " + Twine(*known) + ", not positive");
    return value;
  }
  return env.max(value, env.constant(1));
}

static Dim getFrequencies(ShapeEnv &env, Dim length, bool isOneSided) {
  return isOneSided ? length.floorDiv(2) + 1 : length;
}

LogicalResult DFTOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                 SmallVectorImpl<InferredTensor> &results) {
  if (failed(checkParts(env, adaptor.getInput())))
    return failure();
  Dims dims = env.getDims(adaptor.getInput());
  // dft_c2
  FailureOr<int64_t> axis = shapes::normalizeAxis(env, adaptor.getAxis(), dims.size());
  if (failed(axis))
    return failure();
  if (*axis == int64_t(dims.size()) - 1)
    return env.fail("the axis is the dimension of real and imaginary parts");
  bool isRealResult = adaptor.getInverse() && adaptor.getOnesided();
  // dft_c3
  Dim length = isRealResult ? (dims[*axis] - 1) * 2 : dims[*axis];
  if (Value given = adaptor.getDftLength()) {
    FailureOr<Dim> positive = getPositive(env, given, "dft_length");
    if (failed(positive))
      return failure();
    length = *positive;
  }
  dims[*axis] = getFrequencies(env, length, adaptor.getOnesided() && !adaptor.getInverse());
  dims.back() = env.constant(isRealResult ? 1 : 2);
  results.push_back({dims, getTensorType(adaptor.getInput()).getElementType()});
  return success();
}

LogicalResult STFTOp::inferShapes(ShapeEnv &env, Adaptor adaptor,
                                  SmallVectorImpl<InferredTensor> &results) {
  RankedTensorType signal = getTensorType(adaptor.getSignal());
  // stft_c1
  if (signal.getRank() != 3)
    return env.fail("the signal must have rank 3");
  if (failed(checkParts(env, adaptor.getSignal())))
    return failure();
  // stft_c2
  Value window = adaptor.getWindow(), frameLength = adaptor.getFrameLength();
  if (!window && !frameLength)
    return env.fail("a window or a frame length must be given");
  Dim width, length;
  if (window) {
    if (getTensorType(window).getRank() != 1 ||
        getTensorType(window).getElementType() != signal.getElementType())
      return env.fail("the window must have rank 1 and the signal's element type");
    width = length = env.getDims(window)[0];
  }
  // stft_c3
  FailureOr<Dim> step = getPositive(env, adaptor.getFrameStep(), "frame_step");
  if (failed(step))
    return failure();
  if (frameLength) {
    FailureOr<Dim> positive = getPositive(env, frameLength, "frame_length");
    if (failed(positive))
      return failure();
    length = *positive;
  }
  Dims dims = env.getDims(adaptor.getSignal());
  std::optional<int64_t> knownWidth = width ? getConstant(width) : std::nullopt,
                         known = getConstant(length), size = getConstant(dims[1]);
  if (known && *known < 1)
    return env.fail("the window is empty");
  if (known && knownWidth && known != knownWidth)
    return env.fail("the window has " + Twine(*knownWidth) +
                    " elements, the frame length is " + Twine(*known));
  if (known && size && *size < *known)
    return env.fail("the signal has " + Twine(*size) + " elements, fewer than a frame of " +
                    Twine(*known));
  Dim frames = env.max((dims[1] - length).floorDiv(*step) + 1, env.constant(0));
  results.push_back({{dims[0], frames, getFrequencies(env, length, adaptor.getOnesided()),
                      env.constant(2)},
                     signal.getElementType()});
  return success();
}
