//===- VerifyNumeric.h - judges passes by what they compute -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// `nn-opt --verify-numeric`: executes the model before the first pass and after
// each pass that changed it, and compares the ONNX tensors that its operations
// still hold (`nn.origin`) and its outputs.
//
// Each tensor that was compared is replaced by the one of the first execution, so
// that rounding does not add up from operation to operation, and what is found
// wrong is what is wrong there. A quantized model is compared with what the pass before
// made of it, up to the seldom steps that rounding decides. After the conversion to the LLVM dialect the model
// is compiled and run as a whole, and only its outputs are compared.
//
//===----------------------------------------------------------------------===//

#ifndef NN_EXECUTION_VERIFYNUMERIC_H
#define NN_EXECUTION_VERIFYNUMERIC_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "nn/Support/TensorFiles.h"
#include <memory>

namespace mlir::nn {

struct NumericVerificationOptions {
  /// The model's inputs by name, or by "in:" and the name as in files of expected
  /// outputs. Those that are missing are random numbers, the same in each run.
  NamedTensors inputs;
  /// Where a reproducer is written: this and ".mlir", ".npz"; nowhere if empty.
  std::string reproducer;
  /// Emit what was found. Else only `found` tells of it.
  bool emitErrors = true;
};

/// What was found wrong first; nothing after it is looked at.
struct NumericMismatch {
  std::string pass;
  std::string tensor; ///< ONNX's name; "" if the model cannot be executed
};

/// For PassManager::addInstrumentation. The context must not use several threads.
/// A mismatch is emitted as an error, and sets `found`; passes cannot be failed
/// from outside, so that the caller has to look there.
std::unique_ptr<PassInstrumentation>
createNumericVerification(NumericVerificationOptions options,
                          std::optional<NumericMismatch> &found);

/// A pass on an operation of a module, as text for --pass-pipeline.
std::string getPipelineText(Pass *pass, Operation *op);

/// Cuts from `module`, as it is before a pass, as little as is needed for the pass
/// to compute `tensor` wrong, and writes it with its inputs and a RUN line to
/// `path`.mlir and `path`.npz. `known` gives what a value holds in the first
/// execution, in the value's layout, if that is known. Returns a note for users.
std::string
writeReproducer(ModuleOp module, StringRef pipeline, StringRef tensor,
                const NamedTensors &inputs,
                llvm::function_ref<std::optional<HostTensor>(Value)> known,
                StringRef path);

} // namespace mlir::nn

#endif // NN_EXECUTION_VERIFYNUMERIC_H
