//===- ContractionGather.cpp - tiles of any pixels, and transposed convolutions -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Each pixel of a tile has its own address for a tap, that of zeros if it is outside the
// input or behind the last pixel. This serves groups, dilated rows, volumes, and rows too
// large to be copied, where the many products of an output make up for the addresses.
//
// A transposed convolution adds up inputs i and taps k of an output o with
// o + pad = i * stride + k. The outputs whose o + pad has the same remainder, the phase,
// read the same taps, of neighbouring inputs: a phase is a convolution without a stride.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace mlir::nn;

int64_t ContractionKernel::getNumPhases() const {
  int64_t count = 1;
  if (kind == TransposedConvolution)
    for (const WindowAxis &axis : axes)
      count *= axis.stride;
  return count;
}

void ContractionKernel::chooseGatheredPieces() {
  int64_t pixels = knownPixels.value_or(kAssumedRows * kAssumedWidth);
  int64_t most = std::min<int64_t>(getMostPixels(),
                                   llvm::divideCeil(pixels, getFewestPieces()));
  piecePixels = choosePart(pixels, most, tilePixels);
}

Value ContractionKernel::countGatheredPieces() {
  if (kind != TransposedConvolution)
    return site.hostCeilDiv(site.hostResultProduct(0, isFlat ? 0 : 1, rank - 1),
                            piecePixels);
  Value pixels = site.hostIndex(1);
  for (int64_t i = 0; i < rank - 2; ++i)
    pixels = site.hostMul(pixels, site.hostCeilDiv(site.getResultSize(0, 1 + i),
                                                   axes[axes.size() - (rank - 2) + i].stride));
  return site.hostMul(site.hostCeilDiv(pixels, piecePixels),
                      site.hostIndex(getNumPhases()));
}

void ContractionKernel::emitGatheredPiece(Value panel, Value piece) {
  Value pixels = imagePixels, pixelsOfPiece = imagePixels;
  if (kind == TransposedConvolution) {
    // Phases may differ by a row or a column; all have as many pieces as the largest.
    Value most = e().index(1);
    SmallVector<Value> strides;
    for (const WindowAxis &axis : axes) {
      most = e().mul(most, e().ceilDiv(axis.output, e().index(axis.stride)));
      strides.push_back(e().index(axis.stride));
    }
    pixelsOfPiece = most;
    Value phase = e().rem(piece, e().index(getNumPhases()));
    piece = e().div(piece, e().index(getNumPhases()));
    phases.clear();
    pixels = e().index(1);
    for (auto [axis, tap] : llvm::zip(axes, e().delinearize(phase, strides))) {
      phases.push_back(makePhase(axis, tap));
      pixels = e().mul(pixels, phases.back().outputs);
    }
  }
  Value pieces = e().ceilDiv(pixelsOfPiece, e().index(piecePixels));
  image = e().div(piece, pieces);
  Value first = e().mul(e().rem(piece, pieces), piecePixels);
  Value end = e().min(e().add(first, piecePixels), pixels);
  emitPanel(panel, [&] {
    e().loop(first, end, tilePixels, [&](Value tile) { emitGatheredTile(tile, end); });
  });
}

ContractionKernel::Phase ContractionKernel::makePhase(const WindowAxis &axis, Value tap) {
  int64_t stride = axis.stride, pad = axis.padBegin;
  Value step = e().index(stride), zero = e().index(0);
  Value first = e().rem(e().add(tap, (stride - pad % stride) % stride), step);
  Value outputs = e().ceilDiv(e().max(e().sub(axis.output, first), zero), step);
  Value shift = e().div(e().sub(e().add(first, pad), tap), step);
  Value taps = e().ceilDiv(e().max(e().sub(e().index(axis.kernel), tap), zero), step);
  return {tap, taps, first, outputs, shift};
}

