//===- ContractionRows.cpp - tiles that are parts of rows -----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The taps of a row follow each other in memory, as do the channels of a tap, so kw and c
// are one loop. Rows of a padded input are first copied, with their padding, to a small
// buffer. An iteration then computes all panels.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include <numeric>

using namespace mlir;
using namespace mlir::nn;


int64_t ContractionKernel::getCopiedRoom() const {
  // Of floats, gathered tiles are the other way.
  const Thresholds &thresholds = site.getThresholds();
  return isInteger ? thresholds.copiedIntegerBytes / (channels * (hasQuads() ? 1 : 2))
                   : thresholds.copiedFloatBytes / (channels * int64_t(sizeof(float)));
}

/// Pieces of about the same size, of which there are enough for threads.
void ContractionKernel::chooseRowPieces() {
  int64_t most = skipsZeros && !isCopied ? tilePixels : getMostPixels();
  int64_t parts = getFewestPieces();
  int64_t length = knownWidth.value_or(isFlat ? kAssumedRows * kAssumedWidth
                                               : kAssumedWidth);
  int64_t rows = getConstantIntValue(height().output).value_or(kAssumedRows);
  int64_t mostColumns = most;
  if (rows == 1)
    mostColumns = std::min<int64_t>(most, llvm::divideCeil(length, parts));
  // Rows that are computed as a whole end where the last tile does.
  auto chooseColumns = [&](int64_t most) {
    int64_t part = choosePart(length, most, tilePixels);
    return knownWidth && part >= *knownWidth ? std::max<int64_t>(*knownWidth, 1) : part;
  };
  auto chooseRows = [&](int64_t most) {
    return choosePart(rows, std::min<int64_t>(most, llvm::divideCeil(rows, parts)), 1);
  };
  if (!isCopied) {
    pieceColumns = chooseColumns(mostColumns);
    pieceRows = chooseRows(std::max<int64_t>(1, most / pieceColumns));
    return;
  }
  // Neighbouring pieces copy some of the same pixels: the fewest are copied in pieces that
  // are about as high as wide.
  std::optional<double> fewest;
  for (int64_t columns = tilePixels;; columns += tilePixels) {
    int64_t width = chooseColumns(std::min(columns, mostColumns));
    int64_t reach = getCopiedRoom() / this->width().reach(width);
    int64_t fitting = (reach - height().reach(1)) / height().stride + 1;
    if (fewest && reach < height().reach(1))
      return;
    int64_t piece = chooseRows(std::max<int64_t>(
        1, std::min<int64_t>(fitting, llvm::divideCeil(most, width))));
    double copies = double(height().reach(piece) * this->width().reach(width)) *
                    llvm::divideCeil(rows, piece) * llvm::divideCeil(length, width);
    if (!fewest || copies <= *fewest)
      std::tie(fewest, pieceColumns, pieceRows) = std::tuple(copies, width, piece);
    if (columns >= std::min(length, mostColumns))
      return;
  }
}

void ContractionKernel::emitRowPiece(Value panel, Value piece) {
  auto piecesOf = [&](const WindowAxis &axis, int64_t size) {
    return e().ceilDiv(axis.output, e().index(size));
  };
  SmallVector<Value> indices =
      e().delinearize(piece, {Value(), piecesOf(height(), pieceRows),
                              piecesOf(width(), pieceColumns)});
  image = isFlat ? e().index(0) : indices[0];
  Value firstRow = e().mul(indices[1], pieceRows);
  Value endRow = e().min(e().add(firstRow, pieceRows), height().output);
  Value firstColumn = e().mul(indices[2], pieceColumns);
  Value endColumn = e().min(e().add(firstColumn, pieceColumns), width().output);
  auto emitPiece = [&] {
    e().loop(firstRow, endRow, 1,
             [&](Value row) { emitRow(row, firstColumn, endColumn); });
  };
  if (!isCopied)
    return emitPanel(panel, emitPiece);
  copyRows(firstRow, endRow, firstColumn);
  e().loop(e().index(0), e().index(panels), 1,
           [&](Value number) { emitPanel(number, emitPiece); });
}

