//===- OneDNNConvCase.h - a convolution and its definition ------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_TEST_ONEDNNCONVCASE_H
#define NNRT_TEST_ONEDNNCONVCASE_H

#include "OneDNNCall.h"

#include <iosfwd>

namespace nnrt {
namespace test {

/// One (de)convolution, its post-ops, and the operands of these.
struct ConvCase {
  const char *name;
  std::vector<int64_t> src, weights, dst; // N, C, spatial; ONNX's weights
  int64_t groups = 1;
  std::vector<int64_t> strides = {1, 1, 1}, dilations = {1, 1, 1},
                       padsBegin = {0, 0, 0}, padsEnd = {0, 0, 0};
  bool transposed = false;
  int flags = 0;
};

std::ostream &operator<<(std::ostream &out, const ConvCase &c);

/// The sum over windows, by the definition. `bias` may be null.
Array convolve(const ConvCase &c, const Array &src, const Array &weights,
               const Array *bias);

/// The call site, channels first, without bias and post-ops.
nnrt_abi_onednn_site siteOf(const ConvCase &c);

} // namespace test
} // namespace nnrt

#endif // NNRT_TEST_ONEDNNCONVCASE_H
