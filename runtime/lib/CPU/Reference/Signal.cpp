//===- Signal.cpp - DFT and STFT ------------------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Reference/Fourier.h"
#include "CPU/Reference/Reference.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>
#include <vector>

using namespace nnrt;

namespace {

/// Memory of a thread, which keeps it from call to call unless it is large.
class Scratch {
public:
  /// Throws std::bad_alloc.
  Complex *get(int64_t elements) {
    if (int64_t(memory.size()) < elements)
      memory.resize(size_t(elements));
    return memory.data();
  }
  void trim() {
    constexpr size_t mostKept = size_t(1) << 20;
    if (memory.size() > mostKept)
      memory = std::vector<Complex>();
  }

private:
  std::vector<Complex> memory;
};

/// Rows of elements that are transformed independently of each other. They are numbered
/// outer * `inner` + i.
template <typename T> struct Rows {
  struct Layout {
    T *data;
    int64_t outer, inner, element; // strides
    T *place(int64_t row, int64_t count) const {
      return data + row / count * outer + row % count * inner;
    }
  };
  enum class Form { Real, Complex, HalfSpectrum };

  std::shared_ptr<const FourierPlan> plan;
  Layout from, to;
  int64_t count, inner;
  int64_t given;   // elements that a row of the input has
  int64_t results; // elements that a row of the result has
  Form form;       // of the input
  bool isComplex;  // whether the input has imaginary parts
  const T *window = nullptr;
  double scale = 1;
  bool isRealResult = false;

  /// Throws std::bad_alloc.
  void transform(const Loop &loop) const;

private:
  struct Call {
    const Rows *rows;
    std::atomic<bool> outOfMemory{false};
  };
  void transform(int64_t begin, int64_t end) const;
  void load(int64_t row, Complex *to) const;
  void store(int64_t row, const Complex *from) const;
};

} // namespace

template <typename T> void Rows<T>::load(int64_t row, Complex *to) const {
  const T *in = from.place(row, inner);
  int64_t length = plan->length(), known = std::min(given, length);
  if (form == Form::Real) {
    double *out = reinterpret_cast<double *>(to);
    for (int64_t n = 0; n < known; ++n)
      out[n] = double(in[n * from.element]) * (window ? double(window[n]) : 1);
    std::fill(out + known, out + length, 0.0);
    return;
  }
  auto read = [&](int64_t n) {
    const T *value = in + n * from.element;
    return Complex(value[0], isComplex ? value[1] : T(0));
  };
  if (form == Form::Complex) {
    for (int64_t n = 0; n < known; ++n)
      to[n] = read(n) * (window ? double(window[n]) : 1);
    std::fill(to + known, to + length, Complex());
    return;
  }
  std::fill(to, to + length, Complex());
  known = std::min(known, length / 2 + 1);
  for (int64_t k = 0; k < known; ++k) {
    to[k] = read(k);
    // That a real result has.
    if (k == 0 || 2 * k == length)
      to[k] = to[k].real();
    else
      to[length - k] = std::conj(to[k]);
  }
}

template <typename T> void Rows<T>::store(int64_t row, const Complex *from) const {
  T *out = to.place(row, inner);
  int64_t own = std::min(results, plan->numFrequencies());
  if (isRealResult) {
    for (int64_t k = 0; k < own; ++k)
      out[k * to.element] = T(from[k].real() * scale);
    return;
  }
  auto write = [&](int64_t k, double real, double imaginary) {
    out[k * to.element] = T(real * scale);
    out[k * to.element + 1] = T(imaginary * scale);
  };
  for (int64_t k = 0; k < own; ++k)
    write(k, from[k].real(), from[k].imag());
  for (int64_t k = own; k < results; ++k) {
    const Complex &mirrored = from[plan->length() - k];
    write(k, mirrored.real(), -mirrored.imag());
  }
}

template <typename T> void Rows<T>::transform(int64_t begin, int64_t end) const {
  static thread_local Scratch scratch;
  int64_t length = plan->length();
  Complex *in = scratch.get(2 * length + 1 + plan->scratchSize());
  Complex *out = in + length, *rest = out + length + 1;
  for (int64_t row = begin; row < end; ++row) {
    load(row, in);
    plan->transform(in, out, rest);
    store(row, out);
  }
  scratch.trim();
}

