//===- KernelEmitter.cpp - emits the code of kernels ----------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Kernels/KernelEmitter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "nn/Conversion/ElementwiseToArith.h"

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

/// Offsets never leave the address space, which lets LLVM fold them into
/// addresses.
static constexpr arith::IntegerOverflowFlags noWrap =
    arith::IntegerOverflowFlags::nsw;

Value KernelEmitter::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value KernelEmitter::add(Value lhs, Value rhs) {
  std::optional<int64_t> x = getConstantIntValue(lhs),
                         y = getConstantIntValue(rhs);
  if (x && y)
    return index(*x + *y);
  if (x && *x == 0)
    return rhs;
  if (y && *y == 0)
    return lhs;
  return arith::AddIOp::create(b, loc, lhs, rhs, noWrap);
}

Value KernelEmitter::sub(Value lhs, Value rhs) {
  std::optional<int64_t> x = getConstantIntValue(lhs),
                         y = getConstantIntValue(rhs);
  if (x && y)
    return index(*x - *y);
  if (y && *y == 0)
    return lhs;
  return arith::SubIOp::create(b, loc, lhs, rhs, noWrap);
}

Value KernelEmitter::mul(Value lhs, Value rhs) {
  std::optional<int64_t> x = getConstantIntValue(lhs),
                         y = getConstantIntValue(rhs);
  if (x && y)
    return index(*x * *y);
  if ((x && *x == 0) || (y && *y == 1))
    return lhs;
  if ((y && *y == 0) || (x && *x == 1))
    return rhs;
  return arith::MulIOp::create(b, loc, lhs, rhs, noWrap);
}

Value KernelEmitter::div(Value lhs, Value rhs) {
  std::optional<int64_t> x = getConstantIntValue(lhs),
                         y = getConstantIntValue(rhs);
  if (x && y)
    return index(*x / *y);
  if (y && *y == 1)
    return lhs;
  return arith::DivUIOp::create(b, loc, lhs, rhs);
}

/// Whether a value is known to be a multiple of `factor`.
static bool isMultipleOf(Value value, int64_t factor) {
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return *known % factor == 0;
  Operation *op = value.getDefiningOp();
  auto isMultiple = [&](Value operand) { return isMultipleOf(operand, factor); };
  if (isa_and_nonnull<arith::MulIOp>(op))
    return llvm::any_of(op->getOperands(), isMultiple);
  return isa_and_nonnull<arith::AddIOp, arith::SubIOp>(op) &&
         llvm::all_of(op->getOperands(), isMultiple);
}

Value KernelEmitter::rem(Value lhs, Value rhs) {
  std::optional<int64_t> x = getConstantIntValue(lhs),
                         y = getConstantIntValue(rhs);
  if (x && y)
    return index(*x % *y);
  if (y && *y > 0 && isMultipleOf(lhs, *y))
    return index(0);
  return arith::RemUIOp::create(b, loc, lhs, rhs);
}

Value KernelEmitter::ceilDiv(Value lhs, Value rhs) {
  return div(add(lhs, sub(rhs, index(1))), rhs);
}

Value KernelEmitter::min(Value lhs, Value rhs) {
  std::optional<int64_t> x = getConstantIntValue(lhs),
                         y = getConstantIntValue(rhs);
  if (x && y)
    return index(std::min(*x, *y));
  return arith::MinSIOp::create(b, loc, lhs, rhs);
}

Value KernelEmitter::max(Value lhs, Value rhs) {
  std::optional<int64_t> x = getConstantIntValue(lhs),
                         y = getConstantIntValue(rhs);
  if (x && y)
    return index(std::max(*x, *y));
  return arith::MaxSIOp::create(b, loc, lhs, rhs);
}

Value KernelEmitter::less(Value lhs, Value rhs) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, lhs, rhs);
}

Value KernelEmitter::equal(Value lhs, int64_t rhs) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, lhs,
                               index(rhs));
}

Value KernelEmitter::isBelow(Value lhs, Value rhs) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, lhs, rhs);
}

Value KernelEmitter::select(Value condition, Value whenTrue, Value whenFalse) {
  return arith::SelectOp::create(b, loc, condition, whenTrue, whenFalse);
}

