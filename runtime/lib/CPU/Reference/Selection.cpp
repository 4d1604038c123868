//===- Selection.cpp - TopK, NonZero, Unique ------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Reference/Reference.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <type_traits>

using namespace nnrt;

static const char *const unknownType = "a kernel got elements of an unknown type";

/// Whether `x` comes before `y`, whatever their places.
template <bool largest, typename T> static bool isBetter(T x, T y) {
  if constexpr (std::is_floating_point_v<T>) // As one comparison, where y is a number.
    return largest ? !(x <= y) & (y == y) : (x < y) | ((x == x) & (y != y));
  else
    return largest ? compareElements(x, y) > 0 : compareElements(x, y) < 0;
}

/// The first of places [from, size) whose element is better than `bound`, else `size`.
template <bool largest, typename T>
static int64_t findBetter(const T *line, int64_t stride, int64_t from, int64_t size,
                          T bound) {
  // Blocks without branches, which compilers vectorize.
  constexpr int64_t block = 32;
  if (stride == 1)
    for (; from + block <= size; from += block) {
      int any = 0;
      for (int64_t i = 0; i < block; ++i)
        any |= isBetter<largest>(line[from + i], bound);
      if (any)
        break;
    }
  while (from < size && !isBetter<largest>(line[from * stride], bound))
    ++from;
  return from;
}

/// The largest k for which elements are inserted into a sorted list.
static constexpr int64_t few = 16;

/// Writes the places of the k best elements of a line to the front of `order`.
template <bool largest, typename T>
static void selectFew(const T *line, int64_t stride, int64_t size, int64_t k,
                      int64_t *order) {
  T best[few];
  int64_t count = 0;
  for (int64_t next = 0; next < size; ++next) {
    if (count == k)
      next = findBetter<largest>(line, stride, next, size, best[k - 1]);
    if (next == size)
      return;
    T element = line[next * stride];
    int64_t at = count < k ? count++ : k - 1;
    for (; at > 0 && isBetter<largest>(element, best[at - 1]); --at) {
      best[at] = best[at - 1];
      order[at] = order[at - 1];
    }
    best[at] = element;
    order[at] = next;
  }
}

/// A place of a line and how good its element is as one number: smaller ones come first,
/// in a total order, so that the result is the same on all machines. Only for elements of
/// up to 32 bits and places of as many.
template <bool largest, typename T> struct Ranked {
  using Key = uint64_t;
  const T *line;
  int64_t stride;

  Key getKey(int64_t place) const {
    return uint64_t(getRank(line[place * stride])) << 32 | uint64_t(place);
  }
  int64_t getPlace(Key key) const { return int64_t(uint32_t(key)); }
  bool operator()(Key a, Key b) const { return a < b; }

private:
  static uint32_t getRank(T x) {
    constexpr uint32_t sign = 1u << 31;
    uint32_t rank; // Higher for larger elements, highest for NaN.
    if constexpr (std::is_integral_v<T>) {
      rank = uint32_t(x) ^ (std::is_signed_v<T> ? sign : 0);
    } else {
      float value = float(x) + 0.0f; // -0 and 0 are equal.
      std::memcpy(&rank, &value, sizeof rank);
      rank = value != value ? UINT32_MAX : rank & sign ? ~rank : rank | sign;
    }
    return largest ? ~rank : rank;
  }
};

/// The same with places alone, for any elements.
template <bool largest, typename T> struct Placed {
  using Key = int64_t;
  const T *line;
  int64_t stride;

  Key getKey(int64_t place) const { return place; }
  int64_t getPlace(Key key) const { return key; }
  bool operator()(Key a, Key b) const {
    T x = line[a * stride], y = line[b * stride];
    return isBetter<largest>(x, y) || (a < b && !isBetter<largest>(y, x));
  }
};

/// The same as selectFew for any k; `order` has room for all places. Candidates are
/// collected behind the k best so far; when there are as many of them again, the best of
/// all are selected, so that an element takes constant time. Most are only compared with
/// the worst of the k.
template <bool largest, typename T, typename Before>
static void selectMany(Before before, int64_t size, int64_t k, int64_t *order) {
  static_assert(sizeof(typename Before::Key) == sizeof(int64_t));
  auto *keys = reinterpret_cast<typename Before::Key *>(order);
  int64_t room = std::min(size, 2 * k), count = room;
  for (int64_t place = 0; place < room; ++place)
    keys[place] = before.getKey(place);
  for (int64_t next = room; next < size;) {
    std::nth_element(keys, keys + k - 1, keys + count, before);
    // Of equal elements the first counts, so that only better ones matter from here on.
    T bound = before.line[before.getPlace(keys[k - 1]) * before.stride];
    for (count = k; next < size && count < room; ++next) {
      next = findBetter<largest>(before.line, before.stride, next, size, bound);
      if (next < size)
        keys[count++] = before.getKey(next);
    }
  }
  std::nth_element(keys, keys + k - 1, keys + count, before);
  std::sort(keys, keys + k - 1, before);
  for (int64_t i = 0; i < k; ++i)
    order[i] = before.getPlace(keys[i]);
}

