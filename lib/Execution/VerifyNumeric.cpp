//===- VerifyNumeric.cpp - judges passes by what they compute -------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Execution/VerifyNumeric.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Pass/Pass.h"
#include "nn/Analysis/Provenance.h"
#include "nn/Execution/Evaluator.h"
#include "nn/Execution/Model.h"
#include "nn/Support/Compare.h"
#include "nn/Support/Structured.h"
#include "nn/Target/Library.h"
#include "nn/Target/Target.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <chrono>
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace mlir::nn;
using llvm::Expected;

std::string nn::getPipelineText(Pass *pass, Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (!isa<ModuleOp>(op))
    stream << op->getName() << "(";
  pass->printAsTextualPipeline(stream);
  if (!isa<ModuleOp>(op))
    stream << ")";
  return "builtin.module(" + text + ")";
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Dimension i of the result is dimension permutation[i] of `tensor`.
static HostTensor permute(const HostTensor &tensor, ArrayRef<int64_t> permutation) {
  if (permutation.empty() || tensor.getNumElements() == 0)
    return tensor;
  Buffer view = Buffer::copyOf(tensor), source = view;
  for (auto [to, from] : llvm::enumerate(permutation)) {
    view.sizes[to] = source.sizes[from];
    view.strides[to] = source.strides[from];
  }
  return view.load();
}

static SmallVector<int64_t> invert(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> inverse(permutation.size());
  for (auto [to, from] : llvm::enumerate(permutation))
    inverse[from] = to;
  return inverse;
}

/// Whether one of the types is small, and the other is its storage type.
static bool holdsSame(DataType x, DataType y) {
  return x != y && (getStorageType(x) == y || getStorageType(y) == x);
}

static HostTensor convert(const HostTensor &tensor, DataType type) {
  if (tensor.getType() == type)
    return tensor;
  if (holdsSame(tensor.getType(), type))
    return tensor.withType(type);
  if (getByteSize(tensor.getType()) == getByteSize(type) && !isFloat(type) &&
      !isFloat(tensor.getType()))
    return tensor.withType(type);
  HostTensor result = HostTensor::allocate(type, tensor.getDims());
  for (int64_t i = 0; i < tensor.getNumElements(); ++i)
    result.setDouble(i, tensor.getDouble(i));
  return result;
}

/// The factor for absolute tolerances.
static double getLargest(const HostTensor &tensor) {
  double largest = 0.01;
  for (int64_t i = 0; i < tensor.getNumElements(); ++i)
    largest = std::max(largest, std::fabs(tensor.getDouble(i)));
  return largest;
}

namespace {
/// A tensor of the first execution.
struct KnownTensor {
  HostTensor value; ///< in ONNX's layout
  Tolerance tolerance;
};
} // namespace

/// How many products or elements are added for each element of a result.
static int64_t getReductionLength(Operation *op) {
  auto sizeOf = [](Value value) -> int64_t {
    auto type = dyn_cast<ShapedType>(value.getType());
    if (!type)
      return 1;
    int64_t size = 1;
    for (int64_t dim : type.getShape())
      size *= ShapedType::isDynamic(dim) ? 1 : std::max<int64_t>(dim, 1);
    return size;
  };
  if (isa<MatMulOp, GemmOp>(op))
    return cast<ShapedType>(op->getOperand(0).getType()).getRank() == 0
               ? 1
               : std::min(sizeOf(op->getOperand(0)), sizeOf(op->getOperand(1)));
  if (isa<ConvOp, ConvTransposeOp>(op))
    return sizeOf(op->getOperand(1)) /
           std::max<int64_t>(1, cast<ShapedType>(op->getOperand(1).getType()).getDimSize(0));
  int64_t largest = 1;
  for (Value operand : op->getOperands())
    largest = std::max(largest, sizeOf(operand));
  return std::max<int64_t>(1, largest / std::max<int64_t>(1, sizeOf(op->getResult(0))));
}

/// The rounding error allowed in sums of `length` numbers.
static Tolerance getTolerance(DataType type, int64_t length = 1) {
  double unit = type == DataType::Float64    ? 1e-10
                : type == DataType::Float16  ? 2e-3
                : type == DataType::BFloat16 ? 2e-2
                : type == DataType::Float32  ? 2e-5
                                             : 0;
  // Sums may be in another order; errors with independent signs grow with the square
  // root.
  double growth = std::sqrt(double(std::clamp<int64_t>(length, 1, 1 << 16)));
  return {unit * 5, unit * std::max(1.0, growth / 8)};
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

namespace {
class NumericVerification : public PassInstrumentation {
public:
  NumericVerification(NumericVerificationOptions options,
                      std::optional<NumericMismatch> &found)
      : options(std::move(options)), found(found) {}

  void runBeforePass(Pass *pass, Operation *op) override;
  void runAfterPass(Pass *pass, Operation *op) override;

private:
  LogicalResult start(ModuleOp module);
  LogicalResult bindInputs(func::FuncOp main);
  /// Executes the module and compares; a mismatch is attributed to the pass.
  void judge(ModuleOp module, Pass *pass, Operation *op);
  /// Makes what the module computes now, without replacement, the reference for later
  /// passes: in a quantized model, ties rounded the other way accumulate from layer to
  /// layer where intermediate tensors no longer have names.
  void rebase(ModuleOp module);
  /// What a pass that says that it approximates (`nn.approximations`) computes is the
  /// reference for later passes; a remark says how far the outputs moved.
  void acceptApproximation(ModuleOp module, Pass *pass, Operation *op);
  void judgeLibrary(ModuleOp module, Pass *pass);
  void report(Operation *where, Pass *pass, Operation *op, StringRef tensor,
              const Twine &message, bool isOutput = false);
  Comparison compare(const HostTensor &given, const KnownTensor &want) const;
  std::optional<HostTensor> getKnown(Value value);

  NumericVerificationOptions options;
  std::optional<NumericMismatch> &found;
  Evaluator evaluator;
  bool started = false, stopped = false;
  bool isQuantized = false; ///< some tensors are rounded to steps
  HostTensors inputs;
  SmallVector<std::string> outputNames;
  HostTensors outputs;
  /// By name, with one entry for each time that it is computed in a run (in a loop).
  llvm::StringMap<std::vector<KnownTensor>> known;
  std::optional<nnrt::Manifest> manifest;
  /// The module before the pass that runs, and its fingerprint.
  OwningOpRef<ModuleOp> before;
  std::optional<OperationFingerPrint> fingerPrint;
};
} // namespace

static ModuleOp getModule(Operation *op) {
  while (op->getParentOp())
    op = op->getParentOp();
  return dyn_cast<ModuleOp>(op);
}

/// Adaptors run other passes, which are verified one by one.
static bool isAdaptor(Pass *pass) {
  return pass->getName().ends_with("OpToOpPassAdaptor");
}

static std::string getArgumentName(func::FuncOp main, unsigned index) {
  if (auto name = main.getArgAttrOfType<StringAttr>(index, "nn.name"))
    return name.str();
  return "input" + std::to_string(index);
}

/// Numbers that vary from element to element, the same in each run. Unknown sizes are
/// 2.
static HostTensor makeRandom(DataType type, ArrayRef<int64_t> declared) {
  SmallVector<int64_t> dims;
  for (int64_t dim : declared)
    dims.push_back(ShapedType::isDynamic(dim) ? 2 : dim);
  HostTensor tensor = HostTensor::allocate(type, dims);
  std::mt19937 generator(7);
  for (int64_t i = 0; i < tensor.getNumElements(); ++i) {
    double number = double(generator()) / 4294967296.0; // [0, 1)
    if (isFloat(type))
      tensor.setDouble(i, 2 * number - 1);
    else
      tensor.setInt(i, number < 0.5 ? 0 : 1);
  }
  return tensor;
}

LogicalResult NumericVerification::bindInputs(func::FuncOp main) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto type = dyn_cast<ShapedType>(main.getArgumentTypes()[i]);
    if (!type) // the context
      continue;
    std::string name = getArgumentName(main, i);
    if (auto stored = main.getArgAttrOfType<TypeAttr>(i, "nn.stored_type");
        stored && isa<StringType>(stored.getValue()))
      return main.emitError() << "--verify-numeric: input '" << name
                              << "' holds strings, which it does not take; compare the "
                                 "library with nn-run --compare=interpreter";
    std::optional<DataType> dataType = getDataType(type.getElementType());
    if (!dataType)
      return main.emitError() << "--verify-numeric: input '" << name
                              << "' has an element type that cannot be executed";
    auto it = llvm::find_if(options.inputs, [&](const NamedTensor &tensor) {
      return tensor.name == name || tensor.name == "in:" + name;
    });
    if (it == options.inputs.end()) {
      auto part = main.getArgAttrOfType<StringAttr>(i, "nn.part");
      if (part && part != getName(ValuePart::Present) && part != getName(ValuePart::Value))
        return main.emitError()
               << "--verify-numeric: random numbers make no sequence; give '" << name
               << "' and the other parts of " << main.getArgAttr(i, "nn.value")
               << " in --verify-numeric=FILE.npz";
      inputs.push_back(makeRandom(*dataType, type.getShape()));
      continue;
    }
    Expected<HostTensor> tensor = reinterpretAs(it->tensor, *dataType);
    if (!tensor)
      return main.emitError() << "--verify-numeric: input '" << name << "': "
                              << llvm::toString(tensor.takeError());
    bool fits = tensor->getRank() == type.getRank();
    for (auto [size, declared] : llvm::zip(tensor->getDims(), type.getShape()))
      fits &= ShapedType::isDynamic(declared) || size == declared;
    if (!fits)
      return main.emitError()
             << "--verify-numeric: input '" << name << "' is " << tensor->describe()
             << ", but must be " << formatType(*dataType, type.getShape());
    inputs.push_back(*tensor);
  }
  return success();
}

