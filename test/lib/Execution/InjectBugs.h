//===- InjectBugs.h - passes that are wrong ---------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_TEST_LIB_EXECUTION_INJECTBUGS_H
#define NN_TEST_LIB_EXECUTION_INJECTBUGS_H

namespace mlir::nn {

/// The passes test-bug-*, for tests of --verify-numeric.
void registerTestBugPasses();

} // namespace mlir::nn

#endif // NN_TEST_LIB_EXECUTION_INJECTBUGS_H
