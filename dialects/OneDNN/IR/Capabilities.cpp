//===- Capabilities.cpp - what oneDNN can run -----------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/OneDNN/IR/Capabilities.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::nn::onednn;

// f16 needs AVX512_FP16 and bf16 AVX512 in convolutions and products, so graphs
// of those types are legalised to compute in f32 before they come here.
static constexpr StringLiteral f32[] = {"f32"};
static constexpr StringLiteral anyType[] = {"f32", "f16", "bf16", "i32", "i8", "ui8"};

// clang-format off
static constexpr Capability table[] = {
  // primitive               ranks  types eltwise binary
  {"onednn.convolution",     3, 5,  f32,  true,   true},
  {"onednn.deconvolution",   3, 5,  f32,  true,   true},
  {"onednn.lrn",             4, 4,  f32,  false,  false},
  {"onednn.matmul",          2, 6,  f32,  true,   true},
  {"onednn.pooling",         3, 5,  f32,  true,   true},
  {"onednn.reorder",         1, 6,  anyType, false,  false},
  {"onednn.softmax",         1, 6,  f32,  false,  false},
};
// clang-format on

ArrayRef<Capability> mlir::nn::onednn::getCapabilities() { return table; }

const Capability &mlir::nn::onednn::getCapability(StringRef primitive) {
  for (const Capability &row : table)
    if (row.primitive == primitive)
      return row;
  llvm_unreachable("a primitive without capabilities");
}

std::string mlir::nn::onednn::whyUnsupported(StringRef primitive,
                                             Type elementType, int64_t rank) {
  const Capability &row = getCapability(primitive);
  std::string reason, type;
  llvm::raw_string_ostream(type) << elementType;
  llvm::raw_string_ostream stream(reason);
  if (!llvm::is_contained(row.types, type))
    stream << primitive << " computes in " << llvm::join(row.types, ", ")
           << ", not in " << type;
  else if (rank < row.minRank || rank > row.maxRank)
    stream << primitive << " takes ranks " << row.minRank << " to "
           << row.maxRank << ", not " << rank;
  return reason;
}
