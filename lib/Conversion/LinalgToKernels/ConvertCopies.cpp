//===- ConvertCopies.cpp - strided copies of buffers as kernels -----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "dialects/RT/IR/RT.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"
#include "nn/Conversion/Passes.h"
#include "nn/Target/CostModel.h"
#include "nn/Target/Target.h"

namespace mlir::nn {
#define GEN_PASS_DEF_CONVERTCOPIES
#include "nn/Conversion/Passes.h.inc"
} // namespace mlir::nn

using namespace mlir;
using namespace mlir::nn;

/// True if the elements are contiguous, so that one memcpy suffices.
static bool isContiguous(MemRefType type) {
  return type.getLayout().isIdentity() ||
         memref::isStaticShapeAndContiguousRowMajor(type);
}

/// Strides of a buffer; dynamic if they are not known.
static SmallVector<int64_t> getStrides(MemRefType type) {
  return type.getStridesAndOffset().first;
}

/// Dimensions that can be collapsed in both buffers.
static SmallVector<ReassociationIndices> getGroups(MemRefType source,
                                                   MemRefType target) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0, e = source.getRank(); i < e; ++i) {
    auto joins = [&](MemRefType type) {
      SmallVector<int64_t> strides = getStrides(type);
      int64_t size = type.getDimSize(i);
      if (ShapedType::isDynamic(size) || ShapedType::isDynamic(strides[i]))
        return false;
      // The strides of unit dimensions are irrelevant.
      for (int64_t before : llvm::reverse(groups.back()))
        if (type.getDimSize(before) != 1)
          return strides[before] == size * strides[i];
      return true;
    };
    if (i > 0 && joins(source) && joins(target))
      groups.back().push_back(i);
    else
      groups.push_back({i});
  }
  return groups;
}

/// A type that buffers of any sizes and strides can be cast to; a last stride of
/// 1 stays.
static MemRefType getDynamicType(MemRefType type) {
  SmallVector<int64_t> sizes(type.getRank(), ShapedType::kDynamic);
  SmallVector<int64_t> strides = sizes;
  if (getStrides(type).back() == 1)
    strides.back() = 1;
  return MemRefType::get(
      sizes, type.getElementType(),
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides),
      type.getMemorySpace());
}

namespace {
struct ConvertCopies : nn::impl::ConvertCopiesBase<ConvertCopies> {
  using ConvertCopiesBase::ConvertCopiesBase;