Value ContractionKernel::countRowPieces() {
  Value pixels = isFlat ? site.hostResultProduct(0, 0, rank - 1)
                        : site.getResultSize(0, rank - 2);
  Value rows = rank == 4 && !isFlat ? site.getResultSize(0, 1) : site.hostIndex(1);
  return site.hostMul(site.hostCeilDiv(pixels, pieceColumns),
                      site.hostCeilDiv(rows, pieceRows));
}

void ContractionKernel::copyRows(Value firstRow, Value endRow, Value firstColumn) {
  Array source = site.getInput(input);
  int64_t reach = width().reach(pieceColumns);
  firstCopiedRow = getWindowStart(e(), height(), firstRow);
  firstCopiedColumn = getWindowStart(e(), width(), firstColumn);
  Value last = getWindowStart(e(), height(), e().sub(endRow, e().index(1)));
  Value bottom = e().min(height().input, e().add(last, height().reach(1)));
  // Columns before, in and behind the input.
  Value before = e().min(e().max(e().sub(e().index(0), firstCopiedColumn), e().index(0)),
                         e().index(reach));
  Value end = e().min(e().sub(width().input, firstCopiedColumn), e().index(reach));
  end = e().max(end, before);
  Type type = copied.elementType;
  int64_t width = e().getLanes(type.getIntOrFloatBitWidth());
  auto fill = [&](Value from, Value to) {
    Value count = e().mul(e().sub(to, from), channels);
    Value start = e().mul(from, channels);
    e().vectorLoop(count, width, 1, [&](Value position, Value rest) {
      e().store(e().constant(e().vector(type, width), int8_t(storedZeroPoint())), copied,
                e().add(start, position), rest);
    });
  };
  e().loop(e().max(firstCopiedRow, e().index(0)), bottom, 1, [&](Value y) {
    Value row = e().mul(e().sub(y, firstCopiedRow), reach);
    fill(row, e().add(row, before));
    Value pixel = e().add(e().mul(image, height().input), y);
    pixel = e().add(e().add(e().mul(pixel, this->width().input), firstCopiedColumn), before);
    Value from = e().mul(pixel, channels);
    Value to = e().mul(e().add(row, before), channels);
    e().vectorLoop(
        e().mul(e().sub(end, before), channels), width, 4, [&](Value position, Value rest) {
          Value loaded = e().load(source, e().add(from, position), width, rest);
          if (halves() == 2)
            loaded = pairAlternate(loaded);
          e().store(convertInput(loaded), copied, e().add(to, position), rest);
        });
    fill(e().add(row, end), e().add(row, e().index(reach)));
  });
}

Value ContractionKernel::pairAlternate(Value loaded) {
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < cast<VectorType>(loaded.getType()).getNumElements(); ++i)
    order.push_back(i % 4 == 1 ? i + 1 : i % 4 == 2 ? i - 1 : i);
  return vector::ShuffleOp::create(e().b, e().loc, loaded, loaded, order);
}

Value ContractionKernel::convertInput(Value loaded) {
  Value wide = widen(loaded, input);
  if (hasQuads()) // As unsigned ones.
    return isSigned(input) ? arith::XOrIOp::create(e().b, e().loc, loaded,
                                                   e().constant(loaded.getType(), -128))
                                 .getResult()
                           : loaded;
  return subtractZeroPoint(wide);
}

Value ContractionKernel::subtractZeroPoint(Value wide) {
  if (zeroPoint == 0)
    return wide;
  return arith::SubIOp::create(e().b, e().loc, wide,
                               e().constant(wide.getType(), zeroPoint));
}

