//===- Signal.cpp - Fourier transforms, by the runtime's kernels ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The kernels check most of what is known only at run time.
//
//===----------------------------------------------------------------------===//

#include "TensorEmitter.h"

using namespace mlir;
using namespace mlir::nn;

/// A length, which is checked, or 0 if there is none.
static Value orZero(TensorEmitter &e, Value length, StringRef name) {
  if (!length)
    return e.filled({}, e.rewriter.getI64Type(), 0);
  Size entry = e.getEntry(length, 0);
  if (!TensorEmitter::getConstant(entry)) {
    Value isPositive =
        arith::CmpIOp::create(e.rewriter, e.location, arith::CmpIPredicate::sge,
                              e.asValue(entry), e.asValue(e.size(1)));
    e.check(isPositive, name + " is not positive");
  }
  return length;
}

namespace {
struct LowerDFT : LinalgPattern<DFTOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(DFTOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value input = op.getInput();
    int64_t axis = normalizeAxis(op.getAxis(), sizes->size());
    return e.replace(e.callRuntime(
        rt::RuntimeKernel::DFT, {input, orZero(e, op.getDftLength(), "dft_length")},
        {e.empty(*sizes, TensorEmitter::getElement(input))},
        {axis, op.getInverse(), op.getOnesided()}));
  }
};

struct LowerSTFT : LinalgPattern<STFTOp> {
  using LinalgPattern::LinalgPattern;

  LogicalResult lower(STFTOp op, TensorEmitter &e) const override {
    FailureOr<Sizes> sizes = e.getResultDims();
    if (failed(sizes))
      return failure();
    Value signal = op.getSignal(), window = op.getWindow();
    Type element = TensorEmitter::getElement(signal);
    if (!window)
      window = e.filled({}, element, 0);
    return e.replace(e.callRuntime(
        rt::RuntimeKernel::STFT,
        {signal, op.getFrameStep(), window,
         orZero(e, op.getFrameLength(), "frame_length")},
        {e.empty(*sizes, element)}, {}));
  }
};
} // namespace

void nn::populateSignalToLinalg(RewritePatternSet &patterns, SymbolicDims &symbols) {
  patterns.add<LowerDFT, LowerSTFT>(patterns.getContext(), symbols);
}