SmallVector<Value> KernelEmitter::delinearize(Value linear,
                                              ArrayRef<Value> sizes) {
  SmallVector<Value> indices(sizes.size());
  for (size_t i = sizes.size(); i-- > 1;) {
    indices[i] = rem(linear, sizes[i]);
    linear = div(linear, sizes[i]);
  }
  if (!sizes.empty())
    indices[0] = linear;
  return indices;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

Value KernelEmitter::size(Value memref, int64_t dim) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dim))
    return index(type.getDimSize(dim));
  return memref::DimOp::create(b, loc, memref, dim);
}

Value KernelEmitter::numElements(Value memref) {
  Value product = index(1);
  for (int64_t dim = 0; dim < cast<MemRefType>(memref.getType()).getRank(); ++dim)
    product = mul(product, size(memref, dim));
  return product;
}

Array KernelEmitter::array(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  Array result;
  result.elementType = type.getElementType();
  if (result.elementType.isInteger(1)) {
    Value address =
        memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref);
    result.address =
        arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
    return result;
  }
  if (type.getRank() == 1 && type.isDynamicDim(0)) {
    result.flat = memref;
    return result;
  }
  auto flat = MemRefType::get({ShapedType::kDynamic}, result.elementType);
  result.flat = memref::ReinterpretCastOp::create(
      b, loc, flat, memref, OpFoldResult(b.getIndexAttr(0)),
      ArrayRef<OpFoldResult>{numElements(memref)},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
  return result;
}

Value KernelEmitter::scratch(int64_t size, Type elementType) {
  constexpr int64_t alignment = 64;
  return memref::AllocaOp::create(b, loc, MemRefType::get({size}, elementType),
                                  b.getI64IntegerAttr(alignment));
}

Type KernelEmitter::vector(Type elementType, int64_t lanes) const {
  return lanes == 1 ? elementType : VectorType::get({lanes}, elementType);
}

/// Bools lie in memory as a byte each.
Value KernelEmitter::boolAddress(const Array &array, Value offset) {
  Value i64 = arith::IndexCastOp::create(b, loc, b.getI64Type(), offset);
  Value address = arith::AddIOp::create(b, loc, array.address, i64);
  return LLVM::IntToPtrOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext()), address);
}

Value KernelEmitter::load(const Array &array, Value offset, int64_t lanes,
                          Value mask) {
  Type type = vector(array.elementType, lanes);
  if (!array.flat) {
    Type bytes = vector(b.getI8Type(), lanes);
    Value pointer = boolAddress(array, offset);
    Value loaded;
    if (mask)
      loaded = LLVM::MaskedLoadOp::create(b, loc, bytes, pointer, mask,
                                          constant(bytes, 0),
                                          b.getI32IntegerAttr(1));
    else
      loaded = LLVM::LoadOp::create(b, loc, bytes, pointer, /*alignment=*/1);
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, loaded,
                                 constant(bytes, 0));
  }
  if (lanes == 1)
    return memref::LoadOp::create(b, loc, array.flat, offset);
  if (mask)
    return vector::MaskedLoadOp::create(b, loc, cast<VectorType>(type),
                                        array.flat, offset, mask,
                                        constant(type, 0));
  return vector::LoadOp::create(b, loc, cast<VectorType>(type), array.flat,
                                offset);
}

void KernelEmitter::store(Value value, const Array &array, Value offset,
                          Value mask) {
  bool scalar = !isa<VectorType>(value.getType());
  if (!array.flat) {
    Type bytes = scalar ? Type(b.getI8Type())
                        : cast<VectorType>(value.getType()).clone(b.getI8Type());
    Value extended = arith::ExtUIOp::create(b, loc, bytes, value);
    Value pointer = boolAddress(array, offset);
    if (mask)
      LLVM::MaskedStoreOp::create(b, loc, extended, pointer, mask,
                                  b.getI32IntegerAttr(1));
    else
      LLVM::StoreOp::create(b, loc, extended, pointer, /*alignment=*/1);
    return;
  }
  if (scalar)
    memref::StoreOp::create(b, loc, value, array.flat, offset);
  else if (mask)
    vector::MaskedStoreOp::create(b, loc, array.flat, offset, mask, value);
  else
    vector::StoreOp::create(b, loc, value, array.flat, offset);
}

Value KernelEmitter::loadSplat(const Array &array, Value offset,
                               int64_t lanes) {
  return broadcast(load(array, offset, 1), lanes);
}

