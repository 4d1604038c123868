//===- Model.h - models that can run ----------------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// What nn-run and tests run: a compiled library, or a module that is
// interpreted.
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
  /// -1 where a size is known at run time only.
  SmallVector<int64_t> dims;
  /// As many as dims; "" for a dimension without a name.
  SmallVector<std::string> dimNames;
  /// Which part it is (nnrt_part in nnrt.h) of the value of that name, "" for tensors.
  ValuePart part = ValuePart::Tensor;
  std::string value;

  /// "images: float32[N,3,?,224]"
  std::string describe() const;
};

/// A value of the model's signature: one tensor, or the several that a sequence or
/// an optional is.
struct ValueInfo {
  std::string name;
  ValueType type;
  /// Its tensors: `count` of the signature from `first` on.
  size_t first = 0, count = 1;
  /// The tensor, also an optional's; of a sequence its elements. Named as the value.
  TensorInfo tensor;

  /// "images: float32[N,3,?,224]", "boxes: optional sequence of float32"
  std::string describe() const;
};

/// The values that tensors are; an error if parts do not stand as nnrt.h says.
llvm::Expected<std::vector<ValueInfo>> groupValues(ArrayRef<TensorInfo> tensors);

/// Where the time of runs went.
struct KernelTime {
  std::string kind;
  std::string nodes;
  uint64_t calls = 0;
  uint64_t totalNs = 0;
};

/// What a compiled model is, and what memory it takes in bytes (see nnrt.h).
struct LibraryInfo {
  std::string variant;
  size_t weights = 0, packedWeights = 0;
  /// A formula of the inputs' dimensions; "" if there is none.
  std::string arenaFormula;
  unsigned numDataDependent = 0;
  /// What the session holds after its runs so far.
  size_t arena = 0, dataDependent = 0, outputs = 0, inputCopies = 0, scratchpad = 0;
};

class Model {
public:
  virtual ~Model() = default;

  ArrayRef<TensorInfo> getInputs() const { return inputs; }
  ArrayRef<TensorInfo> getOutputs() const { return outputs; }
  /// The same as values: sequences and optionals are one each.
  ArrayRef<ValueInfo> getInputValues() const { return inputValues; }
  ArrayRef<ValueInfo> getOutputValues() const { return outputValues; }

  /// Runs the model on inputs in the order of getInputs(); the results are the
  /// caller's.
  virtual llvm::Expected<HostTensors> run(ArrayRef<HostTensor> inputs) = 0;
  /// Runs the model and drops its results: what a benchmark measures.
  virtual llvm::Error runOnly(ArrayRef<HostTensor> inputs) {
    return run(inputs).takeError();
  }
  /// Of the runs so far; empty if it was not asked for at the start.
  virtual std::vector<KernelTime> getProfile() { return {}; }
  /// Nothing for models that are interpreted.
  virtual llvm::Expected<std::optional<LibraryInfo>> getLibraryInfo() {
    return std::nullopt;
  }

protected:
  /// To be called when inputs and outputs are known.
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

/// The tensors of a value among arrays of a file: array NAME of a tensor, also of an
/// optional's; arrays NAME[0], NAME[1], ... of a sequence's items; or the parts
/// NAME.elements, ... themselves, of which NAME.items without rows is enough for a
/// sequence without items. An optional of which nothing is there is absent. Arrays get
/// the value's types; `used` is set for those that are of the value. nullopt if
/// nothing is there of what is no optional.
llvm::Expected<std::optional<HostTensors>> findValue(const ValueInfo &value,
                                                     const NamedTensors &arrays,
                                                     std::vector<bool> &used);

/// The same names for the results of a run: what findValue finds.
llvm::Expected<NamedTensors> nameResults(const Model &model,
                                         ArrayRef<HostTensor> results);

/// The arrays of a file, in the order of the model's inputs and with their
/// types. Arrays are found by name (findValue); one without a name (.npy) is taken
/// for the only input that has none otherwise. Errors list the model's inputs.
llvm::Expected<HostTensors> bindInputs(const Model &model,
                                       const NamedTensors &arrays);

} // namespace mlir::nn

#endif // NN_EXECUTION_MODEL_H
