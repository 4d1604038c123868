//===- KernelBuilder.cpp - Choosing primitives and formats ----------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// oneDNN implements almost everything, but its reference implementation is some hundred
// times slower than others. So a contraction is tried as requested, then with trailing
// post-ops as separate steps, then on formats of oneDNN's choice; the first attempt with
// a fast implementation is taken.
//
// Products of 8-bit integers are exact only on CPUs with VNNI: on others, oneDNN adds
// two of them in 16 bits, which saturate. There, and where oneDNN has no fast
// implementation for integers, the primitive computes in f32, between conversions.
//
//===----------------------------------------------------------------------===//

#include "CPU/OneDNN/Implementations.h"
#include "CPU/OneDNN/Packing.h"
#include "Core/Verbose.h"

#include <algorithm>
#include <chrono>

namespace nnrt {
namespace onednn {

static bool hasDimsOf(const Operand &operand, const_dnnl_memory_desc_t desc) {
  int32_t rank = 0;
  dnnl_dims_t *dims = nullptr;
  check(dnnl_memory_desc_query(desc, dnnl_query_ndims_s32, &rank), "rank");
  check(dnnl_memory_desc_query(desc, dnnl_query_dims, &dims), "dims");
  return rank == operand.rank && std::equal(*dims, *dims + rank, operand.dims);
}

namespace {

class Builder {
public:
  Builder(const Problem &problem, const nnrt_abi_tensor *args,
          SiteWeights &packed, bool manyShapes)
      : problem(problem), args(args), packed(packed), manyShapes(manyShapes),
        kernel(std::make_shared<Kernel>()) {
    kernel->addsIntegers = problem.isInteger() && !problem.isInF32();
  }

  std::shared_ptr<const Kernel> build();

private:
  /// How many post-ops the primitive applies itself, and whether src and dst are in
  /// formats of oneDNN's choice.
  struct Attempt {
    int numPostOps = 0;
    bool anyData = false;
    PrimitiveDesc desc;
  };
  Attempt choose();
  PrimitiveDesc tryAttempt(int numPostOps, bool anyData,
                           const_dnnl_memory_desc_t weightsDesc);
  MemoryDesc requestedWeights();
  bool isAvoided(const PrimitiveDesc &desc) const {
    return manyShapes && keepsMemory(problem, desc);
  }

  int addArgument(int argument, const Operand &operand);
  int addScratch(MemoryDesc desc);
  int addConstant(std::shared_ptr<Packed> constant);
  /// A zero point is subtracted from the elements of `from`.
  int addReorder(int from, MemoryDesc to, int32_t zeroPoint = 0);
  void addCopy(int from, int to);
  int addZeroPoint(int32_t zeroPoint);
  /// The operand in `type`; converted in each run if it has another type.
  int addConverted(int argument, const Operand &operand, int32_t type);
  int addWeights(Attempt &attempt);
  int addBias();
  int addPostOpOperand(int index);
  void addPrimitive(const PrimitiveDesc &desc, std::vector<Step::Use> uses);
  void addSeparatePostOps(int first, int dst);
  void addEmptyProduct();

  const_dnnl_memory_desc_t descOf(int value) const {
    return kernel->values[value].desc.get();
  }

  const Problem &problem;
  const nnrt_abi_tensor *args;
  SiteWeights &packed;
  bool manyShapes;
  std::shared_ptr<Kernel> kernel;
};

} // namespace

//===----------------------------------------------------------------------===//
// Values and steps
//===----------------------------------------------------------------------===//

int Builder::addArgument(int argument, const Operand &operand) {
  Value value;
  value.argument = argument;
  value.desc = operand.desc();
  value.operand = operand;
  kernel->values.push_back(std::move(value));
  return static_cast<int>(kernel->values.size()) - 1;
}

int Builder::addScratch(MemoryDesc desc) {
  Value value;
  value.place = Value::Scratch;
  value.offset = kernel->scratchBytes;
  kernel->scratchBytes += (sizeOf(desc.get()) + 63) / 64 * 64;
  value.desc = std::move(desc);
  kernel->values.push_back(std::move(value));
  return static_cast<int>(kernel->values.size()) - 1;
}

int Builder::addConstant(std::shared_ptr<Packed> constant) {
  Value value;
  value.place = Value::Constant;
  value.desc = clone(constant->desc.get());
  value.constant = std::move(constant);
  kernel->values.push_back(std::move(value));
  return static_cast<int>(kernel->values.size()) - 1;
}

int Builder::addReorder(int from, MemoryDesc to, int32_t zeroPoint) {
  PrimitiveDesc desc = createReorder(descOf(from), to.get(), zeroPoint != 0);
  int result = addScratch(std::move(to));
  std::vector<Step::Use> uses = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, result}};
  if (zeroPoint)
    uses.push_back(
        {DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_FROM, addZeroPoint(zeroPoint)});
  addPrimitive(desc, std::move(uses));
  return result;
}

