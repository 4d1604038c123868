//===- Contraction.cpp - matrix products ----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Formulas.h"

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

/// The M x N product of the M x K matrix at `lhs` and the K x N matrix at `rhs`.
template <typename T>
static void multiplyInto(const T *lhs, const T *rhs, T *result, int64_t m,
                         int64_t n, int64_t k) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t l = 0; l < k; ++l)
      for (int64_t j = 0; j < n; ++j)
        result[i * n + j] += lhs[i * k + l] * rhs[l * n + j];
}

static HostTensor swapLastDims(const HostTensor &input) {
  Shape perm = normalizeAxes({}, input.getRank());
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return transpose(input, perm);
}

/// Elements as doubles or, to wrap, as unsigned integers.
static void read(const HostTensor &tensor, Doubles &values) {
  values = readDoubles(tensor);
}
static void read(const HostTensor &tensor, std::vector<uint64_t> &values) {
  Ints ints = readInts(tensor);
  values.assign(ints.begin(), ints.end());
}
static HostTensor store(DataType type, ArrayRef<int64_t> dims,
                        const Doubles &values) {
  return makeTensor(type, dims, values);
}
static HostTensor store(DataType type, ArrayRef<int64_t> dims,
                        const std::vector<uint64_t> &values) {
  return makeTensor(type, dims, Ints(values.begin(), values.end()));
}

template <typename T>
static FailureOr<HostTensor> multiply(Call &call, const HostTensor &lhs,
                                      const HostTensor &rhs, DataType type) {
  ArrayRef<int64_t> a = lhs.getDims(), b = rhs.getDims();
  int64_t m = a[a.size() - 2], k = a.back(), n = b.back();
  if (b[b.size() - 2] != k)
    return call.fail("the contracted dimensions are " + Twine(k) + " and " +
                     Twine(b[b.size() - 2]));
  // Index vectors of matrices, broadcast over the batch dimensions.
  Shape batchA(a.drop_back(2)), batchB(b.drop_back(2));
  HostTensor shapes[] = {
      HostTensor::view(DataType::Float32, batchA, nullptr, nullptr),
      HostTensor::view(DataType::Float32, batchB, nullptr, nullptr)};
  FailureOr<Shape> batch = broadcastShapes(call, shapes);
  if (failed(batch))
    return failure();
  std::vector<int64_t> indexA = getBroadcastIndices(batchA, *batch);
  std::vector<int64_t> indexB = getBroadcastIndices(batchB, *batch);

  std::vector<T> x, y;
  read(lhs, x);
  read(rhs, y);
  std::vector<T> result(indexA.size() * m * n);
  for (size_t i = 0; i < indexA.size(); ++i)
    multiplyInto(x.data() + indexA[i] * m * k, y.data() + indexB[i] * k * n,
                 result.data() + i * m * n, m, n, k);
  Shape dims = *batch;
  dims.append({m, n});
  return store(type, dims, result);
}

FailureOr<HostTensor> interpreter::multiplyMatrices(Call &call,
                                                    const HostTensor &lhs,
                                                    const HostTensor &rhs,
                                                    DataType type) {
  return isFloat(lhs.getType()) ? multiply<double>(call, lhs, rhs, type)
                                : multiply<uint64_t>(call, lhs, rhs, type);
}

static LogicalResult matmul(MatMulOp op, Call &call) {
  HostTensor lhs = call[op.getLhs()], rhs = call[op.getRhs()];
  bool dropRow = lhs.getRank() == 1, dropColumn = rhs.getRank() == 1;
  if (dropRow)
    lhs = lhs.withDims({1, lhs.getDim(0)});
  else if (op.getTransposeLhs())
    lhs = swapLastDims(lhs);
  if (dropColumn)
    rhs = rhs.withDims({rhs.getDim(0), 1});
  else if (op.getTransposeRhs())
    rhs = swapLastDims(rhs);
  FailureOr<HostTensor> product =
      multiplyMatrices(call, lhs, rhs, call.getResultType());
  if (failed(product))
    return failure();
  Shape dims(product->getDims());
  if (dropRow)
    dims.erase(dims.end() - 2);
  if (dropColumn)
    dims.pop_back();
  return call.give(product->withDims(dims));
}

static LogicalResult gemm(GemmOp op, Call &call) {
  HostTensor lhs = call[op.getLhs()], rhs = call[op.getRhs()];
  const HostTensor &bias = call[op.getBias()];
  if (op.getTransLhs())
    lhs = swapLastDims(lhs);
  if (op.getTransRhs())
    rhs = swapLastDims(rhs);
  int64_t m = lhs.getDim(0), k = lhs.getDim(1), n = rhs.getDim(1);
  if (rhs.getDim(0) != k)
    return call.fail("the contracted dimensions are " + Twine(k) + " and " +
                     Twine(rhs.getDim(0)));
  Doubles result(m * n), x = readDoubles(lhs), y = readDoubles(rhs);
  multiplyInto(x.data(), y.data(), result.data(), m, n, k);
  double alpha = op.getAlpha().convertToDouble();
  for (double &value : result)
    value *= alpha;
  if (bias.isValid()) {
    HostTensor target = HostTensor::view(DataType::Float32, {m, n}, nullptr, nullptr);
    FailureOr<Shape> dims = broadcastShapes(call, {target, bias});
    if (failed(dims))
      return failure();
    if (*dims != Shape{m, n})
      return call.fail("the bias " + formatDims(bias.getDims()) +
                       " does not broadcast to " + formatDims({m, n}));
    double beta = op.getBeta().convertToDouble();
    Doubles added = broadcast(readDoubles(bias), bias.getDims(), *dims);
    for (size_t i = 0; i < result.size(); ++i)
      result[i] += beta * added[i];
  }
  return call.give(makeTensor(call.getResultType(), {m, n}, result));
}

void interpreter::registerContraction(Registry &registry) {
  registry.add<MatMulOp>(matmul);
  registry.add<GemmOp>(gemm);
}
