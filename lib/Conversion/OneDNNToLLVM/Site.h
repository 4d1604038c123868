//===- Site.h - what of a primitive does not depend on the run --*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Private to this folder.
//
//===----------------------------------------------------------------------===//

#ifndef NN_CONVERSION_ONEDNNTOLLVM_SITE_H
#define NN_CONVERSION_ONEDNNTOLLVM_SITE_H

#include "dialects/OneDNN/IR/OneDNN.h"
#include "nn/Conversion/RuntimeCalls.h"

namespace mlir::nn {

/// nnrt_abi_onednn_site (runtime/abi/nnrt_abi.h) with the compiler's types, and the
/// call's arguments in order.
struct Site {
  int32_t kind = 0, algorithm = 0, flags = 0;
  int64_t spatialRank = 0, groups = 1;
  SmallVector<int64_t> kernel, strides, dilations, padsBegin, padsEnd;
  int32_t axis = 0;
  float alpha = 0, beta = 0, k = 0;
  int32_t srcZeroPoint = 0;
  ArrayRef<Attribute> postOps;

  struct Argument {
    unsigned operand; // of the operation
    /// Dimension i of the argument is dimension permutation[i] of the operand.
    SmallVector<int64_t> permutation;
  };
  SmallVector<Argument> arguments;
  /// Position of the first operand of post-ops among the arguments.
  int32_t firstPostOpArgument = 0;
};

Site describeSite(onednn::PrimitiveOpInterface op);

/// The constant in the module; `next` numbers the sites.
LLVM::GlobalOp createSiteGlobal(ModuleOp module, Location location,
                                const Site &site, StringRef name,
                                unsigned &next);

} // namespace mlir::nn

#endif // NN_CONVERSION_ONEDNNTOLLVM_SITE_H
