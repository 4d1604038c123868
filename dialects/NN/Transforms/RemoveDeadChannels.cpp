//===- RemoveDeadChannels.cpp - channels that nothing depends on ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Channels that must go together (of both operands of a sum, of the input and the result of a
// depthwise convolution, ...) are a set. Sets are found in one walk. One is dead if no product
// multiplies any of its channels by something, unless this channel is always 0. What is dead is cut
// out of all weights, constants and types.
//
//===----------------------------------------------------------------------===//

#include "dialects/NN/IR/NN.h"
#include "dialects/NN/Transforms/Passes.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Support/Constants.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::nn {
#define GEN_PASS_DEF_REMOVEDEADCHANNELS
#include "dialects/NN/Transforms/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

static RankedTensorType getTensorType(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

static bool isConstant(Value value) { return value.getDefiningOp<ConstantOp>() != nullptr; }

namespace {
/// The channels of a value: a dimension, and the numbers of its entries among all channels.
struct Channels {
  int64_t dim = 0, first = 0, count = 0;
};

/// A product with constant weights. Its input's and its result's channels are dimensions of these;
/// a depthwise convolution has one for both.
struct Product {
  Operation *op;
  Value input, weight, bias;
  int64_t inputDim, resultDim;
  bool isDepthwise = false;
};

class Remover {
public:
  explicit Remover(func::FuncOp function) : function(function) {}

  /// Returns how many channels of products were removed.
  unsigned run();

private:
  // What there is.
  Channels *find(Value value) {
    auto it = channels.find(value);
    return it == channels.end() ? nullptr : &it->second;
  }
  Channels track(Value value, int64_t dim);
  void pin(Value value);
  void join(Value a, Value b);
  void visit(Operation *op);
  bool visitProduct(Operation *op);
  bool visitElementwise(Operation *op);
  bool visitConcat(ConcatOp op);
  bool visitMove(Operation *op);

  // What goes.
  void findDead();
  bool isDead(int64_t channel) const { return dead[sets[channel]]; }
  SmallVector<int64_t> getKept(const Channels &list) const;
  void roundUp();

  // Its removal.
  void cut();
  Value select(Value constant, int64_t dim, ArrayRef<int64_t> kept);
  void cutProduct(const Product &product);
  void cutElementwise(Operation *op);

  func::FuncOp function;
  llvm::MapVector<Value, Channels> channels;
  SmallVector<Product> products;
  SmallVector<Operation *> elementwise;
  SmallVector<ReshapeOp> reshapes;
  llvm::IntEqClasses sets;
  /// Of each channel: whether it must stay, is always 0, and is not 0 where a product multiplies it
  /// by something else.
  SmallVector<char> pinned, zero, read;
  SmallVector<std::pair<int64_t, int64_t>> joined;
  /// Of each set.
  SmallVector<char> dead;
};
} // namespace

//===----------------------------------------------------------------------===//
// What there is
//===----------------------------------------------------------------------===//

Channels Remover::track(Value value, int64_t dim) {
  Channels list = {dim, int64_t(pinned.size()), getTensorType(value).getDimSize(dim)};
  channels[value] = list;
  pinned.append(list.count, false);
  zero.append(list.count, false);
  read.append(list.count, false);
  return list;
}

void Remover::pin(Value value) {
  if (Channels *list = find(value))
    std::fill_n(pinned.begin() + list->first, list->count, true);
}

void Remover::join(Value a, Value b) {
  Channels x = *find(a), y = *find(b);
  for (int64_t i = 0; i < x.count; ++i)
    joined.emplace_back(x.first + i, y.first + i);
}

/// For each entry of a dimension, whether it has elements that are not 0.
static SmallVector<char> findNonZero(const HostTensor &tensor, int64_t dim) {
  int64_t count = tensor.getDim(dim), inner = 1;
  for (int64_t size : tensor.getDims().drop_front(dim + 1))
    inner *= size;
  int64_t outer = tensor.getNumElements() / std::max<int64_t>(count * inner, 1);
  SmallVector<char> found(count, false);
  for (int64_t c = 0; c < count; ++c)
    for (int64_t o = 0; o < outer && !found[c]; ++o)
      for (int64_t i = 0; i < inner && !found[c]; ++i)
        found[c] = tensor.getDouble((o * count + c) * inner + i) != 0;
  return found;
}

static std::optional<Product> matchProduct(Operation *op) {
  if (auto conv = dyn_cast<ConvOp>(op)) {
    Product product = {op, conv.getInput(), conv.getWeight(), conv.getBias(), 1, 0};
    RankedTensorType weights = getTensorType(conv.getWeight());
    auto group = int64_t(conv.getGroup());
    product.isDepthwise = group > 1 && weights.getDimSize(1) == 1 &&
                          weights.getDimSize(0) == group;
    if (conv.getLayout() != Layout::ChannelsFirst || (group != 1 && !product.isDepthwise))
      return std::nullopt;
    return product;
  }
  if (auto matmul = dyn_cast<MatMulOp>(op)) {
    bool isTransposed = matmul.getTransposeRhs();
    if (matmul.getTransposeLhs() || getTensorType(matmul.getRhs()).getRank() != 2 ||
        getTensorType(matmul.getLhs()).getRank() < 2)
      return std::nullopt;
    return Product{op, matmul.getLhs(), matmul.getRhs(), Value(), isTransposed, !isTransposed};
  }
  return std::nullopt;
}

bool Remover::visitProduct(Operation *op) {
  std::optional<Product> product = matchProduct(op);
  if (!product || !isConstant(product->weight) ||
      (product->bias && !isConstant(product->bias)))
    return false;
  FailureOr<HostTensor> weights = readConstant(product->weight);
  FailureOr<HostTensor> bias = product->bias ? readConstant(product->bias) : HostTensor();
  if (failed(weights) || failed(bias))
    return false;
  int64_t dim = isa<ConvOp>(op) ? 1 : getTensorType(op->getResult(0)).getRank() - 1;
  Channels *input = find(product->input);
  int64_t inputDim = isa<ConvOp>(op) ? 1 : getTensorType(product->input).getRank() - 1;
  if (input && input->dim != inputDim)
    return false;
  if (product->isDepthwise && !input)
    return false;
  if (input && !product->isDepthwise) {
    SmallVector<char> used = findNonZero(*weights, product->inputDim);
    for (int64_t c = 0; c < input->count; ++c)
      read[input->first + c] |= used[c] && !zero[input->first + c];
  }
  SmallVector<char> gives = findNonZero(*weights, product->resultDim);
  Channels result = track(op->getResult(0), dim);
  if (product->isDepthwise)
    join(product->input, op->getResult(0));
  for (int64_t c = 0; c < result.count; ++c) {
    bool isZero = !gives[c] || (product->isDepthwise && zero[find(product->input)->first + c]);
    zero[result.first + c] = isZero && (!product->bias || bias->getDouble(c) == 0);
  }
  products.push_back(*product);
  return true;
}

/// Whether the operator gives 0 for 0, if all of its operands are, or one of them is.
enum class Zeros { No, IfAll, IfAny };
static Zeros keepsZeros(Operation *op) {
  if (isa<ReluOp, LeakyReluOp, HardSwishOp, TanhOp, NegOp, AddOp, SubOp>(op))
    return Zeros::IfAll;
  return isa<MulOp>(op) ? Zeros::IfAny : Zeros::No;
}

bool Remover::visitElementwise(Operation *op) {
  if (!isa<ElementwiseOpInterface>(op) || op->getNumResults() != 1)
    return false;
  RankedTensorType type = getTensorType(op->getResult(0));
  Channels *first = nullptr;
  for (Value operand : op->getOperands())
    if (Channels *list = find(operand);
        list && !first && getTensorType(operand).getRank() == type.getRank() &&
        type.getDimSize(list->dim) == list->count)
      first = list;
  if (!first)
    return false;
  int64_t dim = first->dim, count = first->count;
  for (Value operand : op->getOperands()) {
    RankedTensorType own = getTensorType(operand);
    int64_t ownDim = dim - (type.getRank() - own.getRank());
    if (isConstant(operand) || ownDim < 0 || own.getDimSize(ownDim) == 1)
      continue;
    Channels *list = find(operand);
    if (!list || list->dim != dim || own.getRank() != type.getRank() || list->count != count)
      return false;
  }
  Channels result = track(op->getResult(0), dim);
  Zeros zeros = keepsZeros(op);
  SmallVector<char> isZero(count, zeros == Zeros::IfAll);
  for (Value operand : op->getOperands()) {
    SmallVector<char> own(count, false);
    RankedTensorType ownType = getTensorType(operand);
    int64_t ownDim = dim - (type.getRank() - ownType.getRank());
    if (Channels *list = find(operand)) {
      // One that all channels of the result read is not one of them.
      bool isAlike = list->dim == dim && list->count == count &&
                     ownType.getRank() == type.getRank();
      if (!isAlike) {
        pin(operand);
        continue;
      }
      join(operand, op->getResult(0));
      own.assign(zero.begin() + list->first, zero.begin() + list->first + count);
    } else if (FailureOr<HostTensor> tensor = readConstant(operand);
               succeeded(tensor) && ownDim >= 0 && tensor->getDim(ownDim) == count) {
      SmallVector<char> nonZero = findNonZero(*tensor, ownDim);
      for (int64_t c = 0; c < count; ++c)
        own[c] = !nonZero[c];
    }
    for (int64_t c = 0; c < count; ++c)
      isZero[c] = zeros == Zeros::IfAll   ? isZero[c] && own[c]
                  : zeros == Zeros::IfAny ? isZero[c] || own[c]
                                          : false;
  }
  llvm::copy(isZero, zero.begin() + result.first);
  elementwise.push_back(op);
  return true;
}

bool Remover::visitConcat(ConcatOp op) {
  RankedTensorType type = op.getType();
  int64_t axis = op.getAxis() + (int64_t(op.getAxis()) < 0 ? type.getRank() : 0);
  Channels *any = nullptr;
  for (Value input : op.getInputs())
    any = any ? any : find(input);
  if (!any || any->dim != axis || type.isDynamicDim(axis))
    return false;
  for (Value input : op.getInputs())
    if (Channels *list = find(input);
        (list && list->dim != axis) || getTensorType(input).isDynamicDim(axis))
      return false;
  Channels result = track(op.getResult(), axis);
  int64_t next = result.first;
  for (Value input : op.getInputs()) {
    Channels *list = find(input);
    int64_t size = getTensorType(input).getDimSize(axis);
    for (int64_t i = 0; i < size; ++i, ++next) {
      if (!list) {
        pinned[next] = true;
        continue;
      }
      joined.emplace_back(list->first + i, next);
      zero[next] = zero[list->first + i];
    }
  }
  return true;
}

/// Pools, means over pixels, and what drops dimensions of size 1.
bool Remover::visitMove(Operation *op) {
  Channels *list = op->getNumOperands() ? find(op->getOperand(0)) : nullptr;
  if (!list || list->dim != 1)
    return false;
  RankedTensorType from = getTensorType(op->getOperand(0)), type = getTensorType(op->getResult(0));
  if (type.getRank() < 2 || type.getDimSize(1) != list->count)
    return false;
  bool isFine = false;
  if (auto pool = dyn_cast<MaxPoolOp>(op))
    isFine = pool.getLayout() == Layout::ChannelsFirst;
  else if (auto pool = dyn_cast<AveragePoolOp>(op))
    isFine = pool.getLayout() == Layout::ChannelsFirst;
  else if (auto mean = dyn_cast<ReduceMeanOp>(op))
    isFine = llvm::all_of(mean.getReducedDims(), [](int64_t dim) { return dim > 1; });
  else if (auto flatten = dyn_cast<FlattenOp>(op))
    isFine = flatten.getAxis() == 1;
  else if (auto reshape = dyn_cast<ReshapeOp>(op))
    isFine = isConstant(reshape.getShape());
  if (isa<FlattenOp, ReshapeOp>(op)) {
    isFine &= type.getRank() == 2 &&
              llvm::all_of(from.getShape().drop_front(2), [](int64_t dim) { return dim == 1; });
    if (isFine && isa<ReshapeOp>(op))
      reshapes.push_back(cast<ReshapeOp>(op));
  }
  if (!isFine)
    return false;
  Channels result = track(op->getResult(0), 1);
  list = find(op->getOperand(0));
  join(op->getOperand(0), op->getResult(0));
  for (int64_t c = 0; c < result.count; ++c)
    zero[result.first + c] = zero[list->first + c];
  return true;
}

void Remover::visit(Operation *op) {
  if (op->getNumRegions() == 0 && op->getNumResults() == 1 && getTensorType(op->getResult(0)) &&
      isa<FloatType>(getTensorType(op->getResult(0)).getElementType())) {
    auto concat = dyn_cast<ConcatOp>(op);
    if (visitProduct(op) || visitElementwise(op) || visitMove(op) ||
        (concat && visitConcat(concat)))
      return;
  }
  // Anything else needs what it reads as it is.
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      pin(operand);
  });
}

