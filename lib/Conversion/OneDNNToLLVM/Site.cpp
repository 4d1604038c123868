//===- Site.cpp - what of a primitive does not depend on the run ----------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Site.h"
#include "runtime/abi/nnrt_abi.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::onednn;

static void addArgument(Site &site, OpOperand &operand,
                        ArrayRef<int64_t> permutation = {}) {
  site.arguments.push_back(
      {operand.getOperandNumber(), SmallVector<int64_t>(permutation)});
}

static void addPostOps(Site &site, PrimitiveOpInterface op) {
  site.postOps = op.getPostOpList();
  site.firstPostOpArgument = site.arguments.size();
  OperandRange operands = op.getPostOpOperands();
  for (unsigned i = 0; i < operands.size(); ++i)
    addArgument(site, op->getOpOperand(operands.getBeginOperandIndex() + i));
}

template <typename Op> static void addWindow(Site &site, Op op, int64_t count) {
  site.spatialRank = count;
  auto fill = [&](SmallVector<int64_t> &list, ArrayRef<int64_t> given,
                  int64_t otherwise) {
    list.assign(given.begin(), given.end());
    if (list.empty())
      list.assign(count, otherwise);
  };
  fill(site.strides, op.getStrides(), 1);
  fill(site.dilations, op.getDilations(), 1);
  fill(site.padsBegin, op.getPadsBegin(), 0);
  fill(site.padsEnd, op.getPadsEnd(), 0);
  if (op.getLayout() == Layout::ChannelsLast)
    site.flags |= NNRT_ABI_ONEDNN_CHANNELS_LAST;
  if (op.getAutoPad() == AutoPad::SameUpper)
    site.flags |= NNRT_ABI_ONEDNN_SAME_UPPER;
  if (op.getAutoPad() == AutoPad::SameLower)
    site.flags |= NNRT_ABI_ONEDNN_SAME_LOWER;
}

template <typename Op>
static void addContraction(Site &site, Op op,
                           ArrayRef<int64_t> srcPermutation = {},
                           ArrayRef<int64_t> weightsPermutation = {},
                           ArrayRef<int64_t> dstPermutation = {}) {
  addArgument(site, op.getSrcMutable(), srcPermutation);
  addArgument(site, op.getWeightsMutable(), weightsPermutation);
  if (op.getConstantWeights())
    site.flags |= NNRT_ABI_ONEDNN_CONSTANT_WEIGHTS;
  if (op.getBias()) {
    site.flags |= NNRT_ABI_ONEDNN_HAS_BIAS;
    addArgument(site, *op.getBiasMutable().begin());
  }
  addArgument(site, op.getDstMutable(), dstPermutation);
  if (!cast<ShapedType>(op.getDst().getType()).hasStaticShape())
    site.flags |= NNRT_ABI_ONEDNN_VARYING_SHAPE;
  addPostOps(site, cast<PrimitiveOpInterface>(op.getOperation()));
}

template <typename Op> static void addSourceAndDst(Site &site, Op op) {
  addArgument(site, op.getSrcMutable());
  addArgument(site, op.getDstMutable());
}

static int64_t getSpatialRank(Value value) {
  return cast<ShapedType>(value.getType()).getRank() - 2;
}

Site mlir::nn::describeSite(PrimitiveOpInterface primitive) {
  Site site;
  TypeSwitch<Operation *>(primitive)
      .Case<ConvolutionOp, DeconvolutionOp>([&](auto op) {
        site.kind = isa<ConvolutionOp>(op.getOperation())
                        ? NNRT_ABI_ONEDNN_CONVOLUTION
                        : NNRT_ABI_ONEDNN_DECONVOLUTION;
        site.groups = op.getGroups();
        site.srcZeroPoint = op.getSrcZeroPoint();
        if (site.srcZeroPoint)
          site.flags |= NNRT_ABI_ONEDNN_HAS_ZERO_POINT;
        addWindow(site, op, getSpatialRank(op.getSrc()));
        addContraction(site, op);
      })
      .Case<onednn::MatMulOp>([&](onednn::MatMulOp op) {
        site.kind = NNRT_ABI_ONEDNN_MATMUL;
        addContraction(site, op, op.getSrcPermutation(),
                       op.getWeightsPermutation(), op.getDstPermutation());
      })
      .Case<PoolingOp>([&](PoolingOp op) {
        site.kind = NNRT_ABI_ONEDNN_POOLING;
        site.algorithm = static_cast<int32_t>(op.getAlgorithm());
        addWindow(site, op, getSpatialRank(op.getSrc()));
        site.kernel.assign(op.getKernel().begin(), op.getKernel().end());
        addSourceAndDst(site, op);
        addPostOps(site, primitive);
      })
      .Case<onednn::LRNOp>([&](onednn::LRNOp op) {
        site.kind = NNRT_ABI_ONEDNN_LRN;
        site.spatialRank = getSpatialRank(op.getSrc());
        site.axis = op.getLocalSize();
        site.alpha = op.getAlpha().convertToFloat();
        site.beta = op.getBeta().convertToFloat();
        site.k = op.getK().convertToFloat();
        if (op.getLayout() == Layout::ChannelsLast)
          site.flags |= NNRT_ABI_ONEDNN_CHANNELS_LAST;
        addSourceAndDst(site, op);
      })
      .Case<onednn::SoftmaxOp>([&](onednn::SoftmaxOp op) {
        site.kind = NNRT_ABI_ONEDNN_SOFTMAX;
        site.algorithm = static_cast<int32_t>(op.getAlgorithm());
        site.axis = op.getAxis();
        addSourceAndDst(site, op);
      });
  return site;
}