LogicalResult NumericVerification::start(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return module.emitError("--verify-numeric: there is no function @main to execute");
  if (failed(bindInputs(main)))
    return failure();
  for (unsigned i = 0; i < main.getNumResults(); ++i) {
    auto name = main.getResultAttrOfType<StringAttr>(i, "nn.name");
    outputNames.push_back(name ? name.str() : "output" + std::to_string(i));
  }
  if (llvm::all_of(main.getArgumentTypes(), llvm::IsaPred<RankedTensorType>) &&
      llvm::all_of(main.getResultTypes(), llvm::IsaPred<RankedTensorType>)) {
    FailureOr<nnrt::Manifest> described = describeModel(module);
    if (succeeded(described))
      manifest = std::move(*described);
  }
  Evaluator::Observer observer = [&](Operation *op, OriginAttr origin,
                                     const HostTensor &tensor)
      -> std::optional<HostTensor> {
    HostTensor value = permute(tensor, invert(origin.getPermutation()));
    Tolerance tolerance = getTolerance(value.getType(), getReductionLength(op));
    // A sum that rounds a tie the other way differs by a step.
    if (isa<QuantizeOp>(op)) {
      tolerance = {0, 1 / getLargest(value)};
      isQuantized = true;
    }
    known[origin.getTensor()].push_back({value, tolerance});
    return std::nullopt;
  };
  EvaluationError error;
  FailureOr<HostTensors> results = evaluator.run(module, inputs, observer, error);
  if (failed(results))
    return error.op->emitError() << "--verify-numeric: the model cannot be executed "
                                    "before the first pass: "
                                 << error.message
                                 << "; --verify-numeric=FILE.npz gives it inputs";
  outputs = std::move(*results);
  outputNames.resize(outputs.size());
  return success();
}

