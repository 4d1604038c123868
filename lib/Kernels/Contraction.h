//===- Contraction.h - kernels of convolutions and products -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Direct convolution, channels last, with constant weights that are packed to groups x
// panels x KD x KH x KW x C x 16 columns. These are the same for all lengths of vectors, so
// that a library has them once; vectors of 512 bits read two panels side by side. A matrix
// product is one with a single tap, whose pixels are the rows of the lhs:
//
//   for iteration in [begin, end)        of images x pieces x groups x panels
//     for tile of output pixels in the piece of the image
//       acc[pixel][vector] = bias[columns]
//       for kd, kh, kw, c                      carries acc in registers
//         b[vector] = weights[kd, kh, kw, c, columns]
//         acc[pixel][vector] += input[pixel at kd, kh, kw; c] * b[vector]
//       result[pixel, columns] = epilogue(acc[pixel][vector])
//
// Panels are innermost, so that the input of a piece stays in the cache.
//
// Contraction.cpp decides, packs, multiplies and stores. Tiles are of two kinds:
// ContractionRows.cpp has those that are parts of rows, ContractionGather.cpp those that
// may hold any pixels, and transposed convolutions. ContractionBlocks.cpp leaves out weights
// that are zero.
//
// 8-bit integers are copied as 16 bits, less the zero point, and weights are widened when
// they are loaded. vpmaddwd multiplies and adds two at a time, which is exact; two pairs
// take as long as one product of floats. With VNNI, vpdpbusd multiplies four unsigned inputs
// with four signed weights, and adds them. Inputs stay bytes, with their zero point; the sums
// begin with what it adds to them.
//
//===----------------------------------------------------------------------===//

#ifndef NN_LIB_KERNELS_CONTRACTION_H
#define NN_LIB_KERNELS_CONTRACTION_H

#include "dialects/NN/IR/NN.h"
#include "nn/Kernels/LeafLoader.h"
#include "nn/Kernels/WindowAxes.h"

namespace mlir::nn {

/// Sizes known only at run time are assumed to be this.
constexpr int64_t kAssumedRows = 64, kAssumedWidth = 64;
/// Columns of a panel of dense weights, as they are stored.
constexpr int64_t kPanelColumns = 16;
/// Vectors of columns that an iteration computes of dense weights.
constexpr int64_t kPanelVectors = 2;

class ContractionKernel {
public:
  /// `skipsZeros`: computes only with blocks of weights that are not zero.
  explicit ContractionKernel(KernelSite &site, bool skipsZeros = false)
      : site(site), epilogue(site), skipsZeros(skipsZeros) {}
  LogicalResult emit();

private:
  //===--------------------------------------------------------------------===//
  // Contraction.cpp
  //===--------------------------------------------------------------------===//

  bool match();
  bool matchConv(ConvOp op);
  bool matchConvTranspose(ConvTransposeOp op);
  bool matchMatMul(MatMulOp op);
  bool packWeights();
  /// Where the weight of a column and channel of a group lies in its tensor.
  int64_t getWeightIndex(int64_t group, int64_t column, int64_t channel, int64_t tap);
  /// Elements of a stored panel.
  int64_t getPanelElements() const;
  void chooseTile();
  /// Output pixels of a piece, by what they read of the input.
  int64_t getMostPixels() const;
  /// Pieces of an image, or of a phase, that suffice for threads to share the work.
  int64_t getFewestPieces() const;
  /// `emitPiece` for one panel, in the state of the emission.
  void emitPanel(Value panel, function_ref<void()> emitPiece);

  /// 8-bit integers loaded of `tensor` as 16 bits; floats stay.
  Value widen(Value loaded, Value tensor);
  /// What the accumulators of `count` pixels begin with, to which rows of taps from `first`
  /// to `end` are added.
  SmallVector<Value> makeSums(int64_t count, Value first, Value end);
  /// Step k of a pixel, or a half of it.
  using Load = function_ref<Value(int64_t pixel, Value k, int64_t half)>;
  /// sums += pixels * weights, for `depth` steps from `start` on.
  SmallVector<Value> multiply(Value start, int64_t depth, ValueRange sums, Load load);
  /// The even or the odd bytes, as 16 bits.
  Value widenHalf(Value loaded, int64_t half, bool isSigned);
  Value multiplyAdd(Value a, Value b, Value sum);
  /// Adds the constant by which sums of inputs with their zero point are too large: for each
  /// row of taps and column.
  void addCorrections(const HostTensor &weights);
  bool isSigned(Value tensor);
  /// Four 8-bit integers are multiplied at a time; else, two of 16 bits.
  bool hasQuads() const { return hasDotProducts; }
  /// Where two are, how often in a step.
  int64_t halves() const { return isInteger && !hasDotProducts ? stepElements / 2 : 1; }
  /// Of integers that are copied, or read as they lie, as the type that they then have.
  Type inputType();
  int64_t storedZeroPoint() { return hasQuads() ? zeroPoint + (isSigned(input) ? 128 : 0) : 0; }
  /// Stores the first `stored` of `count` pixels; `numberOf` is the number in the image of
  /// a pixel of the tile.
  void storeTile(ValueRange sums, int64_t count, Value stored,
                 function_ref<Value(Value pixel)> numberOf);
  /// The vectors of a pixel.
  void storePixel(ValueRange sums, Value pixel);

  //===--------------------------------------------------------------------===//
  // ContractionBlocks.cpp
  //===--------------------------------------------------------------------===//