Value KernelEmitter::broadcast(Value scalar, int64_t lanes) {
  if (lanes == 1)
    return scalar;
  return vector::BroadcastOp::create(
      b, loc, VectorType::get({lanes}, scalar.getType()), scalar);
}

Value KernelEmitter::address(const Array &array, Value offset) {
  if (!array.flat)
    return LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), boolAddress(array, offset));
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, array.flat);
  int64_t bytes = array.elementType.getIntOrFloatBitWidth() / 8;
  return arith::IndexCastOp::create(b, loc, b.getI64Type(),
                                    add(base, mul(offset, bytes)));
}

Value KernelEmitter::pointer(Value address) {
  return LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()),
                                  address);
}

Value KernelEmitter::offset(Value pointer, Type elementType, Value index) {
  Value i64 = arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
  return LLVM::GEPOp::create(b, loc, pointer.getType(), elementType, pointer,
                             ArrayRef<LLVM::GEPArg>{i64});
}

Value KernelEmitter::load(Value pointer, Type elementType, Value index) {
  return LLVM::LoadOp::create(b, loc, elementType, offset(pointer, elementType, index),
                              /*alignment=*/1);
}

void KernelEmitter::prefetch(const Array &array, Value offset, int64_t lanes) {
  if (!array.flat)
    return;
  constexpr int64_t lineBits = 512;
  int64_t step = lineBits / array.elementType.getIntOrFloatBitWidth();
  for (int64_t i = 0; i < lanes; i += step)
    memref::PrefetchOp::create(b, loc, array.flat, add(offset, i),
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
}

Value KernelEmitter::lanesOf(Value vector, int64_t first, int64_t count) {
  auto picked = llvm::to_vector(llvm::seq(first, first + count));
  return vector::ShuffleOp::create(b, loc, vector, vector, picked);
}

Value KernelEmitter::joinLanes(Value vector,
                               function_ref<Value(Value, Value)> combine) {
  return joinLanes(vector, [&](ValueRange lhs, ValueRange rhs) {
    return SmallVector<Value>{combine(lhs[0], rhs[0])};
  })[0];
}

SmallVector<Value> KernelEmitter::joinLanes(
    ValueRange vectors,
    function_ref<SmallVector<Value>(ValueRange, ValueRange)> combine) {
  // Combine halves: upstream's reductions of floats are dependency chains.
  SmallVector<Value> values(vectors);
  int64_t lanes = cast<VectorType>(values[0].getType()).getNumElements();
  for (; lanes > 1; lanes /= 2) {
    SmallVector<Value> lower, upper;
    for (Value value : values) {
      upper.push_back(lanesOf(value, lanes / 2, lanes / 2));
      lower.push_back(lanesOf(value, 0, lanes / 2));
    }
    values = combine(lower, upper);
  }
  for (Value &value : values)
    value = vector::ExtractOp::create(b, loc, value, ArrayRef<int64_t>{0});
  return values;
}

/// The lower or upper halves of the parts of two vectors, in turns.
static Value interleave(KernelEmitter &e, Value low, Value high, int64_t part, bool upper) {
  int64_t lanes = cast<VectorType>(low.getType()).getNumElements();
  SmallVector<int64_t> picked;
  for (int64_t first = 0; first < lanes; first += part)
    for (int64_t i = 0; i < part / 2; ++i) {
      int64_t lane = first + i + (upper ? part / 2 : 0);
      picked.append({lane, lanes + lane});
    }
  return vector::ShuffleOp::create(e.b, e.loc, low, high, picked);
}

SmallVector<Value> KernelEmitter::transposeParts(ArrayRef<Value> rows) {
  int64_t part = cast<VectorType>(rows.front().getType()).getNumElements();
  int64_t height = rows.size();
  // Row i and, if there are as many, row i + part side by side.
  SmallVector<Value> vectors(rows.take_front(part));
  if (height > part)
    for (auto [low, high] : llvm::zip_first(vectors, rows.drop_front(part)))
      low = vector::ShuffleOp::create(b, loc, low, high,
                                      llvm::to_vector(llvm::seq<int64_t>(0, height)));
  for (int64_t step = 1; step < part; step *= 2) {
    SmallVector<Value> next;
    for (int64_t i = 0; i < part / 2; ++i)
      for (bool upper : {false, true})
        next.push_back(interleave(*this, vectors[i], vectors[i + part / 2], part, upper));
    vectors = next;
  }
  return vectors;
}

Value KernelEmitter::mask(Value count, int64_t lanes) {
  auto type = VectorType::get({lanes}, b.getI1Type());
  if (std::optional<int64_t> known = getConstantIntValue(count))
    return vector::ConstantMaskOp::create(
        b, loc, type, ArrayRef<int64_t>{std::min(*known, lanes)});
  return vector::CreateMaskOp::create(b, loc, type, count);
}

Value KernelEmitter::selectMasked(Value mask, Value value, double neutral) {
  if (!mask)
    return value;
  return select(mask, value, constant(value.getType(), neutral));
}

Value KernelEmitter::constant(Type type, double value) {
  return emitConstant(b, loc, type, value);
}

Value KernelEmitter::sum(Value x, Value y) {
  if (isa<FloatType>(getElementTypeOrSelf(x.getType())))
    return arith::AddFOp::create(b, loc, x, y);
  return arith::AddIOp::create(b, loc, x, y);
}

Value KernelEmitter::fma(Value x, Value y, Value z) {
  if (isa<FloatType>(getElementTypeOrSelf(x.getType())))
    return isa<VectorType>(x.getType())
               ? vector::FMAOp::create(b, loc, x, y, z).getResult()
               : arith::AddFOp::create(
                     b, loc, arith::MulFOp::create(b, loc, x, y), z)
                     .getResult();
  return arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, x, y), z);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelEmitter::loop(Value low, Value high, int64_t step,
                                       ArrayRef<Value> initial,
                                       CarryingBody body) {
  std::optional<int64_t> from = getConstantIntValue(low),
                         to = getConstantIntValue(high);
  if (low == high || (from && to && *to <= *from))
    return SmallVector<Value>(initial);
  if (from && to && *to - *from <= step)
    return body(low, initial);
  auto loop = scf::ForOp::create(b, loc, low, high, index(step), initial);
  OpBuilder::InsertionGuard guard(b);
  if (initial.empty())
    b.setInsertionPoint(loop.getBody()->getTerminator());
  else
    b.setInsertionPointToEnd(loop.getBody());
  SmallVector<Value> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!initial.empty())
    scf::YieldOp::create(b, loc, next);
  return loop.getResults();
}

