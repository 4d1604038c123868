//===- Model.h - models that can run ----------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// What nn-run and tests run: a compiled library, or a module to be interpreted.
//
//===----------------------------------------------------------------------===//

#ifndef NN_EXECUTION_MODEL_H
#define NN_EXECUTION_MODEL_H

#include "mlir/IR/BuiltinOps.h"
#include "nn/Interpreter/Interpreter.h"
#include "nn/Support/Structured.h"
#include "nn/Support/TensorFiles.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <optional>

namespace mlir::nn {

/// An input or output of a model.
struct TensorInfo {
  std::string name;
  DataType type = DataType::Undefined;
  /// -1 for a size known only at run time.
  SmallVector<int64_t> dims;
  /// As many as dims; "" for a dimension without a name.
  SmallVector<std::string> dimNames;
  /// Which part (nnrt_part in nnrt.h) of the value with that name it is; "" for tensors.
  ValuePart part = ValuePart::Tensor;
  std::string value;

  /// "images: float32[N,3,?,224]"
  std::string describe() const;
};

/// A value of the model's signature: one tensor, or the tensors that together represent
/// a sequence or optional.
struct ValueInfo {
  std::string name;
  ValueType type;
  /// Its tensors: `count` tensors of the signature, starting at `first`.
  size_t first = 0, count = 1;
  /// The tensor (also of an optional), or the elements of a sequence. It has the name of
  /// the value.
  TensorInfo tensor;

  /// "images: float32[N,3,?,224]", "boxes: optional sequence of float32"
  std::string describe() const;
};

/// Groups tensors into values; an error if parts are not arranged as nnrt.h requires.
llvm::Expected<std::vector<ValueInfo>> groupValues(ArrayRef<TensorInfo> tensors);

/// The time spent in a kernel.
struct KernelTime {
  std::string kind;
  std::string nodes;
  uint64_t calls = 0;
  uint64_t totalNs = 0;
};

/// A compiled model's variant and its memory in bytes (see nnrt.h).
struct LibraryInfo {
  std::string variant;
  size_t weights = 0, packedWeights = 0;
  /// Formulas of the inputs' dimensions; "" if there is none.
  std::string arenaFormula, deviceArenaFormula;
  unsigned numDataDependent = 0;
  /// What the session has allocated in its runs so far.
  size_t arena = 0, dataDependent = 0, outputs = 0, inputCopies = 0, scratchpad = 0;
  size_t deviceArena = 0;
};

class Model {
public:
  virtual ~Model() = default;

  ArrayRef<TensorInfo> getInputs() const { return inputs; }
  ArrayRef<TensorInfo> getOutputs() const { return outputs; }
  /// The same as values, in which a sequence or optional is a single entry.
  ArrayRef<ValueInfo> getInputValues() const { return inputValues; }
  ArrayRef<ValueInfo> getOutputValues() const { return outputValues; }

  /// Runs the model on inputs in the order of getInputs(). The caller owns the results.
  virtual llvm::Expected<HostTensors> run(ArrayRef<HostTensor> inputs) = 0;
  /// Runs the model and drops its results; for benchmarks.
  virtual llvm::Error runOnly(ArrayRef<HostTensor> inputs) {
    return run(inputs).takeError();
  }
  /// Of the runs so far; empty if profiling was not requested at the start.
  virtual std::vector<KernelTime> getProfile() { return {}; }
  /// nullopt for interpreted models.
  virtual llvm::Expected<std::optional<LibraryInfo>> getLibraryInfo() {
    return std::nullopt;
  }

protected:
  /// To be called once inputs and outputs are known.
  llvm::Error initializeValues();

  std::vector<TensorInfo> inputs, outputs;

private:
  std::vector<ValueInfo> inputValues, outputValues;
};

struct LibraryOptions {
  int threads = 0; ///< 0: one per core
  bool profile = false;
};

/// Opens a library made by nn-translate.
llvm::Expected<std::unique_ptr<Model>> openLibrary(llvm::StringRef path,
                                                   const LibraryOptions &options);

/// A model that interprets @main of the module, which must outlive it.
llvm::Expected<std::unique_ptr<Model>> interpretModule(ModuleOp module);

/// Finds the tensors of a value among the arrays of a file: NAME for a tensor (also of an
/// optional), NAME[0], NAME[1], ... for the items of a sequence, or the parts
/// NAME.elements, ... themselves; for a sequence without items, a NAME.items without rows
/// is enough. An optional without any of these is absent. Arrays are converted to the
/// value's types, and `used` is set for those that were found. nullopt if there is no
/// array for a value that is not optional.
llvm::Expected<std::optional<HostTensors>> findValue(const ValueInfo &value,
                                                     const NamedTensors &arrays,
                                                     std::vector<bool> &used);

/// Names the results of a run in the same way, so that findValue finds them.
llvm::Expected<NamedTensors> nameResults(const Model &model,
                                         ArrayRef<HostTensor> results);

/// The arrays of a file, in the order of the model's inputs and with their types. Arrays
/// are found by name (findValue); an array without a name (.npy) is used if there is
/// exactly one input without an array. Errors list the model's inputs.
llvm::Expected<HostTensors> bindInputs(const Model &model,
                                       const NamedTensors &arrays);

} // namespace mlir::nn

#endif // NN_EXECUTION_MODEL_H
