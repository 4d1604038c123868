//===- OneDNNConvCase.cpp - a convolution and its definition --------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "OneDNNConvCase.h"

#include <ostream>

using namespace nnrt;
using namespace nnrt::test;

std::ostream &test::operator<<(std::ostream &out, const ConvCase &c) {
  return out << c.name;
}

Array test::convolve(const ConvCase &c, const Array &src, const Array &weights,
               const Array *bias) {
  Array dst;
  dst.dims = c.dst;
  int64_t spatial = src.rank() - 2;
  int64_t outs = c.dst[1] / c.groups, ins = c.src[1] / c.groups;
  std::vector<int64_t> kernel(c.weights.begin() + 2, c.weights.end());
  forEachIndex(c.dst, [&](const std::vector<int64_t> &at, int64_t) {
    double sum = bias ? bias->values[at[1]] : 0;
    int64_t group = at[1] / outs;
    for (int64_t i = 0; i < ins; ++i)
      forEachIndex(kernel, [&](const std::vector<int64_t> &k, int64_t) {
        std::vector<int64_t> s = {at[0], group * ins + i}, w;
        w = c.transposed ? std::vector<int64_t>{group * ins + i, at[1] % outs}
                         : std::vector<int64_t>{at[1], i};
        for (int64_t d = 0; d < spatial; ++d) {
          int64_t offset = k[d] * c.dilations[d] - c.padsBegin[d];
          int64_t p = c.transposed ? at[2 + d] - offset
                                   : at[2 + d] * c.strides[d] + offset;
          if (c.transposed) {
            if (p % c.strides[d])
              return;
            p /= c.strides[d];
          }
          if (p < 0 || p >= c.src[2 + d])
            return;
          s.push_back(p);
          w.push_back(k[d]);
        }
        sum += double(src.at(s)) * weights.at(w);
      });
    dst.values.push_back(float(sum));
  });
  return dst;
}

nnrt_abi_onednn_site test::siteOf(const ConvCase &c) {
  nnrt_abi_onednn_site site =
      makeSite(c.transposed ? NNRT_ABI_ONEDNN_DECONVOLUTION
                            : NNRT_ABI_ONEDNN_CONVOLUTION,
               int(c.src.size()) - 2);
  site.groups = c.groups;
  site.flags = c.flags;
  for (int i = 0; i < site.spatial_rank; ++i) {
    site.strides[i] = c.strides[i];
    site.dilations[i] = c.dilations[i];
    site.pads_begin[i] = c.padsBegin[i];
    site.pads_end[i] = c.padsEnd[i];
  }
  return site;
}
