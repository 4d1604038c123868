//===- SpatialAttrs.h - attributes of convolutions and pools ----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_LIB_IMPORT_ONNX_SPATIALATTRS_H
#define NN_LIB_IMPORT_ONNX_SPATIALATTRS_H

#include "NodeBinder.h"

namespace mlir::nn::importer {

struct SpatialAttrs {
  SmallVector<int64_t> kernelShape, strides, dilations, pads;
  AutoPad autoPad = AutoPad::NotSet;

  NodeBinder &bind(NodeBinder &node) {
    std::string name;
    node.attr("kernel_shape", kernelShape).attr("strides", strides)
        .attr("dilations", dilations).attr("pads", pads)
        .attr("auto_pad", name, "NOTSET",
              {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", ""});
    autoPad = name == "SAME_UPPER"   ? AutoPad::SameUpper
              : name == "SAME_LOWER" ? AutoPad::SameLower
              : name == "VALID"      ? AutoPad::Valid
                                     : AutoPad::NotSet;
    // ONNX forbids pads together with auto_pad; exporters write them, and they are
    // ignored.
    if (autoPad != AutoPad::NotSet)
      pads.clear();
    return node;
  }

  /// The weight of a convolution. `kernel_shape` repeats the shape of its windows: where
  /// the model does not declare that of the weight, it is this one, and the run checks it.
  /// Null, and reported, if they differ.
  Value bindKernelShape(NodeBinder &node, Value weight) const;
};

} // namespace mlir::nn::importer

#endif // NN_LIB_IMPORT_ONNX_SPATIALATTRS_H
