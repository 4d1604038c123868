//===- VerifyNumeric.h - judges passes by what they compute -----*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// `nn-opt --verify-numeric`: executes the model before the first pass and after each
// pass that changed it, and compares its outputs and the ONNX tensors that its operations
// still compute (`nn.origin`).
//
// Each compared tensor is replaced by the one of the first execution, so that rounding
// errors do not accumulate and a difference arises where it is found. The results of a
// quantized model are compared with those after the previous pass, and rare differences
// of one step are allowed. What a pass computes that approximates, and says so by an entry in
// the module's list `nn.approximations`, is compared with nothing; later passes are compared
// with it. After the conversion to the LLVM dialect, the model is
// compiled and run as a whole, and only its outputs are compared.
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
  /// The model's inputs by name, or by "in:" and the name, as in files of expected
  /// outputs. Missing inputs are random numbers, the same in each run.
  NamedTensors inputs;
  /// A reproducer is written to this path plus ".mlir" and ".npz"; to nowhere if empty.
  std::string reproducer;
  /// Emit an error for a mismatch. Otherwise only `found` reports it.
  bool emitErrors = true;
};

/// The first mismatch; verification stops there.
struct NumericMismatch {
  std::string pass;
  std::string tensor; ///< ONNX's name; "" if the model cannot be executed
};

/// For PassManager::addInstrumentation. The context must be single-threaded. A mismatch
/// is emitted as an error and sets `found`. An instrumentation cannot make a pass fail, so
/// the caller has to check `found`.
std::unique_ptr<PassInstrumentation>
createNumericVerification(NumericVerificationOptions options,
                          std::optional<NumericMismatch> &found);

/// A pass on an operation of a module, as text for --pass-pipeline.
std::string getPipelineText(Pass *pass, Operation *op);

/// Extracts from `module`, as it is before a pass, the smallest part with which the pass
/// makes `tensor` wrong, and writes it with its inputs and a RUN line to `path`.mlir and
/// `path`.npz. `known` returns the tensor of a value in the first execution, in the
/// value's layout, if known. Returns a note for users.
std::string
writeReproducer(ModuleOp module, StringRef pipeline, StringRef tensor,
                const NamedTensors &inputs,
                llvm::function_ref<std::optional<HostTensor>(Value)> known,
                StringRef path);

} // namespace mlir::nn

#endif // NN_EXECUTION_VERIFYNUMERIC_H
