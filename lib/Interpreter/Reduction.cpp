//===- Reduction.cpp - reductions -----------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "Elements.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::nn;
using namespace mlir::nn::interpreter;

/// Reduces the elements of each group that `axes` span to `reduce(group)`.
template <typename T, typename Reduce>
static HostTensor reduceAxes(const HostTensor &input,
                             const std::vector<T> &elements,
                             ArrayRef<int64_t> axes, bool keepdims,
                             DataType type, Reduce reduce) {
  Shape kept(input.getDims()), reduced, reducedStrides, dims;
  Shape strides = getStrides(input.getDims());
  Shape normal = normalizeAxes(axes, input.getRank());
  for (int64_t d = 0; d < input.getRank(); ++d) {
    bool isReduced = llvm::is_contained(normal, d);
    if (isReduced) {
      reduced.push_back(kept[d]);
      reducedStrides.push_back(strides[d]);
      kept[d] = 1;
    }
    if (!isReduced || keepdims)
      dims.push_back(kept[d]);
  }
  std::vector<int64_t> offsets;
  forEachIndex(reduced, [&](ArrayRef<int64_t> index) {
    offsets.push_back(dot(index, reducedStrides));
  });
  using Result = decltype(reduce(elements));
  std::vector<Result> results;
  std::vector<T> group(offsets.size());
  forEachIndex(kept, [&](ArrayRef<int64_t> index) {
    int64_t first = dot(index, strides);
    for (size_t i = 0; i < offsets.size(); ++i)
      group[i] = elements[first + offsets[i]];
    results.push_back(reduce(group));
  });
  return makeTensor(type, dims, results);
}

/// An operator whose formula is over doubles for all types; integers are
/// truncated at the end.
template <typename OpT>
static void addOnDoubles(Registry &registry, double (*reduce)(const Doubles &)) {
  registry.add<OpT>([=](OpT op, Call &call) {
    const HostTensor &input = call[op.getInput()];
    return call.give(reduceAxes(input, readDoubles(input), op.getAxes(),
                                op.getKeepdims(), input.getType(), reduce));
  });
}

/// An operator that is exact on integers: `step(accumulator, x)` on doubles or
/// on 64-bit integers that wrap.
template <typename OpT, typename Step>
static void addExact(Registry &registry, double start, Step step) {
  registry.add<OpT>([=](OpT op, Call &call) {
    const HostTensor &input = call[op.getInput()];
    auto reduce = [&](const auto &group) {
      auto result = typename std::decay_t<decltype(group)>::value_type(start);
      for (auto x : group)
        result = step(result, x);
      return result;
    };
    if (isFloat(input.getType()))
      return call.give(reduceAxes(input, readDoubles(input), op.getAxes(),
                                  op.getKeepdims(), input.getType(), reduce));
    return call.give(reduceAxes(input, readInts(input), op.getAxes(),
                                op.getKeepdims(), input.getType(), reduce));
  });
}

template <typename T> static T wrappingAdd(T x, T y) {
  if constexpr (std::is_same_v<T, double>)
    return x + y;
  else
    return T(uint64_t(x) + uint64_t(y));
}
template <typename T> static T wrappingMultiply(T x, T y) {
  if constexpr (std::is_same_v<T, double>)
    return x * y;
  else
    return T(uint64_t(x) * uint64_t(y));
}

/// The value of an empty reduction: the smallest (largest) of the type.
static double getLowest(DataType type, bool lowest) {
  if (isFloat(type))
    return lowest ? -std::numeric_limits<double>::infinity()
                  : std::numeric_limits<double>::infinity();
  return 0;
}
static int64_t getLowestInt(DataType type, bool lowest) {
  if (type == DataType::Bool)
    return lowest ? 0 : 1;
  unsigned bits = 8 * getByteSize(type);
  if (isUnsignedInteger(type))
    return lowest ? 0 : int64_t(~0ull >> (64 - bits));
  int64_t min = int64_t(~0ull << (bits - 1));
  return lowest ? min : ~min;
}

/// Maximum or minimum; NaN if any element is NaN.
template <typename OpT> static void addExtremum(Registry &registry, bool max) {
  registry.add<OpT>([=](OpT op, Call &call) {
    const HostTensor &input = call[op.getInput()];
    DataType type = input.getType();
    if (isFloat(type))
      return call.give(reduceAxes(
          input, readDoubles(input), op.getAxes(), op.getKeepdims(), type,
          [&](const Doubles &group) {
            double best = getLowest(type, max);
            for (double x : group)
              if (x != x || (best == best && (max ? x > best : x < best)))
                best = x;
            return best;
          }));
    bool isUInt64 = type == DataType::UInt64;
    return call.give(reduceAxes(
        input, readInts(input), op.getAxes(), op.getKeepdims(), type,
        [&](const Ints &group) {
          int64_t best = getLowestInt(type, max);
          for (int64_t x : group) {
            bool less = isUInt64 ? uint64_t(x) < uint64_t(best) : x < best;
            if (max ? !less : less)
              best = x;
          }
          return best;
        }));
  });
}