template <typename T> void Rows<T>::transform(const Loop &loop) const {
  Call call{this};
  // Ranges are worth a thread's attention: some ten microseconds.
  double work = double(plan->length()) * std::log2(double(plan->length()) + 1);
  int64_t grain = std::max<int64_t>(1, int64_t(16384 / work));
  loop(
      [](void *arg, int64_t begin, int64_t end) {
        Call &call = *static_cast<Call *>(arg);
        try {
          call.rows->transform(begin, end);
        } catch (const std::bad_alloc &) {
          call.outOfMemory = true;
        }
      },
      &call, count, grain);
  if (call.outOfMemory)
    throw std::bad_alloc();
}

/// Calls `action` with a null pointer to the C++ type. Null, or why there is none.
template <typename Action>
static const char *dispatchFloat(const nnrt_abi_tensor &tensor, Action action) {
  if (tensor.type == NNRT_ABI_F32)
    action(static_cast<float *>(nullptr));
  else if (tensor.type == NNRT_ABI_F64)
    action(static_cast<double *>(nullptr));
  else
    return "a transform got elements of an unknown type";
  return nullptr;
}

const char *nnrt::runDFT(const int64_t *parameters, const nnrt_abi_tensor *args,
                         const Loop &loop) {
  const nnrt_abi_tensor &input = args[0], &result = args[2];
  int64_t axis = parameters[0], size = input.dims[axis], results = result.dims[axis];
  bool inverse = parameters[1], oneSided = parameters[2];
  int64_t length = *getData<int64_t>(args[1]);
  if (length < 0 || (length == 0 && size == 0))
    return "dft_length is not positive";
  if (inverse || !oneSided)
    length = results;
  else if (length == 0)
    length = size;
  int64_t outer = product(input, 0, axis);
  int64_t inner = product(input, axis + 1, input.rank - 1);
  if (outer * inner == 0 || results == 0)
    return nullptr;
  return dispatchFloat(input, [&](auto *type) {
    using T = std::remove_pointer_t<decltype(type)>;
    using Form = typename Rows<T>::Form;
    int64_t parts = input.dims[input.rank - 1], resultParts = result.dims[result.rank - 1];
    Rows<T> rows;
    rows.isComplex = parts == 2;
    rows.isRealResult = inverse && oneSided;
    rows.form = rows.isRealResult ? Form::HalfSpectrum
                : rows.isComplex  ? Form::Complex
                                  : Form::Real;
    rows.plan = FourierPlan::get({length, inverse, rows.form == Form::Real});
    rows.from = {getData<T>(input), size * inner * parts, parts, inner * parts};
    rows.to = {getData<T>(result), results * inner * resultParts, resultParts,
               inner * resultParts};
    rows.count = outer * inner;
    rows.inner = inner;
    rows.given = size;
    rows.results = results;
    rows.scale = inverse ? 1 / double(length) : 1;
    rows.transform(loop);
  });
}

const char *nnrt::runSTFT(const nnrt_abi_tensor *args, const Loop &loop) {
  const nnrt_abi_tensor &signal = args[0], &window = args[2], &result = args[4];
  int64_t step = *getData<int64_t>(args[1]), length = *getData<int64_t>(args[3]);
  if (step < 1)
    return "frame_step is not positive";
  if (length < 0)
    return "frame_length is not positive";
  if (length == 0)
    length = window.dims[0];
  if (length == 0)
    return "the window is empty";
  if (window.rank > 0 && window.dims[0] != length)
    return "the window does not have frame_length elements";
  int64_t size = signal.dims[1], frames = result.dims[1], frequencies = result.dims[2];
  if (size < length)
    return "the signal is shorter than a frame";
  if (signal.dims[0] == 0)
    return nullptr;
  return dispatchFloat(signal, [&](auto *type) {
    using T = std::remove_pointer_t<decltype(type)>;
    using Form = typename Rows<T>::Form;
    int64_t parts = signal.dims[2];
    Rows<T> rows;
    rows.isComplex = parts == 2;
    rows.form = rows.isComplex ? Form::Complex : Form::Real;
    rows.plan = FourierPlan::get({length, /*inverse=*/false, !rows.isComplex});
    rows.from = {getData<T>(signal), size * parts, step * parts, parts};
    rows.to = {getData<T>(result), frames * frequencies * 2, frequencies * 2, 2};
    rows.count = signal.dims[0] * frames;
    rows.inner = frames;
    rows.given = length;
    rows.results = frequencies;
    rows.window = window.rank > 0 ? getData<T>(window) : nullptr;
    rows.transform(loop);
  });
}