  void runOnOperation() override {
    FailureOr<Thresholds> read = CostModel::readThresholds(getOperation(), tuning);
    if (failed(read))
      return signalPassFailure();
    thresholds = *read;
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp op) { copies.push_back(op); });
    kernels.clear();
    for (memref::CopyOp op : copies) {
      // Canonicalization looks through casts, also those that hide strides.
      for (OpOperand &operand : op->getOpOperands())
        while (auto cast = operand.get().getDefiningOp<memref::CastOp>()) {
          if (!isa<MemRefType>(cast.getSource().getType()))
            break;
          operand.set(cast.getSource());
        }
      auto source = dyn_cast<MemRefType>(op.getSource().getType());
      auto target = dyn_cast<MemRefType>(op.getTarget().getType());
      if (op.getSource() == op.getTarget())
        op.erase();
      else if (source && target && !(isContiguous(source) && isContiguous(target)))
        convert(op, source, target);
      else if (source && target && !source.hasStaticShape() && source.getRank() > 1)
        flatten(op, source);
    }
  }

  /// Copies lists of all elements: when views become pointers and strides, it is lost that
  /// those of dynamic sizes are contiguous.
  void flatten(memref::CopyOp op, MemRefType type) {
    OpBuilder builder(op);
    ReassociationIndices all =
        llvm::to_vector_of<int64_t>(llvm::seq<int64_t>(type.getRank()));
    for (OpOperand &operand : op->getOpOperands())
      operand.set(memref::CollapseShapeOp::create(builder, op.getLoc(), operand.get(),
                                                  ArrayRef<ReassociationIndices>(all)));
  }

  void convert(memref::CopyOp op, MemRefType source, MemRefType target) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    SmallVector<ReassociationIndices> groups = getGroups(source, target);
    auto prepare = [&](Value buffer) -> Value {
      if (groups.size() < size_t(source.getRank()))
        buffer = memref::CollapseShapeOp::create(builder, loc, buffer, groups);
      MemRefType type = getDynamicType(cast<MemRefType>(buffer.getType()));
      return memref::CastOp::create(builder, loc, type, buffer);
    };
    // Rows are the kernel's iterations; on a GPU, elements.
    bool ofElements = getTarget(getOperation()).getKind() == TargetKind::CUDA;
    Value count = arith::ConstantIndexOp::create(builder, loc, 1);
    for (int64_t i = 0, e = ofElements ? source.getRank() : groups.back().front(); i < e; ++i)
      count = builder.createOrFold<arith::MulIOp>(
          loc, count, builder.createOrFold<memref::DimOp>(loc, op.getSource(), i));
    int64_t row = 1;
    for (int64_t i : groups.back())
      row *= source.isDynamicDim(i) ? 64 : std::max<int64_t>(1, source.getDimSize(i));
    Value from = prepare(op.getSource()), to = prepare(op.getTarget());
    func::FuncOp kernel = getKernel(loc, cast<MemRefType>(from.getType()),
                                    cast<MemRefType>(to.getType()), ofElements);
    rt::LaunchOp::create(builder, loc, TypeRange(), kernel.getSymName(), from, to,
                         ValueRange(), count,
                         std::max<int64_t>(1, thresholds.copiedThreadWork / row));
    op.erase();
  }

  /// The function that copies rows or elements of such buffers.
  func::FuncOp getKernel(Location loc, MemRefType source, MemRefType target,
                         bool ofElements) {
    func::FuncOp &kernel = kernels[{source, target}];
    if (kernel)
      return kernel;
    SymbolTable symbols(getOperation());
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    Type index = builder.getIndexType();
    loc = UnknownLoc::get(&getContext());
    kernel = func::FuncOp::create(
        builder, loc, "copy",
        builder.getFunctionType({source, target, index, index}, {}));
    kernel.setPrivate();
    kernel->setAttr("nn.kernel", builder.getStringAttr("copy"));
    symbols.insert(kernel);
    Block *block = kernel.addEntryBlock();
    builder.setInsertionPointToEnd(block);
    Value from = block->getArgument(0), to = block->getArgument(1);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    SmallVector<Value> sizes;
    for (int64_t i = 0; i < source.getRank(); ++i)
      sizes.push_back(memref::DimOp::create(builder, loc, from, i));
    auto copy = [&](OpBuilder &at, ArrayRef<Value> place) {
      Value element = memref::LoadOp::create(at, loc, from, place);
      memref::StoreOp::create(at, loc, element, to, place);
    };
    scf::ForOp::create(
        builder, loc, block->getArgument(2), block->getArgument(3), one, ValueRange(),
        [&](OpBuilder &outer, Location, Value index, ValueRange) {
          SmallVector<Value> place(sizes.size());
          for (size_t i = ofElements ? sizes.size() : sizes.size() - 1; i-- > 0;) {
            place[i] = i == 0
                           ? index
                           : arith::RemUIOp::create(outer, loc, index, sizes[i]).getResult();
            if (i > 0)
              index = arith::DivUIOp::create(outer, loc, index, sizes[i]);
          }
          if (ofElements)
            copy(outer, place);
          else
            scf::ForOp::create(outer, loc, zero, sizes.back(), one, ValueRange(),
                               [&](OpBuilder &inner, Location, Value column, ValueRange) {
                                 place.back() = column;
                                 copy(inner, place);
                                 scf::YieldOp::create(inner, loc);
                               });
          scf::YieldOp::create(outer, loc);
        });
    func::ReturnOp::create(builder, loc);
    return kernel;
  }

  Thresholds thresholds;
  DenseMap<std::pair<Type, Type>, func::FuncOp> kernels;
};
} // namespace
