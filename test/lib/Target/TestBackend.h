//===- TestBackend.h - a back end for tests ---------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TEST_LIB_TARGET_TESTBACKEND_H
#define NN_TEST_LIB_TARGET_TESTBACKEND_H

namespace mlir::nn {

/// Registers the back end `negate`, which docs/AddingABackend.md explains. It is asked
/// where a target lists the library `negate`.
void registerTestBackend();

} // namespace mlir::nn

#endif // NN_TEST_LIB_TARGET_TESTBACKEND_H