//===----------------------------------------------------------------------===//
// What goes
//===----------------------------------------------------------------------===//

void Remover::findDead() {
  sets.grow(pinned.size());
  for (auto [a, b] : joined)
    sets.join(a, b);
  sets.compress();
  dead.assign(sets.getNumClasses(), true);
  for (size_t i = 0; i < pinned.size(); ++i)
    dead[sets[i]] &= !pinned[i] && !read[i];
}

SmallVector<int64_t> Remover::getKept(const Channels &list) const {
  SmallVector<int64_t> kept;
  for (int64_t c = 0; c < list.count; ++c)
    if (!isDead(list.first + c))
      kept.push_back(c);
  return kept;
}

/// Kernels compute 16 channels at a time, and something must be left.
void Remover::roundUp() {
  constexpr int64_t kBlock = 16;
  for (bool isChanged = true; isChanged;) {
    isChanged = false;
    for (auto &[value, list] : channels) {
      int64_t block = list.count % kBlock == 0 ? kBlock : 1;
      for (int64_t c = 0, kept = getKept(list).size(); c < list.count; ++c) {
        if (kept > 0 && kept % block == 0)
          break;
        if (!isDead(list.first + c))
          continue;
        dead[sets[list.first + c]] = false;
        kept = getKept(list).size();
        isChanged = true;
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Removal
//===----------------------------------------------------------------------===//

Value Remover::select(Value constant, int64_t dim, ArrayRef<int64_t> kept) {
  FailureOr<HostTensor> tensor = readConstant(constant);
  SmallVector<int64_t> dims(tensor->getDims());
  int64_t count = dims[dim], bytes = getByteSize(tensor->getType());
  for (int64_t size : tensor->getDims().drop_front(dim + 1))
    bytes *= size;
  dims[dim] = kept.size();
  HostTensor part = HostTensor::allocate(tensor->getType(), dims);
  auto *from = static_cast<const char *>(tensor->getData());
  auto *to = static_cast<char *>(part.getMutableData());
  for (int64_t o = 0, outer = tensor->getNumBytes() / (count * bytes); o < outer; ++o)
    for (int64_t c : kept) {
      std::memcpy(to, from + (o * count + c) * bytes, bytes);
      to += bytes;
    }
  OpBuilder builder(constant.getDefiningOp());
  return ConstantOp::create(builder, constant.getLoc(),
                            makeConstantAttr(builder.getContext(), part,
                                             getTensorType(constant).getElementType()));
}

void Remover::cutProduct(const Product &product) {
  Channels result = *find(product.op->getResult(0));
  SmallVector<int64_t> kept = getKept(result);
  Value weight = product.weight;
  if (int64_t(kept.size()) != result.count) {
    weight = select(weight, product.resultDim, kept);
    if (product.bias)
      cast<ConvOp>(product.op).getBiasMutable().assign(select(product.bias, 0, kept));
    if (product.isDepthwise)
      cast<ConvOp>(product.op).setGroup(kept.size());
  }
  if (Channels *input = find(product.input); input && !product.isDepthwise)
    if (SmallVector<int64_t> read = getKept(*input); int64_t(read.size()) != input->count)
      weight = select(weight, product.inputDim, read);
  product.op->setOperand(1, weight);
}

void Remover::cutElementwise(Operation *op) {
  Channels result = *find(op->getResult(0));
  SmallVector<int64_t> kept = getKept(result);
  if (int64_t(kept.size()) == result.count)
    return;
  int64_t rank = getTensorType(op->getResult(0)).getRank();
  for (OpOperand &operand : op->getOpOperands()) {
    int64_t dim = result.dim - (rank - getTensorType(operand.get()).getRank());
    if (isConstant(operand.get()) && dim >= 0 &&
        getTensorType(operand.get()).getDimSize(dim) == result.count && result.count > 1)
      operand.set(select(operand.get(), dim, kept));
  }
}

void Remover::cut() {
  for (const Product &product : products)
    cutProduct(product);
  for (Operation *op : elementwise)
    cutElementwise(op);
  for (ReshapeOp op : reshapes) {
    // The size of the channels is what is left.
    OpBuilder builder(op);
    HostTensor shape = HostTensor::allocate(DataType::Int64, {2});
    FailureOr<HostTensor> old = readConstant(op.getShape());
    int64_t first = old->getDouble(0);
    Channels list = *find(op.getResult());
    shape.setInt(0, first < 0 ? -1 : first);
    shape.setInt(1, getKept(list).size());
    if (int64_t(getKept(list).size()) != list.count)
      op.getShapeMutable().assign(ConstantOp::create(
          builder, op.getLoc(),
          makeConstantAttr(op.getContext(), shape, getTensorType(op.getShape()).getElementType())));
  }
  // Now the types. What lacks channels is no tensor of the model any more.
  for (auto &[value, list] : channels) {
    int64_t kept = getKept(list).size();
    if (kept == list.count)
      continue;
    RankedTensorType type = getTensorType(value);
    SmallVector<int64_t> dims(type.getShape());
    dims[list.dim] = kept;
    value.setType(type.clone(dims));
    setOrigins(value.getDefiningOp(), {});
  }
}

unsigned Remover::run() {
  for (Operation &op : function.getBody().front())
    visit(&op);
  findDead();
  roundUp();
  if (llvm::none_of(dead, [](char is) { return is; }))
    return 0;
  unsigned removed = 0;
  for (const Product &product : products) {
    const Channels &list = *find(product.op->getResult(0));
    removed += list.count - getKept(list).size();
  }
  cut();
  return removed;
}

namespace {
struct RemoveDeadChannels : nn::impl::RemoveDeadChannelsBase<RemoveDeadChannels> {
  void runOnOperation() override {
    if (getOperation().getBody().hasOneBlock())
      numChannels += Remover(getOperation()).run();
  }
};
} // namespace