void NumericVerification::runBeforePass(Pass *pass, Operation *op) {
  if (stopped || isAdaptor(pass) || started)
    return;
  ModuleOp module = getModule(op);
  started = true;
  if (!module || failed(start(module))) {
    stopped = true;
    found = NumericMismatch{"", ""};
    return;
  }
  fingerPrint.emplace(module);
  before = module.clone();
}

void NumericVerification::runAfterPass(Pass *pass, Operation *op) {
  if (stopped || !started || isAdaptor(pass))
    return;
  ModuleOp module = getModule(op);
  OperationFingerPrint now(module);
  if (now == *fingerPrint)
    return;
  auto begin = std::chrono::steady_clock::now();
  if (module->getAttr("nn.approximations") != (*before)->getAttr("nn.approximations"))
    acceptApproximation(module, pass, op);
  else
    judge(module, pass, op);
  if (llvm::errs().is_displayed())
    llvm::errs() << llvm::format(
        "%6.1f s  %s\n",
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
        pass->getArgument().str().c_str());
  fingerPrint = now;
  before = module.clone();
}

/// The value of the first execution, if the operation says which tensor it is.
std::optional<HostTensor> NumericVerification::getKnown(Value value) {
  for (OriginAttr origin : getOrigins(value)) {
    auto it = known.find(origin.getTensor());
    if (it == known.end() || it->second.size() != 1)
      continue;
    auto type = dyn_cast<ShapedType>(value.getType());
    std::optional<DataType> dataType =
        type ? getDataType(type.getElementType()) : std::nullopt;
    if (!dataType)
      continue;
    return convert(permute(it->second[0].value, origin.getPermutation()), *dataType);
  }
  return std::nullopt;
}