void ContractionKernel::emitRow(Value row, Value firstColumn, Value endColumn) {
  auto emitTiles = [&](Value from, Value to, int64_t size) {
    e().loop(from, to, size, [&](Value tile) {
      emitInnerTile(row, tile, size, e().index(size));
    });
  };
  if (knownWidth) {
    // The last tile of a row may be smaller.
    int64_t rest = *knownWidth % tilePixels;
    Value wholeEnd = e().min(endColumn, e().index(*knownWidth - rest));
    emitTiles(firstColumn, wholeEnd, tilePixels);
    if (rest && pieceColumns == *knownWidth)
      emitInnerTile(row, wholeEnd, rest, e().index(rest));
    else if (rest)
      e().ifTrue(e().less(wholeEnd, endColumn),
                 [&] { emitInnerTile(row, wholeEnd, rest, e().index(rest)); });
    return;
  }
  Value rest = e().rem(e().sub(endColumn, firstColumn), e().index(tilePixels));
  if (isCopied) {
    // There is room behind the copied rows: the last tile is computed whole, or half of
    // it, but for a single pixel.
    Value end = endColumn;
    if (isFlat)
      end = e().sub(end, e().select(e().equal(rest, 1), e().index(1), e().index(0)));
    int64_t half = llvm::divideCeil(tilePixels, 2);
    Value wholeEnd = e().sub(end, e().rem(e().sub(end, firstColumn), e().index(tilePixels)));
    Value isMore = e().less(e().index(half), e().sub(end, wholeEnd));
    wholeEnd = e().select(isMore, end, wholeEnd);
    e().loop(firstColumn, wholeEnd, tilePixels, [&](Value tile) {
      Value left = e().sub(end, tile);
      emitInnerTile(row, tile, tilePixels, e().min(left, e().index(tilePixels)));
    });
    e().ifTrue(e().less(wholeEnd, end),
               [&] { emitInnerTile(row, wholeEnd, half, e().sub(end, wholeEnd)); });
    if (isFlat)
      emitTiles(end, endColumn, 1);
    return;
  }
  Value wholeEnd = e().sub(endColumn, rest);
  emitTiles(firstColumn, wholeEnd, tilePixels);
  // There may be no more pixels than these. What is left is a multiple of `unit`, as the
  // length of the row and the pieces before are.
  int64_t unit = std::gcd(widthUnit, tilePixels);
  for (int64_t size = tilePixels == 8 ? 4 : 2; size > 0 && unit < tilePixels; size /= 2) {
    Value end = e().sub(endColumn, e().rem(rest, e().index(size)));
    emitTiles(wholeEnd, end, size);
    wholeEnd = end;
    if (unit % size == 0)
      return;
  }
}

void ContractionKernel::emitInnerTile(Value row, Value column, int64_t count,
                                      Value stored) {
  Array source = isCopied ? copied : site.getInput(input);
  Value left = getWindowStart(e(), width(), column), top = getWindowStart(e(), height(), row);
  Value rowLength = width().input;
  if (isCopied) {
    left = e().sub(left, firstCopiedColumn);
    top = e().sub(top, firstCopiedRow);
    rowLength = e().index(width().reach(pieceColumns));
  } else {
    top = e().add(e().mul(image, height().input), top);
  }
  int64_t pixelStep = width().stride * channels;
  std::pair<Value, Value> range = {e().index(0), e().index(height().kernel)};
  if (height().isPadded())
    range = getTapRange(e(), height(), row);
  SmallVector<Value> sums = e().loop(
      range.first, range.second, 1, makeSums(count, range.first, range.second),
      [&](Value kh, ValueRange carried) {
        Value y = e().add(top, e().mul(kh, height().dilation));
        Value start = e().mul(e().add(e().mul(y, rowLength), left), channels);
        Value elements = isInteger ? e().pointer(e().address(source, start)) : Value();
        auto load = [&](int64_t pixel, Value k, int64_t half) {
          if (!isInteger)
            return e().loadSplat(source, e().add(e().add(start, k), pixel * pixelStep), lanes);
          // Those of a pixel may begin at any element.
          Value first = e().offset(elements, source.elementType, e().index(pixel * pixelStep));
          k = e().add(e().mul(k, halves()), half);
          return e().broadcast(e().load(first, sumType(), k), lanes);
        };
        return skipsZeros ? multiplyBlocks(kh, carried, load)
                          : multiply(e().mul(kh, rowSteps), rowSteps, carried, load);
      });
  Value first = e().add(e().mul(row, width().output), column);
  storeTile(sums, count, stored, [&](Value pixel) { return e().add(first, pixel); });
}
