//===- Session.h - What one thread needs to run a model ---------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// A run checks the inputs (SessionInputs.cpp), calls the model's code, which calls back
// through the table (AbiTable.cpp), and returns the outputs (Session.cpp). Memory of known
// size is allocated when the session is created, so that repeated runs allocate nothing.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_SESSION_H
#define NNRT_CORE_SESSION_H

#include "CPU/Reference/Reference.h"
#include "CPU/Threads.h"
#include "Core/Memory.h"
#include "Core/Module.h"

#include <atomic>

namespace nnrt {

class Session : public nnrt_abi_context {
public:
  static Status create(std::shared_ptr<Module> module,
                       const nnrt_session_options *options,
                       std::unique_ptr<Session> &session);
  Session(std::shared_ptr<Module> module, int numThreads);
  Session(const Session &) = delete;
  ~Session();

  Status run(const DLTensor *inputs, size_t numInputs, DLTensor *outputs,
             size_t numOutputs);

  //===--- What the table's entries do (AbiTable.cpp)
  //----------------------===//

  void *getArena(int64_t bytes);
  void *getOutput(int32_t index, int32_t rank, const int64_t *dims);
  void *getBlock(int64_t bytes);
  BlockPool &getPool() { return pool; }
  Threads &getThreads() { return workers; }
  /// What reference kernels get.
  Services &getServices() { return services; }
  void *getDeviceArena(int64_t bytes);
  void *getDeviceBlock(int64_t bytes);
  void *getDeviceWeights();
  int32_t copyOnDevice(void *target, const void *source, int64_t bytes, int32_t direction);
  int32_t launchOnDevice(const char *kernel, const int64_t *arguments, int64_t numArguments,
                         int64_t count);
  int32_t callLibrary(LibraryId id, const void *site, const nnrt_abi_tensor *args);
  void beginKernel(int32_t index);
  void endKernel(int32_t index);
  /// Records why the run fails; only the first failure of a run is kept. May be called by
  /// several threads of the run.
  void fail(nnrt_status_code code, const char *message);
  /// The same with what a status says, which is taken; 0 for null, else 1.
  int32_t take(Status status);
  /// Adds the names of ONNX nodes to what was recorded.
  void failedAt(const char *nodes);

  //===--- Profile
  //---------------------------------------------------------===//

  struct Kernel {
    uint64_t calls = 0;
    uint64_t totalNs = 0;
    int64_t startNs = 0;
  };
  void resetProfile();
  /// Kernels in the order of their first execution.
  std::vector<int32_t> kernelOrder;
  std::vector<Kernel> kernels;

  nnrt_session_memory_info memory() const;
  const Module &getModule() const { return *module; }

private:
  struct Input {
    std::vector<int64_t> dims;
    Buffer copy; // of an input that is not contiguous, or packed
    Buffer numbers; // of strings
    const uint8_t *data = nullptr;
    int64_t bytes = 0;
  };
  struct Output {
    std::vector<int64_t> dims;
    std::vector<int64_t> strides;
    Buffer own;
    /// The previous `own`, if that is now an input: state that is fed back.
    Buffer spare;
    /// For packed types and strings: the buffer that the model's code writes, with a byte
    /// or an int64 for each element.
    Buffer unpacked;
    /// The caller's tensor of this run, or null if the session provides the memory.
    DLTensor *given = nullptr;
    bool produced = false;
  };

  /// SessionInputs.cpp
  Status checkInputs(const DLTensor *tensors);
  Status keepOutputsThatAreInputs();
  Status checkInput(size_t index, const DLTensor &tensor);
  Status checkDim(size_t index, size_t dim, int64_t size);
  Status takeInput(size_t index, const DLTensor &tensor);
  Status takeStrings(size_t index, const nnrt_string *strings, int64_t count);
  Status checkSequence(size_t elements);
  /// Session.cpp
  Status checkOutputs(DLTensor *tensors);
  Status checkOverlap(size_t output, const uint8_t *data, int64_t bytes);
  Status finish(DLTensor *outputs, int32_t result);
  /// Makes what the caller gets of what the model's code wrote.
  Status convert(const Tensor &expected, Output &output);
  void sayMemory();

  std::shared_ptr<Module> module;
  Threads workers;
  std::array<LibrarySession *, numLibraries> librarySessions = {}; // as the module's
  std::unique_ptr<DeviceStream> stream; // null: the model has no code for a device

  std::vector<Input> inputs;
  std::vector<nnrt_abi_tensor> abiInputs;
  std::vector<Output> outputs;
  /// The size of each named dimension in this run, and the input that determined it.
  std::vector<int64_t> symbolSizes;
  std::vector<size_t> symbolInputs;

  /// The strings of a run, and those of the last one that succeeded, whose outputs may be
  /// this one's inputs: they take turns.
  std::array<StringTable, 2> strings;
  bool isSecondLast = false;
  Services services; // with the table of the run

  Buffer arena, deviceArena;
  BlockPool pool;
  LibraryError libraryError;
  std::atomic<bool> failed{false};
  Status failure = nullptr;
  nnrt_session_memory_info saidMemory = {}; // by sayMemory
};

/// The table that generated code gets.
extern const nnrt_abi_table abiTable;

} // namespace nnrt

struct nnrt_session {
  std::unique_ptr<nnrt::Session> impl;
};

#endif // NNRT_CORE_SESSION_H