void NumericVerification::report(Operation *where, Pass *pass, Operation *op,
                                 StringRef tensor, const Twine &message,
                                 bool isOutput) {
  stopped = true;
  found = NumericMismatch{pass->getArgument().str(), tensor.str()};
  if (!options.emitErrors)
    return;
  // An error of the operation would print it, which may be the whole model.
  InFlightDiagnostic error = emitError(where->getLoc());
  error << "--verify-numeric: after pass '" << pass->getArgument() << "', ";
  if (!tensor.empty())
    error << (isOutput ? "output '" : "ONNX tensor '") << tensor << "' is wrong: ";
  error << message;
  if (options.reproducer.empty() || !op)
    return;
  NamedTensors named;
  auto main = before->lookupSymbol<func::FuncOp>("main");
  for (unsigned i = 0, next = 0; i < main.getNumArguments(); ++i)
    if (isa<ShapedType>(main.getArgumentTypes()[i]))
      named.push_back({getArgumentName(main, i), inputs[next++]});
  error.attachNote(UnknownLoc::get(where->getContext()))
      << writeReproducer(
             *before, getPipelineText(pass, op), tensor, named,
             [&](Value value) { return getKnown(value); }, options.reproducer);
}

Comparison NumericVerification::compare(const HostTensor &given,
                                        const KnownTensor &want) const {
  const HostTensor got = holdsSame(given.getType(), want.value.getType())
                             ? given.withType(want.value.getType())
                             : given;
  // One of them may be rounded more than the other.
  Tolerance tolerance = want.tolerance, other = getTolerance(got.getType());
  DataType wanted = want.value.getType();
  if (got.getType() != wanted)
    tolerance = {std::max(tolerance.rtol, other.rtol),
                 std::max(tolerance.atol, other.atol)};
  bool convertsToFloat = got.getType() != wanted && (isFloat(got.getType()) || isFloat(wanted));
  DataType common = convertsToFloat ? DataType::Float64 : wanted;
  HostTensor value = convert(got, common), reference = convert(want.value, common);
  Comparison comparison = compareTensors(value, reference, tolerance);
  bool isRounded = isFloat(common) || common == DataType::Int8 || common == DataType::UInt8;
  if (comparison.matches || !isQuantized || !comparison.incomparable.empty() || !isRounded)
    return comparison;
  // A number in the middle of two steps may be rounded either way, and so may what is
  // computed from it: single elements differ by a little, the whole hardly at all.
  double squares = 0, errors = 0;
  for (int64_t i = 0; i < reference.getNumElements(); ++i) {
    double x = reference.getDouble(i), error = value.getDouble(i) - x;
    squares += x * x;
    errors += error * error;
  }
  comparison.matches =
      comparison.worstError <= 0.04 * getLargest(reference) && errors <= 0.005 * 0.005 * squares;
  return comparison;
}

