//===- Activity.h - what the compiler is working on -------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// The step (a pass, the import, code generation) and the ONNX node that the process
// works on: for progress, and for the messages of failures that no code of ours
// returns from (memory exhausted, a crash). One per process, written by the thread
// that compiles and read by any other.
//
//===----------------------------------------------------------------------===//

#ifndef NN_SUPPORT_ACTIVITY_H
#define NN_SUPPORT_ACTIVITY_H

#include "mlir/IR/Location.h"
#include <string>

namespace mlir::nn {

/// Names the step in a form that fits behind "in": "pass 'nn-fold-shapes'". Counts
/// the steps, and forgets the node.
void setCurrentStep(llvm::StringRef step);
/// What was set last, "" at first; and how many steps there were.
std::string getCurrentStep();
unsigned getNumSteps();

/// Names the node, by the location of what it was imported to.
void setCurrentNode(Location location);

/// "in STEP at node 'NAME'", as far as it is known; "" if nothing is.
std::string describeActivity();

} // namespace mlir::nn

#endif // NN_SUPPORT_ACTIVITY_H