static double logSumExp(const Doubles &group) {
  double max = -std::numeric_limits<double>::infinity(), sum = 0;
  for (double x : group) {
    if (std::isnan(x))
      return x;
    max = std::max(max, x);
  }
  if (std::isinf(max))
    return max;
  for (double x : group)
    sum += std::exp(x - max);
  return max + std::log(sum);
}

template <typename OpT> static void addArg(Registry &registry, bool max) {
  registry.add<OpT>([=](OpT op, Call &call) {
    const HostTensor &input = call[op.getInput()];
    bool last = op.getSelectLastIndex();
    if (input.getDim(normalizeAxis(op.getAxis(), input.getRank())) == 0)
      return call.fail("the axis has no elements");
    auto find = [=](const auto &group) {
      int64_t best = 0;
      for (size_t i = 1; i < group.size(); ++i) {
        bool better = max ? group[i] > group[best] : group[i] < group[best];
        if (better || (last && group[i] == group[best]))
          best = i;
      }
      return best;
    };
    int64_t axes[] = {op.getAxis()};
    if (isFloat(input.getType()))
      return call.give(reduceAxes(input, readDoubles(input), axes,
                                  op.getKeepdims(), DataType::Int64, find));
    if (input.getType() != DataType::UInt64)
      return call.give(reduceAxes(input, readInts(input), axes,
                                  op.getKeepdims(), DataType::Int64, find));
    Ints bits = readInts(input);
    return call.give(reduceAxes(input,
                                std::vector<uint64_t>(bits.begin(), bits.end()),
                                axes, op.getKeepdims(), DataType::Int64, find));
  });
}

/// Sums or products of all elements before each one along an axis.
template <typename OpT, typename F>
static void addCumulative(Registry &registry, int64_t start, F combine) {
  registry.add<OpT>([=](OpT op, Call &call) {
    const HostTensor &input = call[op.getInput()];
    int64_t axis = normalizeAxis(op.getAxis(), input.getRank());
    int64_t size = input.getDim(axis);
    int64_t inner = product(input.getDims().drop_front(axis + 1));
    int64_t lines = size ? input.getNumElements() / size : 0;
    auto run = [&](auto values) {
      using T = typename decltype(values)::value_type;
      for (int64_t line = 0; line < lines; ++line) {
        int64_t base = line / inner * size * inner + line % inner;
        T sum = T(start);
        for (int64_t i = 0; i < size; ++i) {
          T &value = values[base + (op.getReverse() ? size - 1 - i : i) * inner];
          T next = combine(sum, value);
          value = op.getExclusive() ? sum : next;
          sum = next;
        }
      }
      return call.give(makeTensor(input.getType(), input.getDims(), values));
    };
    return isFloat(input.getType()) ? run(readDoubles(input)) : run(readInts(input));
  });
}

void interpreter::registerReduction(Registry &registry) {
  addExact<ReduceSumOp>(registry, 0, [](auto sum, auto x) { return wrappingAdd(sum, x); });
  addExact<ReduceProdOp>(registry, 1, [](auto product, auto x) {
    return wrappingMultiply(product, x);
  });
  addExact<ReduceL1Op>(registry, 0, [](auto sum, auto x) {
    return wrappingAdd(sum, x < 0 ? -x : x);
  });
  addExact<ReduceSumSquareOp>(registry, 0, [](auto sum, auto x) {
    return wrappingAdd(sum, wrappingMultiply(x, x));
  });
  addOnDoubles<ReduceMeanOp>(registry, [](const Doubles &group) {
    double sum = 0;
    for (double x : group)
      sum += x;
    return sum / double(group.size());
  });
  addOnDoubles<ReduceL2Op>(registry, [](const Doubles &group) {
    double sum = 0;
    for (double x : group)
      sum += x * x;
    return std::sqrt(sum);
  });
  addOnDoubles<ReduceLogSumOp>(registry, [](const Doubles &group) {
    double sum = 0;
    for (double x : group)
      sum += x;
    return std::log(sum);
  });
  addOnDoubles<ReduceLogSumExpOp>(registry, logSumExp);
  addExtremum<ReduceMaxOp>(registry, true);
  addExtremum<ReduceMinOp>(registry, false);
  addArg<ArgMaxOp>(registry, true);
  addArg<ArgMinOp>(registry, false);
  addCumulative<CumSumOp>(registry, 0, [](auto sum, auto x) { return wrappingAdd(sum, x); });
  addCumulative<CumProdOp>(registry, 1, [](auto product, auto x) {
    return wrappingMultiply(product, x);
  });
}