void NumericVerification::judge(ModuleOp module, Pass *pass, Operation *op) {
  if (!module.lookupSymbol<func::FuncOp>("main"))
    return judgeLibrary(module, pass);
  llvm::StringMap<size_t> times;
  struct Finding {
    Operation *op;
    std::string tensor, message;
  };
  std::optional<Finding> first;
  bool isExact = true;
  Evaluator::Observer observer = [&](Operation *op, OriginAttr origin,
                                     const HostTensor &tensor)
      -> std::optional<HostTensor> {
    StringRef name = origin.getTensor();
    HostTensor value = permute(tensor, invert(origin.getPermutation()));
    size_t time = times[name]++;
    std::vector<KnownTensor> &list = known[name];
    if (time >= list.size()) {
      // A new tensor: later passes are compared with it.
      list.push_back({value, getTolerance(value.getType())});
      return std::nullopt;
    }
    const HostTensor &want = list[time].value;
    // Most passes do not change most tensors.
    if (value.getType() == want.getType() && value.getDims() == want.getDims() &&
        std::memcmp(value.getData(), want.getData(), want.getNumBytes()) == 0)
      return std::nullopt;
    isExact = false;
    Comparison comparison = compare(value, list[time]);
    if (!comparison.matches) {
      if (!first)
        first = Finding{op, name.str(), comparison.describe()};
      if (!comparison.incomparable.empty())
        return std::nullopt;
    }
    return convert(permute(want, origin.getPermutation()), tensor.getType());
  };
  EvaluationError error;
  FailureOr<HostTensors> results = evaluator.run(module, inputs, observer, error);
  // The first mismatch may be why the rest cannot be executed.
  if (first)
    return report(first->op, pass, op, first->tensor, first->message);
  if (failed(results)) {
    SmallVector<OriginAttr> origins = getOrigins(error.op);
    return report(error.op, pass, op,
                  origins.empty() ? "" : origins.front().getTensor().getValue(),
                  "the model cannot be executed: '" + error.op->getName().getStringRef() +
                      "' " + error.message);
  }
  auto main = module.lookupSymbol<func::FuncOp>("main");
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (i >= results->size())
      return report(main, pass, op, outputNames[i], "it is missing", true);
    Comparison comparison =
        compare((*results)[i],
                {outputs[i], Tolerance::getDefault(outputs[i].getType())});
    if (!comparison.matches)
      return report(main, pass, op, outputNames[i], comparison.describe(), true);
  }
  if (isQuantized && !isExact)
    rebase(module);
}

void NumericVerification::rebase(ModuleOp module) {
  llvm::StringMap<std::vector<KnownTensor>> next;
  Evaluator::Observer observer = [&](Operation *, OriginAttr origin,
                                     const HostTensor &tensor)
      -> std::optional<HostTensor> {
    HostTensor value = permute(tensor, invert(origin.getPermutation()));
    std::vector<KnownTensor> &list = next[origin.getTensor()];
    auto before = known.find(origin.getTensor());
    bool isKnown = before != known.end() && list.size() < before->second.size();
    list.push_back({value, isKnown ? before->second[list.size()].tolerance
                                   : getTolerance(value.getType())});
    return std::nullopt;
  };
  EvaluationError error;
  FailureOr<HostTensors> results = evaluator.run(module, inputs, observer, error);
  assert(succeeded(results) && "the same module was executed just before");
  known = std::move(next);
  outputs = std::move(*results);
}