template <bool largest, typename T>
static void selectBest(const T *line, int64_t stride, int64_t size, int64_t k,
                       int64_t *order) {
  if (k <= few)
    return selectFew<largest, T>(line, stride, size, k, order);
  if constexpr (sizeof(T) <= sizeof(uint32_t))
    if (size <= UINT32_MAX)
      return selectMany<largest, T>(Ranked<largest, T>{line, stride}, size, k, order);
  selectMany<largest, T>(Placed<largest, T>{line, stride}, size, k, order);
}

template <typename T>
static void findTopK(const nnrt_abi_tensor *args, int64_t axis, bool largest) {
  const nnrt_abi_tensor &input = args[0];
  const T *in = getData<T>(input);
  T *values = getData<T>(args[1]);
  int64_t *indices = getData<int64_t>(args[2]), *order = getData<int64_t>(args[3]);
  int64_t size = input.dims[axis], k = args[1].dims[axis];
  if (k == 0)
    return;
  int64_t inner = product(input, axis + 1, input.rank), outer = product(input, 0, axis);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      const T *line = in + o * size * inner + i;
      if (largest)
        selectBest<true>(line, inner, size, k, order);
      else
        selectBest<false>(line, inner, size, k, order);
      for (int64_t j = 0; j < k; ++j) {
        values[(o * k + j) * inner + i] = line[order[j] * inner];
        indices[(o * k + j) * inner + i] = order[j];
      }
    }
}

const char *nnrt::runTopK(const int64_t *parameters, const nnrt_abi_tensor *args) {
  int64_t axis = parameters[1];
  if (args[1].dims[axis] > args[0].dims[axis])
    return "k is larger than the dimension";
  bool known = dispatch(parameters[0], [&](auto *type) {
    findTopK<std::remove_pointer_t<decltype(type)>>(args, axis, parameters[2] != 0);
  });
  return known ? nullptr : unknownType;
}

const char *nnrt::runNonZero(const int64_t *parameters, const nnrt_abi_tensor *args) {
  const nnrt_abi_tensor &input = args[0];
  int64_t *indices = getData<int64_t>(args[1]), &count = *getData<int64_t>(args[2]);
  int64_t total = product(input, 0, input.rank);
  count = 0;
  bool known = dispatch(parameters[0], [&](auto *type) {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *in = getData<T>(input);
    for (int64_t place = 0; place < total; ++place) {
      if (isZero(in[place]))
        continue;
      for (int64_t d = input.rank - 1, rest = place; d >= 0; --d) {
        indices[d * total + count] = rest % input.dims[d];
        rest /= input.dims[d];
      }
      ++count;
    }
  });
  return known ? nullptr : unknownType;
}

template <typename T>
static void findUnique(const nnrt_abi_tensor *args, int64_t axis, bool sorted) {
  const nnrt_abi_tensor &input = args[0];
  const T *in = getData<T>(input);
  T *values = getData<T>(args[1]);
  int64_t *indices = getData<int64_t>(args[2]), *inverse = getData<int64_t>(args[3]);
  int64_t *counts = getData<int64_t>(args[4]), &count = *getData<int64_t>(args[5]);
  int64_t size, inner = 1, outer = 1;
  if (axis < 0) {
    size = product(input, 0, input.rank);
  } else {
    size = input.dims[axis];
    inner = product(input, axis + 1, input.rank);
    outer = product(input, 0, axis);
  }
  int64_t *order = getData<int64_t>(args[6]), *group = order + size;
  auto compare = [&](int64_t a, int64_t b) {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        if (int result = compareElements(in[(o * size + a) * inner + i],
                                         in[(o * size + b) * inner + i]))
          return result;
    return 0;
  };
  std::iota(order, order + size, int64_t(0));
  std::sort(order, order + size, [&](int64_t a, int64_t b) {
    int result = compare(a, b);
    return result ? result < 0 : a < b;
  });
  // The first slice of each group, and for each slice its group.
  count = 0;
  for (int64_t i = 0; i < size; ++i) {
    if (i == 0 || compare(order[i - 1], order[i]) != 0) {
      indices[count] = order[i];
      counts[count++] = 0;
    }
    ++counts[count - 1];
    inverse[order[i]] = count - 1;
  }
  if (!sorted) { // groups by their first slice
    std::iota(group, group + count, int64_t(0));
    std::sort(group, group + count,
              [&](int64_t a, int64_t b) { return indices[a] < indices[b]; });
    // order: the new number of each group.
    for (int64_t g = 0; g < count; ++g)
      order[group[g]] = g;
    for (int64_t i = 0; i < size; ++i)
      inverse[i] = order[inverse[i]];
    std::sort(indices, indices + count);
    std::fill(counts, counts + count, 0);
    for (int64_t i = 0; i < size; ++i)
      ++counts[inverse[i]];
  }
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t g = 0; g < count; ++g)
      for (int64_t i = 0; i < inner; ++i)
        values[(o * size + g) * inner + i] = in[(o * size + indices[g]) * inner + i];
}

const char *nnrt::runUnique(const int64_t *parameters, const nnrt_abi_tensor *args) {
  bool known = dispatch(parameters[0], [&](auto *type) {
    findUnique<std::remove_pointer_t<decltype(type)>>(args, parameters[1],
                                                      parameters[2] != 0);
  });
  return known ? nullptr : unknownType;
}