  bool packBlocks();
  template <typename T> void packBlocks(ArrayRef<T> elements, DataType type);
  /// The element of an input of 32-bit integers.
  Value loadNumber(unsigned list, Value place);
  /// As `multiply`, for the blocks of a row of taps.
  SmallVector<Value> multiplyBlocks(Value row, ValueRange sums, Load load);

  //===--------------------------------------------------------------------===//
  // ContractionRows.cpp
  //===--------------------------------------------------------------------===//

  void chooseRowPieces();
  void emitRowPiece(Value panel, Value piece);
  Value countRowPieces();
  /// Copies what outputs from `firstColumn` on read of the input of these rows.
  void copyRows(Value firstRow, Value endRow, Value firstColumn);
  /// An input as it is multiplied: of 16 bits and less its zero point, or as unsigned bytes.
  Value convertInput(Value loaded);
  Value subtractZeroPoint(Value wide);
  /// Of each four elements, the second and the third change places.
  Value pairAlternate(Value loaded);
  void emitRow(Value row, Value firstColumn, Value endColumn);
  /// `count` pixels of a row; the first `stored` are stored.
  void emitInnerTile(Value row, Value column, int64_t count, Value stored);
  /// Pixels of the input that may be copied at a time.
  int64_t getCopiedRoom() const;

  //===--------------------------------------------------------------------===//
  // ContractionGather.cpp
  //===--------------------------------------------------------------------===//

  /// An output pixel of a tile: where its window begins on each axis.
  struct Pixel {
    Value isBeforeEnd;
    SmallVector<Value> starts;
  };
  /// Where a tap of a pixel lies: the number of the input's row, or pixel.
  struct Position {
    Value isInside, number;
  };
  /// The outputs of a transposed convolution, on one axis, that read the taps `tap`,
  /// `tap + stride` and so on: `first`, `first + stride` and so on. Number i reads input
  /// `shift + i` with the first tap, the one before with the second.
  struct Phase {
    Value tap, taps, first, outputs, shift;
  };

  void chooseGatheredPieces();
  void emitGatheredPiece(Value panel, Value piece);
  Value countGatheredPieces();
  void emitGatheredTile(Value first, Value end);
  /// The elements of a step that lie behind a pointer, in all lanes.
  Value loadStep(Value pointer, Value step, int64_t half);
  /// Adds the taps from axis `number` on, for pixels at `positions`; `tap` is the number
  /// of the tap so far.
  SmallVector<Value> gatherTaps(size_t number, ArrayRef<Pixel> pixels,
                                ArrayRef<Position> positions, Value tap, ValueRange sums);
  Phase makePhase(const WindowAxis &axis, Value tap);
  int64_t getNumPhases() const;

  //===--------------------------------------------------------------------===//

  KernelEmitter &e() { return site.getEmitter(); }
  WindowAxis &height() { return axes[axes.size() - 2]; }
  WindowAxis &width() { return axes.back(); }
  Value maskOf(int64_t vector) { return vector + 1 == vectors ? mask : Value(); }
  /// Panels that are iterations of their own.
  int64_t sharedPanels() const { return isCopied ? 1 : panels * groups; }
  Type sumType() { return isInteger ? Type(e().b.getI32Type()) : e().b.getF32Type(); }

  KernelSite &site;
  EpilogueStorer epilogue;
  bool skipsZeros;
  std::optional<PrologueLoader> bias;
  enum { Convolution, TransposedConvolution, Product } kind = Product;
  Value input, weight, biasInput, result;
  bool hasTransposedRhs = false; // weights of a product: columns x depth
  int64_t zeroPoint = 0;         // of the input
  /// Those of the window, and before them a height of 1 if it has only a width.
  SmallVector<WindowAxis> axes;
  int64_t rank = 0, groups = 1, channels = 0, columns = 0; // the latter two: of a group
  bool isInteger = false;
  bool hasDotProducts = false;
  /// Neighbouring elements of the depth in packed weights: 1 float; 4 integers, which are
  /// multiplied at once, or the first with the third and the second with the fourth; or 2.
  int64_t stepElements = 1;
  /// A single tap and no stride: all pixels of all images are one row.
  bool isFlat = false;
  bool isGathered = false, isCopied = false;
  int64_t taps = 1, lanes = 1, panels = 1, tilePixels = 1;
  int64_t panelVectors = kPanelVectors;
  /// Steps of a row of taps.
  int64_t rowSteps = 1;
  int64_t pieceRows = 1, pieceColumns = 1, piecePixels = 1; // the latter: gathered
  /// The length of a row and the number of pixels (of a phase), if known.
  std::optional<int64_t> knownWidth, knownPixels;
  /// A row has a multiple of so many pixels.
  int64_t widthUnit = 1;
  unsigned weights = 0;
  /// What the sums of a row of taps begin with, if inputs have a zero point.
  std::optional<unsigned> corrections;
  /// Of blocks: the steps of a panel that they are, and where those of each panel begin.
  unsigned blockRows = 0, blockStarts = 0;
  /// The offset of `channels` zeros, or zero points, among the weights.
  int64_t zeros = 0;
  Value imagePixels;
  // The state of the emission.
  int64_t vectors = 1;
  Value group, column, mask, image;
  /// Where the weights of a panel begin: their element, or of blocks, the number of their list.
  Value panelStart;
  Array copied, buffer, numbers;
  Value firstCopiedRow, firstCopiedColumn;
  SmallVector<Phase> phases;
  LogicalResult status = success();
};

/// `length` in parts of about the same size: at most `most`, and multiples of `unit`.
int64_t choosePart(int64_t length, int64_t most, int64_t unit);

} // namespace mlir::nn

#endif // NN_LIB_KERNELS_CONTRACTION_H