void NumericVerification::acceptApproximation(ModuleOp module, Pass *pass, Operation *op) {
  EvaluationError error;
  FailureOr<HostTensors> results = evaluator.run(
      module, inputs,
      [](Operation *, OriginAttr, const HostTensor &) { return std::optional<HostTensor>(); },
      error);
  if (failed(results))
    return report(error.op, pass, op, "",
                  "the model cannot be executed: '" + error.op->getName().getStringRef() +
                      "' " + error.message);
  HostTensors exact = std::move(outputs);
  isQuantized = true;
  rebase(module);
  for (auto [name, want, got] : llvm::zip_equal(outputNames, exact, outputs)) {
    if (want.getDims() != got.getDims() || want.getType() != got.getType())
      return report(module, pass, op, name, "it is " + got.describe() + " after it, and " +
                    want.describe() + " before", true);
    double squares = 0, errors = 0;
    for (int64_t i = 0; i < want.getNumElements(); ++i) {
      double x = want.getDouble(i), difference = got.getDouble(i) - x;
      squares += x * x;
      errors += difference * difference;
    }
    if (options.emitErrors)
      emitRemark(module.getLoc())
          << "--verify-numeric: pass '" << pass->getArgument() << "' changes output '" << name
          << "' by " << llvm::formatv("{0:e1}", std::sqrt(errors / std::max(squares, 1e-300))).str()
          << " of its size, as it says; later passes must not change it";
  }
}

void NumericVerification::judgeLibrary(ModuleOp module, Pass *pass) {
  bool isLowered = !module
                        .walk([](Operation *op) {
                          return isa<LLVM::LLVMDialect, BuiltinDialect>(op->getDialect()) &&
                                         !isa<UnrealizedConversionCastOp>(op)
                                     ? WalkResult::advance()
                                     : WalkResult::interrupt();
                        })
                        .wasInterrupted();
  if (!isLowered || !manifest)
    return;
  FailureOr<CodeVariant> variant = getVariant(module);
  if (failed(variant) || !module.lookupSymbol("nnrt_model_run_" + variant->getSuffix()))
    return;
  auto fail = [&](const Twine &message) {
    report(module, pass, nullptr, "",
           "in the phase 'emit' (or in code generation or a library), " + message);
  };
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = translateToLLVMIR(module, *variant, context);
  CompiledVariant compiled;
  compiled.variant = *variant;
  SmallString<128> path;
  if (!code || failed(emitObject(*code, *variant, compiled.object, module.getLoc())) ||
      llvm::sys::fs::createTemporaryFile("verify-numeric", "so", path))
    return fail("no library could be made");
  llvm::FileRemover remover(path);
  if (failed(writeLibrary(module, *manifest, compiled, /*deviceCode=*/{}, path)))
    return fail("no library could be written");
  Expected<std::unique_ptr<Model>> model = openLibrary(path, {/*threads=*/1, false});
  if (!model)
    return fail(llvm::toString(model.takeError()));
  Expected<HostTensors> results = (*model)->run(inputs);
  if (!results)
    return fail(llvm::toString(results.takeError()));
  for (size_t i = 0; i < outputs.size(); ++i) {
    Comparison comparison = compareTensors(
        (*results)[i], convert(outputs[i], (*results)[i].getType()),
        Tolerance::getDefault(outputs[i].getType()));
    if (!comparison.matches)
      return fail("output '" + outputNames[i] + "' is wrong: " + comparison.describe());
  }
}

std::unique_ptr<PassInstrumentation>
nn::createNumericVerification(NumericVerificationOptions options,
                              std::optional<NumericMismatch> &found) {
  return std::make_unique<NumericVerification>(std::move(options), found);
}