void Builder::addCopy(int from, int to) {
  PrimitiveDesc desc = createReorder(descOf(from), descOf(to));
  addPrimitive(desc, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

int Builder::addZeroPoint(int32_t zeroPoint) {
  return addConstant(makeScalar(zeroPoint));
}

int Builder::addConverted(int argument, const Operand &operand, int32_t type) {
  int given = addArgument(argument, operand);
  if (operand.type == type)
    return given;
  Operand wanted = operand.dense();
  wanted.type = type;
  int result = addScratch(wanted.desc());
  kernel->values[result].operand = wanted;
  Step step;
  step.from = given;
  step.to = result;
  kernel->steps.push_back(std::move(step));
  return result;
}

void Builder::addPrimitive(const PrimitiveDesc &desc,
                           std::vector<Step::Use> uses) {
  auto start = std::chrono::steady_clock::now();
  Step step;
  step.primitive = makePrimitive(desc.get());
  const_dnnl_memory_desc_t scratchpad =
      dnnl_primitive_desc_query_md(desc.get(), dnnl_query_scratchpad_md, 0);
  if (sizeOf(scratchpad))
    uses.push_back({DNNL_ARG_SCRATCHPAD, addScratch(clone(scratchpad))});
  step.uses = std::move(uses);
  kernel->steps.push_back(std::move(step));
  std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  if (host->verboseLevel() >= 1)
    host->verbosePrint(verbose::primitive, problem.name().c_str(),
                       problem.kindText(), problem.shapesText().c_str(),
                       elapsed.count(), implementationOf(desc.get()).c_str());
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The first format to try: oneDNN's choice if the weights are packed before the run,
/// and for convolutions, which have no good plain format.
MemoryDesc Builder::requestedWeights() {
  if (!problem.isContraction())
    return nullptr;
  int32_t type = problem.weightsType();
  if (problem.constantWeights() || problem.isConvolution())
    return problem.weights.anyFormat(type);
  if (problem.weights.type == type)
    return problem.weights.desc();
  Operand converted = problem.weights.dense();
  converted.type = type;
  return converted.desc();
}

/// The weights in the format of the attempt's primitive. May replace the primitive by
/// one that takes a format which exists already.
int Builder::addWeights(Attempt &attempt) {
  const_dnnl_memory_desc_t wanted = dnnl_primitive_desc_query_md(
      attempt.desc.get(), dnnl_query_weights_md, 0);
  if (!problem.constantWeights()) {
    int given = addConverted(problem.weightsArg, problem.weights,
                             problem.weightsType());
    if (dnnl_memory_desc_equal(descOf(given), wanted))
      return given;
    return addReorder(given, clone(wanted));
  }

  for (const std::shared_ptr<Packed> &format : packed.formats)
    if (dnnl_memory_desc_equal(format->desc.get(), wanted))
      return addConstant(format);
  for (const std::shared_ptr<Packed> &format : packed.formats) {
    if (!hasDimsOf(problem.weights, format->desc.get()))
      continue; // Whether a problem is turned depends on the run's shapes.
    PrimitiveDesc other =
        tryAttempt(attempt.numPostOps, attempt.anyData, format->desc.get());
    if (other && !isReference(other) &&
        (!isAvoided(other) || isAvoided(attempt.desc))) {
      attempt.desc = std::move(other);
      return addConstant(format);
    }
  }
  if (packed.formats.size() < SiteWeights::maxFormats) {
    packed.formats.push_back(
        pack(problem, problem.weights, args[problem.weightsArg].data, wanted));
    return addConstant(packed.formats.back());
  }
  return addReorder(
      addConverted(problem.weightsArg, problem.weights, problem.weightsType()),
      clone(wanted));
}

int Builder::addBias() {
  int32_t type = problem.biasType();
  if (problem.bias.type == type || !problem.constantWeights())
    return addConverted(problem.biasArg, problem.bias, type);
  if (!packed.bias) {
    Operand wide = problem.bias.dense();
    wide.type = type;
    packed.bias =
        pack(problem, problem.bias, args[problem.biasArg].data, wide.desc().get());
  }
  return addConstant(packed.bias);
}

//===----------------------------------------------------------------------===//
// Post-ops
//===----------------------------------------------------------------------===//

int Builder::addPostOpOperand(int index) {
  const Operand &operand = problem.postOpOperands[index];
  bool half = operand.type == NNRT_ABI_F16 && problem.dst.type != NNRT_ABI_F16;
  return addConverted(problem.site.post_ops[index].argument, operand,
                      half ? int32_t(NNRT_ABI_F32) : operand.type);
}

void Builder::addSeparatePostOps(int first, int dst) {
  for (int i = first; i < problem.site.num_post_ops; ++i) {
    const nnrt_abi_onednn_post_op &op = problem.site.post_ops[i];
    auto algorithm = static_cast<dnnl_alg_kind_t>(op.algorithm);
    dnnl_primitive_desc_t desc = nullptr;
    Attributes attributes = createAttributes();
    if (op.kind == NNRT_ABI_ONEDNN_ELTWISE) {
      check(dnnl_eltwise_forward_primitive_desc_create(
                &desc, engine(), dnnl_forward_inference, algorithm, descOf(dst),
                descOf(dst), op.alpha, op.beta, attributes.get()),
            "eltwise");
      addPrimitive(PrimitiveDesc(desc),
                   {{DNNL_ARG_SRC, dst}, {DNNL_ARG_DST, dst}});
      continue;
    }
    int operand = addPostOpOperand(i);
    check(dnnl_binary_primitive_desc_create(&desc, engine(), algorithm,
                                            descOf(dst), descOf(operand),
                                            descOf(dst), attributes.get()),
          "binary");
    addPrimitive(PrimitiveDesc(desc), {{DNNL_ARG_SRC_0, dst},
                                       {DNNL_ARG_SRC_1, operand},
                                       {DNNL_ARG_DST, dst}});
  }
}

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

PrimitiveDesc Builder::tryAttempt(int numPostOps, bool anyData,
                                  const_dnnl_memory_desc_t weightsDesc) {
  const Operand &src = problem.src, &dst = problem.dst;
  MemoryDesc srcDesc = anyData ? src.anyFormat(problem.srcType())
                               : src.withType(problem.srcType()).desc();
  MemoryDesc dstDesc = anyData ? dst.anyFormat(problem.dstType())
                               : dst.withType(problem.dstType()).desc();
  MemoryDesc biasDesc;
  if (problem.biasArg >= 0) {
    Operand bias = problem.bias;
    if (bias.type != problem.biasType())
      bias = bias.dense();
    bias.type = problem.biasType();
    biasDesc = bias.desc();
  }
  auto create = [&] {
    return problem.create(srcDesc.get(), weightsDesc, biasDesc.get(),
                          dstDesc.get(), numPostOps);
  };
  PrimitiveDesc desc = create();
  if (!desc || !isAvoided(desc))
    return desc;
  while (isAvoided(desc))
    if (dnnl_primitive_desc_next_impl(desc.get()) != dnnl_success)
      return create();
  // Growing memory is better than runs that take a hundred times as long.
  return isReference(desc) ? create() : std::move(desc);
}

Builder::Attempt Builder::choose() {
  MemoryDesc weightsDesc = requestedWeights();
  int all = countTrustedPostOps(problem);
  bool isInteger = problem.isInteger() && !problem.isInF32();
  int fewest = isInteger ? all : 0; // dst holds only the last value.

  std::vector<Attempt> attempts;
  for (int n = all; n >= fewest; --n)
    attempts.push_back({n, false, nullptr});
  if (problem.isConvolution())
    attempts.push_back({all, true, nullptr});

  // None is fast: prefer im2col to the reference.
  Attempt fallback;
  for (Attempt &attempt : attempts) {
    attempt.desc =
        tryAttempt(attempt.numPostOps, attempt.anyData, weightsDesc.get());
    if (!attempt.desc)
      continue;
    if (!problem.isContraction() ||
        (!isReference(attempt.desc) && !isIm2Col(problem, attempt.desc)))
      return std::move(attempt);
    if (isInteger)
      continue;
    if (!fallback.desc ||
        (isReference(fallback.desc) && !isReference(attempt.desc)))
      fallback = std::move(attempt);
  }
  if (!fallback.desc && !isInteger)
    throw Failure{NNRT_INCOMPATIBLE,
                  std::string("oneDNN has no ") + problem.kindText() +
                      " of these types on this CPU: " + problem.shapesText()};
  return fallback;
}

void Builder::addEmptyProduct() {
  // Without a bias: a value that needs no descriptor.
  Operand from = problem.dst;
  Value value;
  value.place = Value::Zero;
  if (problem.biasArg >= 0) {
    from = padRank(problem.bias, problem.dst.rank);
    value.place = Value::Argument;
    value.argument = problem.biasArg;
    value.desc = problem.bias.desc();
  }
  for (int d = 0; d < from.rank; ++d) {
    if (value.place == Value::Zero || from.dims[d] == 1)
      from.strides[d] = 0;
    from.dims[d] = problem.dst.dims[d];
  }
  value.operand = from;
  kernel->values.push_back(std::move(value));
  Step step;
  step.from = static_cast<int>(kernel->values.size()) - 1;
  int dst = addArgument(problem.dstArg, problem.dst), innerDst = dst;
  if (problem.isInF32()) {
    Operand wide = problem.dst.withType(NNRT_ABI_F32);
    innerDst = addScratch(wide.desc());
    kernel->values[innerDst].operand = wide;
  }
  step.to = innerDst;
  kernel->steps.push_back(std::move(step));
  addSeparatePostOps(0, innerDst);
  if (innerDst != dst)
    addCopy(innerDst, dst);
}

std::shared_ptr<const Kernel> Builder::build() {
  if (problem.isEmpty())
    return kernel;
  if (problem.isEmptyProduct()) {
    addEmptyProduct();
    return kernel;
  }

  Attempt attempt = choose();
  if (!attempt.desc)
    return nullptr;
  std::vector<Step::Use> uses;
  if (problem.isContraction())
    uses.push_back({DNNL_ARG_WEIGHTS, addWeights(attempt)});
  if (problem.biasArg >= 0)
    uses.push_back({DNNL_ARG_BIAS, addBias()});
  for (int i = 0; i < attempt.numPostOps; ++i)
    if (problem.site.post_ops[i].kind == NNRT_ABI_ONEDNN_BINARY)
      uses.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(i) | DNNL_ARG_SRC_1,
                      addPostOpOperand(i)});

  int src = addArgument(problem.srcArg, problem.src);
  int dst = addArgument(problem.dstArg, problem.dst);
  int innerSrc = src, innerDst = dst;
  const_dnnl_memory_desc_t desc =
      dnnl_primitive_desc_query_md(attempt.desc.get(), dnnl_query_src_md, 0);
  int32_t zeroPoint = problem.srcZeroPoint();
  if (!dnnl_memory_desc_equal(desc, descOf(src)))
    innerSrc =
        addReorder(src, clone(desc), problem.isInF32() ? zeroPoint : 0);
  if (zeroPoint && !problem.isInF32())
    uses.push_back({DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC,
                    addZeroPoint(zeroPoint)});
  desc = dnnl_primitive_desc_query_md(attempt.desc.get(), dnnl_query_dst_md, 0);
  if (!dnnl_memory_desc_equal(desc, descOf(dst)))
    innerDst = addScratch(clone(desc));
  uses.push_back({DNNL_ARG_SRC, innerSrc});
  uses.push_back({DNNL_ARG_DST, innerDst});
  addPrimitive(attempt.desc, std::move(uses));
  int separate = problem.site.num_post_ops - attempt.numPostOps;
  if (separate && host->verboseLevel() >= 1)
    host->verbosePrint(verbose::separate, problem.name().c_str(), separate,
                       "oneDNN has no fast primitive with them");
  // On f32, before the conversion to integers.
  if (problem.isInF32())
    addSeparatePostOps(attempt.numPostOps, innerDst);
  if (innerDst != dst)
    addCopy(innerDst, dst);
  if (!problem.isInF32())
    addSeparatePostOps(attempt.numPostOps, dst);
  return kernel;
}

std::shared_ptr<const Kernel> buildKernel(const Problem &problem,
                                          const nnrt_abi_tensor *args,
                                          SiteWeights &weights,
                                          bool manyShapes) {
  if (problem.isInteger() && !problem.isEmpty()) {
    if (hasExactIntegerProducts() && !problem.isEmptyProduct())
      if (auto kernel = Builder(problem, args, weights, manyShapes).build())
        return kernel;
    Problem wide = problem;
    wide.computeInF32();
    if (host->verboseLevel() >= 1)
      host->verbosePrint(verbose::widened, problem.name().c_str(),
                         hasExactIntegerProducts()
                             ? "oneDNN has nothing fast for these integers"
                             : "without VNNI, sums of integers saturate");
    return Builder(wide, args, weights, manyShapes).build();
  }
  return Builder(problem, args, weights, manyShapes).build();
}

} // namespace onednn
} // namespace nnrt
