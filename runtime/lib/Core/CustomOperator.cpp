//===- CustomOperator.cpp - Operators of users' libraries -----------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/CustomOperator.h"
#include "Core/Manifest.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <dlfcn.h>

namespace nnrt {

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

static std::string getFileName(const std::string &path) {
  return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

/// The paths that may be the library's, in the order of preference. What has no slash is left
/// to the system's loader.
static std::vector<std::string> listCandidates(const std::string &library,
                                               const std::vector<std::string> &folders) {
  std::string name = getFileName(library);
  std::vector<std::string> candidates;
  for (const std::string &folder : folders)
    candidates.push_back(folder + "/" + name);
  if (library != name)
    candidates.push_back(library);
  if (const char *variable = std::getenv("NNRT_LIBRARY_PATH")) {
    std::string list = variable;
    for (size_t start = 0; start <= list.size();) {
      size_t end = std::min(list.find(':', start), list.size());
      if (end > start)
        candidates.push_back(list.substr(start, end - start) + "/" + name);
      start = end + 1;
    }
  }
  candidates.push_back(name);
  return candidates;
}

CustomOperator::CustomOperator(const CustomNode &givenNode) : node(givenNode) {
  size_t count = node.attributes.size();
  texts.resize(count);
  tensors.resize(count);
  for (size_t i = 0; i < count; ++i) {
    CustomAttribute &from = node.attributes[i];
    nnrt_custom_attribute to = {};
    to.name = from.name.c_str();
    to.kind = from.kind;
    switch (from.kind) {
    case NNRT_CUSTOM_INT:
    case NNRT_CUSTOM_INTS:
      to.ints = from.ints.data();
      to.count = from.ints.size();
      break;
    case NNRT_CUSTOM_FLOAT:
    case NNRT_CUSTOM_FLOATS:
      to.floats = from.floats.data();
      to.count = from.floats.size();
      break;
    case NNRT_CUSTOM_STRING:
    case NNRT_CUSTOM_STRINGS:
      for (const std::string &text : from.strings)
        texts[i].push_back(text.c_str());
      to.strings = texts[i].data();
      to.count = texts[i].size();
      break;
    case NNRT_CUSTOM_TENSOR:
      tensors[i] = {const_cast<char *>(from.bytes.data()), from.dims.data(),
                    static_cast<int32_t>(from.dims.size()), from.type};
      to.tensor = &tensors[i];
      to.count = 1;
      break;
    }
    attributes.push_back(to);
  }
}

CustomOperator::~CustomOperator() {
  if (isCreated && op->destroy)
    op->destroy(state);
  if (library)
    dlclose(library);
}

std::unique_ptr<CustomOperator> CustomOperator::open(const CustomNode &node,
                                                     const std::vector<std::string> &folders,
                                                     std::string &error) {
  std::unique_ptr<CustomOperator> opened(new CustomOperator(node));
  return opened->load(folders, error) && opened->find(error) ? std::move(opened) : nullptr;
}

bool CustomOperator::load(const std::vector<std::string> &folders, std::string &error) {
  std::string tried;
  for (const std::string &candidate : listCandidates(node.library, folders)) {
    library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library) {
      path = candidate;
      return true;
    }
    tried += (tried.empty() ? " " : "; ") + std::string(dlerror());
  }
  error = "the library '" + getFileName(node.library) + "', which computes the operator '" +
          node.function +
          "', cannot be loaded. Put it beside the model's library, or name its folder in "
          "NNRT_LIBRARY_PATH or LD_LIBRARY_PATH. Tried:" +
          tried;
  return false;
}

static std::string withoutStandardName(const char *domain) {
  std::string name = domain ? domain : "";
  return name == "ai.onnx" ? "" : name;
}

/// Whether a table of types is usable: one set or type for each operand.
static bool hasTypes(const void *types, size_t numTypes, size_t most) {
  return most == 0 || (types && numTypes > 0);
}

bool CustomOperator::find(std::string &error) {
  using Entry = const nnrt_custom_library *();
  auto *entry = reinterpret_cast<Entry *>(dlsym(library, "nnrt_custom_operators"));
  if (!entry) {
    error = "the library '" + path +
            "' has no function nnrt_custom_operators: it was not written against "
            "nnrt/custom_op.h, or does not export the function";
    return false;
  }
  const nnrt_custom_library *table = entry();
  if (!table || table->abi != NNRT_CUSTOM_ABI ||
      table->operator_size != sizeof(nnrt_custom_operator)) {
    error = "the library '" + path + "' was compiled for version " +
            std::to_string(table ? table->abi : 0) +
            " of nnrt/custom_op.h, and this runtime has version " +
            std::to_string(NNRT_CUSTOM_ABI) +
            ". Compile the library again with the header of this version";
    return false;
  }
  auto [domain, name] = node.getDomainAndName();
  domain = withoutStandardName(domain.c_str());
  std::string all;
  for (size_t i = 0; i < table->num_operators; ++i) {
    const nnrt_custom_operator &known = table->operators[i];
    std::string knownDomain = withoutStandardName(known.domain);
    std::string knownName = known.name ? known.name : "";
    if (knownDomain == domain && knownName == name)
      op = &known;
    all += (all.empty() ? "" : ", ") + (knownDomain.empty() ? "ai.onnx" : knownDomain) + ":" +
           knownName;
  }
  if (!op) {
    error = "the library '" + path + "' has no operator '" + node.function +
            "'. It has: " + (all.empty() ? "none" : all);
    return false;
  }
  if (!op->infer_shapes || !op->run || op->min_inputs > op->max_inputs ||
      op->min_outputs > op->max_outputs || op->max_outputs == 0 ||
      !hasTypes(op->input_types, op->num_input_types, op->max_inputs) ||
      !hasTypes(op->output_types, op->num_output_types, op->max_outputs)) {
    error = "the library '" + path + "' describes '" + node.function +
            "' incompletely: infer_shapes, run, input_types and output_types must be set, and "
            "no minimum may exceed its maximum";
    return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static constexpr size_t messageSize = 1024;

nnrt_custom_call CustomOperator::makeCall(char *message, size_t size,
                                          const nnrt_custom_tensor *inputs, size_t numInputs,
                                          nnrt_custom_tensor *outputs,
                                          size_t numOutputs) const {
  nnrt_custom_call call = {};
  call.inputs = inputs;
  call.num_inputs = numInputs;
  call.outputs = outputs;
  call.num_outputs = numOutputs;
  call.attributes = attributes.data();
  call.num_attributes = attributes.size();
  call.state = state;
  call.message = message;
  call.message_size = size;
  message[0] = 0;
  return call;
}

/// What a function of the library said when it failed.
static std::string getMessage(char (&message)[messageSize]) {
  message[messageSize - 1] = 0;
  return message[0] ? message : "the library gives no reason";
}

bool CustomOperator::prepare(std::string &error) {
  char message[messageSize];
  nnrt_custom_call call = makeCall(message, messageSize);
  isCreated = !op->create || op->create(&call, &state) == 0;
  if (!isCreated)
    error = getMessage(message);
  return isCreated;
}

static std::string nameType(int32_t type) {
  static const std::pair<int32_t, const char *> names[] = {
      {NNRT_CUSTOM_F32, "float32"}, {NNRT_CUSTOM_U8, "uint8"},
      {NNRT_CUSTOM_S8, "int8"},     {NNRT_CUSTOM_U16, "uint16"},
      {NNRT_CUSTOM_S16, "int16"},   {NNRT_CUSTOM_S32, "int32"},
      {NNRT_CUSTOM_S64, "int64"},   {NNRT_CUSTOM_BOOL, "bool"},
      {NNRT_CUSTOM_F16, "float16"}, {NNRT_CUSTOM_F64, "float64"},
      {NNRT_CUSTOM_U32, "uint32"},  {NNRT_CUSTOM_U64, "uint64"},
      {NNRT_CUSTOM_BF16, "bfloat16"}};
  for (auto [number, name] : names)
    if (number == type)
      return name;
  return type == NNRT_CUSTOM_NONE ? "absent" : "type " + std::to_string(type);
}

static std::string nameTypes(uint64_t set) {
  std::string names;
  for (int32_t type = 0; type < 64; ++type)
    if (set >> type & 1)
      names += (names.empty() ? "" : ", ") + nameType(type);
  return names.empty() ? "nothing" : names;
}

static std::string nameCounts(size_t least, size_t most) {
  if (most == SIZE_MAX)
    return std::to_string(least) + " or more";
  return least == most ? std::to_string(least)
                       : std::to_string(least) + " to " + std::to_string(most);
}

bool CustomOperator::findTypes(const std::vector<int32_t> &inputs, size_t numOutputs,
                               std::vector<int32_t> &outputs, std::string &error) const {
  if (inputs.size() < op->min_inputs || inputs.size() > op->max_inputs) {
    error = "it has " + std::to_string(inputs.size()) + " inputs, and the operator takes " +
            nameCounts(op->min_inputs, op->max_inputs);
    return false;
  }
  if (numOutputs < op->min_outputs || numOutputs > op->max_outputs) {
    error = "it has " + std::to_string(numOutputs) + " outputs, and the operator gives " +
            nameCounts(op->min_outputs, op->max_outputs);
    return false;
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    uint64_t accepted = op->input_types[std::min(i, op->num_input_types - 1)];
    if (inputs[i] < 0 || inputs[i] > 63 || !(accepted >> inputs[i] & 1)) {
      error = "input " + std::to_string(i) + " is " + nameType(inputs[i]) +
              ", and the operator takes " + nameTypes(accepted);
      return false;
    }
  }
  outputs.clear();
  for (size_t i = 0; i < numOutputs; ++i) {
    int32_t type = op->output_types[std::min(i, op->num_output_types - 1)];
    if (type < 0) {
      size_t input = -1 - int64_t(type);
      type = input < inputs.size() ? inputs[input] : int32_t(NNRT_CUSTOM_NONE);
      if (type == NNRT_CUSTOM_NONE) {
        error = "the type of output " + std::to_string(i) + " is that of input " +
                std::to_string(input) + ", which the node does not have";
        return false;
      }
    }
    outputs.push_back(type);
  }
  return true;
}

bool CustomOperator::inferShapes(const nnrt_custom_tensor *inputs, size_t numInputs,
                                 nnrt_custom_tensor *outputs, size_t numOutputs,
                                 std::string &error) const {
  char message[messageSize];
  nnrt_custom_call call = makeCall(message, messageSize, inputs, numInputs, outputs, numOutputs);
  for (size_t i = 0; i < numOutputs; ++i)
    outputs[i].rank = -1;
  if (op->infer_shapes(&call)) {
    error = getMessage(message);
    return false;
  }
  for (size_t i = 0; i < numOutputs; ++i) {
    if (outputs[i].rank < 0 || outputs[i].rank > NNRT_CUSTOM_MAX_RANK) {
      error = "the library gives output " + std::to_string(i) + " no rank from 0 to " +
              std::to_string(NNRT_CUSTOM_MAX_RANK);
      return false;
    }
    if (outputs[i].type <= 0) {
      error = "the library gives output " + std::to_string(i) + " no type";
      return false;
    }
  }
  return true;
}

bool CustomOperator::run(const nnrt_custom_tensor *inputs, size_t numInputs,
                         nnrt_custom_tensor *outputs, size_t numOutputs, const Loop &loop,
                         std::string &error) const {
  char message[messageSize];
  nnrt_custom_call call = makeCall(message, messageSize, inputs, numInputs, outputs, numOutputs);
  call.host = &loop;
  call.parallel_for = [](const nnrt_custom_call *self, nnrt_custom_range body, void *arg,
                         int64_t count, int64_t grain) {
    if (count > 0)
      (*static_cast<const Loop *>(self->host))(body, arg, count, std::max<int64_t>(grain, 1));
  };
  if (op->run(&call) == 0)
    return true;
  error = getMessage(message);
  return false;
}

//===----------------------------------------------------------------------===//
// Calls of generated code
//===----------------------------------------------------------------------===//

bool CustomOperator::callKernel(bool onlyShapes, const int64_t *parameters,
                                const nnrt_abi_tensor *args, const Loop &loop,
                                std::string &error) const {
  // Runs allocate nothing for operators of usual size.
  constexpr size_t usual = 16;
  nnrt_custom_tensor room[usual];
  std::vector<nnrt_custom_tensor> more;
  const int64_t *next = parameters + 1;
  size_t numInputs = *next++;
  const int64_t *types = next;
  next += numInputs;
  size_t numOutputs = *next++;
  nnrt_custom_tensor *operands = room;
  if (numInputs + numOutputs > usual) {
    more.resize(numInputs + numOutputs);
    operands = more.data();
  }
  for (size_t i = 0; i < numInputs; ++i) {
    operands[i] = {nullptr, nullptr, 0, int32_t(types[i])};
    if (types[i] == NNRT_CUSTOM_NONE)
      continue;
    operands[i].data = args->data;
    operands[i].dims = const_cast<int64_t *>(args->dims);
    operands[i].rank = args->rank;
    ++args;
  }
  nnrt_custom_tensor *outputs = operands + numInputs;
  if (!onlyShapes) {
    for (size_t i = 0; i < numOutputs; ++i, ++args)
      outputs[i] = {args->data, const_cast<int64_t *>(args->dims), args->rank,
                    int32_t(next[2 * i])};
    return run(operands, numInputs, outputs, numOutputs, loop, error);
  }

  std::vector<int64_t> sizes(numOutputs * NNRT_CUSTOM_MAX_RANK);
  for (size_t i = 0; i < numOutputs; ++i)
    outputs[i] = {nullptr, &sizes[i * NNRT_CUSTOM_MAX_RANK], 0, int32_t(next[2 * i])};
  if (!inferShapes(operands, numInputs, outputs, numOutputs, error))
    return false;
  auto *result = static_cast<int64_t *>(args->data);
  for (size_t i = 0; i < numOutputs; ++i) {
    auto differs = [&](const std::string &what) {
      error = "the library says in the run that output " + std::to_string(i) + " has " + what;
      return false;
    };
    if (outputs[i].rank != next[2 * i + 1])
      return differs("rank " + std::to_string(outputs[i].rank) +
                     ", and when the model was compiled said rank " +
                     std::to_string(next[2 * i + 1]));
    for (int32_t d = 0; d < outputs[i].rank; ++d) {
      // Later arithmetic on sizes relies on it.
      if (outputs[i].dims[d] < 0 || outputs[i].dims[d] > mostElements)
        return differs("the size " + std::to_string(outputs[i].dims[d]));
      *result++ = outputs[i].dims[d];
    }
  }
  return true;
}

} // namespace nnrt