void KernelEmitter::loop(Value low, Value high, int64_t step, LoopBody body) {
  loop(low, high, step, {}, [&](Value iv, ValueRange) {
    body(iv);
    return SmallVector<Value>();
  });
}

SmallVector<Value> KernelEmitter::loopInSets(Value low, Value high, int64_t sets,
                                             ArrayRef<Value> initial, Step step) {
  int64_t size = int64_t(initial.size()) / sets;
  return loop(low, high, sets, initial, [&](Value iv, ValueRange carried) {
    SmallVector<Value> next(carried);
    for (int64_t set = 0; set < sets; ++set)
      step(add(iv, set), MutableArrayRef(next).slice(set * size, size));
    return next;
  });
}

SmallVector<Value> KernelEmitter::addSets(ArrayRef<Value> accumulators, int64_t sets) {
  SmallVector<Value> sums(accumulators);
  int64_t size = int64_t(sums.size()) / sets;
  for (int64_t half = sets / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half * size; ++i)
      sums[i] = sum(sums[i], sums[i + half * size]);
  sums.truncate(size);
  return sums;
}

void KernelEmitter::ifTrue(Value condition, function_ref<void()> body,
                           function_ref<void()> otherwise) {
  auto op = scf::IfOp::create(b, loc, condition, /*withElse=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  body();
  if (!otherwise)
    return;
  b.setInsertionPointToStart(op.elseBlock());
  otherwise();
}

SmallVector<Value>
KernelEmitter::ifElse(Value condition, TypeRange types,
                      function_ref<SmallVector<Value>()> body,
                      function_ref<SmallVector<Value>()> otherwise) {
  auto op = scf::IfOp::create(b, loc, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  scf::YieldOp::create(b, loc, body());
  b.setInsertionPointToStart(op.elseBlock());
  scf::YieldOp::create(b, loc, otherwise());
  return op.getResults();
}

SmallVector<Value> KernelEmitter::vectorLoop(
    Value count, int64_t lanes, int64_t unroll, ArrayRef<Value> initial,
    function_ref<SmallVector<Value>(Value, Value, ValueRange)> body,
    function_ref<SmallVector<Value>(ValueRange, ValueRange)> combine) {
  size_t width = initial.size();
  std::optional<int64_t> known = getConstantIntValue(count);
  if (known)
    unroll = std::max<int64_t>(1, std::min(unroll, *known / lanes));
  auto multipleOf = [&](int64_t step) {
    return step == 1 ? count : sub(count, rem(count, index(step)));
  };

  // Blocks of `unroll` vectors, each with its own set of carried values.
  Value done = multipleOf(lanes * unroll);
  SmallVector<Value> sets;
  for (int64_t i = 0; i < unroll; ++i)
    llvm::append_range(sets, initial);
  sets = loop(index(0), done, lanes * unroll, sets,
              [&](Value position, ValueRange carried) {
                SmallVector<Value> next;
                for (int64_t i = 0; i < unroll; ++i)
                  llvm::append_range(next,
                                     body(add(position, i * lanes), Value(),
                                          carried.slice(i * width, width)));
                return next;
              });
  while (width && sets.size() > width) {
    // Pairwise, to keep the dependency chain short.
    SmallVector<Value> joined;
    size_t count = sets.size() / width;
    for (size_t i = 0; i < count; i += 2) {
      ValueRange all(sets);
      ValueRange lhs = all.slice(i * width, width);
      if (i + 1 == count)
        llvm::append_range(joined, lhs);
      else
        llvm::append_range(joined,
                           combine(lhs, all.slice((i + 1) * width, width)));
    }
    sets = joined;
  }
  SmallVector<Value> result(sets.begin(), sets.begin() + width);

  // Single vectors, then the remainder.
  Value full = multipleOf(lanes);
  if (unroll > 1)
    result = loop(done, full, lanes, result,
                  [&](Value position, ValueRange carried) {
                    return body(position, Value(), carried);
                  });
  if (lanes == 1 || full == count)
    return result;
  Value rest = sub(count, full);
  if (known) {
    if (*known % lanes)
      result = body(full, mask(rest, lanes), result);
    return result;
  }
  auto tail = [&] { return body(full, mask(rest, lanes), result); };
  Value remains = less(full, count);
  if (width == 0) {
    ifTrue(remains, [&] { tail(); });
    return result;
  }
  SmallVector<Type> types(ValueRange(result).getTypes());
  return ifElse(remains, types, tail, [&] { return result; });
}

void KernelEmitter::vectorLoop(Value count, int64_t lanes, int64_t unroll,
                               function_ref<void(Value, Value)> body) {
  vectorLoop(
      count, lanes, unroll, {},
      [&](Value position, Value mask, ValueRange) {
        body(position, mask);
        return SmallVector<Value>();
      },
      [](ValueRange, ValueRange) { return SmallVector<Value>(); });
}

SmallVector<Value> KernelEmitter::wideLoop(
    Value count, int64_t lanes, int64_t factor,
    function_ref<SmallVector<Value>(int64_t)> initial,
    function_ref<SmallVector<Value>(Value, int64_t, Value, ValueRange)> body,
    function_ref<SmallVector<Value>(ValueRange, ValueRange)> combine) {
  if (std::optional<int64_t> known = getConstantIntValue(count))
    while (factor > 1 && *known < factor * lanes)
      factor /= 2;
  int64_t width = factor * lanes;
  Value done = sub(count, rem(count, index(width)));
  SmallVector<Value> carried =
      loop(index(0), done, width, initial(width),
           [&](Value position, ValueRange values) {
             return body(position, width, Value(), values);
           });
  for (; width > lanes && !carried.empty(); width /= 2) {
    SmallVector<Value> low, high;
    for (Value value : carried) {
      low.push_back(lanesOf(value, 0, width / 2));
      high.push_back(lanesOf(value, width / 2, width / 2));
    }
    carried = combine(low, high);
  }
  return vectorLoop(
      sub(count, done), lanes, /*unroll=*/1, carried,
      [&](Value position, Value mask, ValueRange values) {
        return body(add(done, position), lanes, mask, values);
      },
      combine);
}