//===----------------------------------------------------------------------===//
// Globals
//===----------------------------------------------------------------------===//

static LLVM::GlobalOp createPostOps(ModuleOp module, Location location,
                                    const Site &site, StringRef name) {
  if (site.postOps.empty())
    return {};
  GlobalStructBuilder builder(module);
  using PostOp = nnrt_abi_onednn_post_op;
  for (Attribute attribute : site.postOps) {
    PostOp postOp = {};
    TypeSwitch<Attribute>(attribute)
        .Case<EltwiseAttr>([&](EltwiseAttr eltwise) {
          postOp.kind = NNRT_ABI_ONEDNN_ELTWISE;
          postOp.algorithm = static_cast<int32_t>(eltwise.getAlgorithm());
          postOp.alpha = eltwise.getAlpha().getValue().convertToFloat();
          postOp.beta = eltwise.getBeta().getValue().convertToFloat();
        })
        .Case<BinaryAttr>([&](BinaryAttr binary) {
          postOp.kind = NNRT_ABI_ONEDNN_BINARY;
          postOp.algorithm = static_cast<int32_t>(binary.getAlgorithm());
          postOp.argument = site.firstPostOpArgument + binary.getOperand();
        });
    builder.addI32(offsetof(PostOp, kind), postOp.kind);
    builder.addI32(offsetof(PostOp, algorithm), postOp.algorithm);
    builder.addF32(offsetof(PostOp, alpha), postOp.alpha);
    builder.addF32(offsetof(PostOp, beta), postOp.beta);
    builder.addI32(offsetof(PostOp, argument), postOp.argument);
    builder.addI32(offsetof(PostOp, reserved), 0);
    builder.finishElement(sizeof(PostOp));
  }
  return builder.create(location, name);
}

LLVM::GlobalOp mlir::nn::createSiteGlobal(ModuleOp module, Location location,
                                          const Site &site, StringRef name,
                                          unsigned &next) {
  std::string symbol = makeSymbolName(module, "onednn_site", next);
  LLVM::GlobalOp postOps =
      createPostOps(module, location, site, symbol + "_post_ops");
  GlobalStructBuilder builder(module);
  using Abi = nnrt_abi_onednn_site;
  builder.addI32(offsetof(Abi, kind), site.kind);
  builder.addI32(offsetof(Abi, algorithm), site.algorithm);
  builder.addI32(offsetof(Abi, flags), site.flags);
  builder.addI32(offsetof(Abi, num_args), site.arguments.size());
  builder.addI32(offsetof(Abi, num_post_ops), site.postOps.size());
  builder.addI32(offsetof(Abi, spatial_rank), site.spatialRank);
  builder.addI64(offsetof(Abi, groups), site.groups);
  builder.addI64s(offsetof(Abi, kernel), site.kernel, 3, 1);
  builder.addI64s(offsetof(Abi, strides), site.strides, 3, 1);
  builder.addI64s(offsetof(Abi, dilations), site.dilations, 3, 1);
  builder.addI64s(offsetof(Abi, pads_begin), site.padsBegin, 3, 0);
  builder.addI64s(offsetof(Abi, pads_end), site.padsEnd, 3, 0);
  builder.addI32(offsetof(Abi, axis), site.axis);
  builder.addF32(offsetof(Abi, alpha), site.alpha);
  builder.addF32(offsetof(Abi, beta), site.beta);
  builder.addF32(offsetof(Abi, k), site.k);
  builder.addAddress(offsetof(Abi, post_ops), postOps);
  builder.addAddress(offsetof(Abi, name), getOrCreateGlobalString(module, name));
  builder.addI32(offsetof(Abi, src_zero_point), site.srcZeroPoint);
  builder.addI32(offsetof(Abi, reserved), 0);
  builder.finishElement(sizeof(Abi));
  return builder.create(location, symbol);
}