void ContractionKernel::emitGatheredTile(Value first, Value end) {
  bool hasPhases = kind == TransposedConvolution;
  SmallVector<Value> sizes;
  for (auto [i, axis] : llvm::enumerate(axes))
    sizes.push_back(hasPhases ? phases[i].outputs : axis.output);
  SmallVector<Pixel> pixels(tilePixels);
  for (auto [i, pixel] : llvm::enumerate(pixels)) {
    Value number = e().add(first, i), output = e().index(0);
    pixel.isBeforeEnd = e().less(number, end);
    for (auto [a, index] : llvm::enumerate(e().delinearize(number, sizes))) {
      const WindowAxis &axis = axes[a];
      if (!hasPhases) {
        pixel.starts.push_back(getWindowStart(e(), axis, index));
        continue;
      }
      pixel.starts.push_back(e().add(phases[a].shift, index));
      Value at = e().add(phases[a].first, e().mul(index, axis.stride));
      output = e().add(e().mul(output, axis.output), at);
    }
    if (hasPhases)
      e().store(output, numbers, e().index(i));
  }
  SmallVector<Position> positions;
  for (Pixel &pixel : pixels)
    positions.push_back({pixel.isBeforeEnd, image});
  SmallVector<Value> sums =
      gatherTaps(0, pixels, positions, e().index(0),
                 makeSums(tilePixels, e().index(0), e().index(taps / width().kernel)));
  Value stored = e().min(e().sub(end, first), e().index(tilePixels));
  storeTile(sums, tilePixels, stored, [&](Value pixel) {
    return hasPhases ? e().load(numbers, pixel, 1) : e().add(first, pixel);
  });
}

Value ContractionKernel::loadStep(Value pointer, Value step, int64_t half) {
  if (!isInteger)
    return e().broadcast(e().load(pointer, e().b.getF32Type(), step), lanes);
  Type type = e().b.getIntegerType(8 * stepElements);
  Value loaded = e().broadcast(e().load(pointer, type, step), lanes);
  Value elements = LLVM::BitcastOp::create(
      e().b, e().loc, e().vector(e().b.getI8Type(), lanes * stepElements), loaded);
  return halves() == 2 ? subtractZeroPoint(widenHalf(elements, half, isSigned(input)))
                       : convertInput(elements);
}

SmallVector<Value> ContractionKernel::gatherTaps(size_t number, ArrayRef<Pixel> pixels,
                                                 ArrayRef<Position> positions, Value tap,
                                                 ValueRange sums) {
  if (number == axes.size()) {
    Array source = site.getInput(input);
    Value outside = e().address(site.getInput(weights), e().index(zeros));
    Value ownChannel = e().mul(group, channels);
    SmallVector<Value> pointers;
    for (const Position &position : positions) {
      Value offset = e().add(e().mul(position.number, channels * groups), ownChannel);
      pointers.push_back(e().pointer(
          e().select(position.isInside, e().address(source, offset), outside)));
    }
    int64_t steps = channels / stepElements;
    return multiply(e().mul(tap, steps), steps, sums, [&](int64_t pixel, Value k, int64_t half) {
      return loadStep(pointers[pixel], k, half);
    });
  }
  const WindowAxis &axis = axes[number];
  bool hasPhases = kind == TransposedConvolution;
  Value low = e().index(0);
  Value high = hasPhases ? phases[number].taps : e().index(axis.kernel);
  // Taps that some pixel of the tile has: indices on the first axis grow.
  if (number == 0 && hasPhases) {
    const Phase &phase = phases[0];
    Value last = e().min(pixels.back().starts[0],
                         e().sub(e().add(phase.shift, phase.outputs), e().index(1)));
    high = e().min(high, e().add(last, 1));
    Value behind = e().sub(pixels.front().starts[0], axis.input);
    low = e().max(low, e().add(behind, 1));
  } else if (number == 0 && axis.isPadded() && !corrections) {
    auto indexOf = [&](const Pixel &pixel) {
      return e().div(e().add(pixel.starts[0], axis.padBegin), e().index(axis.stride));
    };
    Value last = e().min(indexOf(pixels.back()), e().sub(axis.output, e().index(1)));
    low = getTapRange(e(), axis, last).first;
    high = getTapRange(e(), axis, indexOf(pixels.front())).second;
  }
  return e().loop(
      low, high, 1, SmallVector<Value>(sums), [&](Value k, ValueRange carried) {
        SmallVector<Position> next;
        for (auto [pixel, position] : llvm::zip(pixels, positions)) {
          Value at = hasPhases ? e().sub(pixel.starts[number], k)
                               : e().add(pixel.starts[number], e().mul(k, axis.dilation));
          Value isInside = position.isInside;
          if (hasPhases || axis.isPadded())
            isInside = arith::AndIOp::create(e().b, e().loc, isInside,
                                             e().isBelow(at, axis.input));
          next.push_back({isInside, e().add(e().mul(position.number, axis.input), at)});
        }
        Value own = k;
        if (hasPhases)
          own = e().add(phases[number].tap, e().mul(k, axis.stride));
        return gatherTaps(number + 1, pixels, next, e().add(e().mul(tap, axis.kernel), own),
                          carried);
      });
}
