//===- nn-translate.cpp - between ONNX, MLIR and libraries ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "nn/Compress/Passes.h"
#include "nn/Export/ONNX.h"
#include "nn/Import/ONNX.h"
#include "nn/InitAll.h"
#include "nn/Pipelines/CheckCapability.h"
#include "nn/Pipelines/Compile.h"
#include "nn/Pipelines/Pipelines.h"
#include "nn/Support/CommandLine.h"
#include "nn/Support/Tool.h"
#include "nn/Target/Bundle.h"
#include "nn/Target/Target.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
namespace cl = llvm::cl;

#ifdef NN_JEMALLOC
/// jemalloc reads it. Memory that is no longer used goes back to the system in half a second,
/// and there is one arena: few threads allocate at a time.
extern "C" const char *malloc_conf = "narenas:1,dirty_decay_ms:500,muzzy_decay_ms:0";
#endif

namespace {

enum class Action {
  Default,
  ImportONNX,
  ExportONNX,
  Triage,
  EmitLibrary,
  EmitObject,
  EmitLLVMIR
};

cl::OptionCategory files("Files"), actions("What to do"),
    importing("How to import"), exporting("How to export"),
    compiling("How to compile");
cl::opt<std::string> inputFile(cl::Positional, cl::desc("IN"), cl::Required,
                               cl::cat(files));
cl::opt<std::string> outputFile("o", cl::desc("Output file (- for the terminal)"),
                                cl::value_desc("OUT"), cl::init("-"),
                                cl::cat(files));
cl::opt<Action> action(
    cl::desc("What to do:"), cl::cat(actions), cl::init(Action::Default),
    cl::values(
        clEnumValN(Action::ImportONNX, "import-onnx",
                   "import a model (.onnx, .onnxtxt) to the nn dialect"),
        clEnumValN(Action::ExportONNX, "export-onnx",
                   "write a model (.onnx, .onnxtxt, .mlir before placement) as ONNX; the "
                   "default if OUT ends in .onnx or .onnxtxt"),
        clEnumValN(Action::Triage, "triage",
                   "list all that stands between a model and its compilation"),
        clEnumValN(Action::EmitLibrary, "emit-library",
                   "compile to a library (.so); the default if OUT ends so"),
        clEnumValN(Action::EmitObject, "emit-object",
                   "compile to an object file, without weights"),
        clEnumValN(Action::EmitLLVMIR, "emit-llvmir", "compile to LLVM IR")));
cl::opt<std::string> target(
    "target", cl::cat(compiling), cl::value_desc("KIND[:NAME,...]"),
    cl::desc("The machines to generate code for, best first, of which the runtime "
             "chooses: cpu:NAME,... with LLVM's names or native, cuda or cuda:sm_90,...; "
             "default: cpu, which is cpu:x86-64-v4+avx512vnni,x86-64-v4,x86-64-v3"));
cl::opt<std::string> mcpu("mcpu", cl::cat(compiling), cl::value_desc("NAME"),
                          cl::desc("The same as --target=cpu:NAME"));
cl::opt<std::string> bundle(
    "bundle", cl::cat(actions), cl::value_desc("DIR"),
    cl::desc("Compile to DIR/<model>.so, and put beside it all that it needs but the "
             "C library; takes a compiled .so too. The folder can be moved"));
cl::opt<std::string> plan(
    "plan", cl::cat(compiling), cl::value_desc("FILE"),
    cl::desc("Quantize what a plan of nn-compress says (docs/Compression.md), before the model "
             "is compiled, or written as ONNX"));
cl::opt<std::string> prefer(
    "prefer", cl::cat(compiling), cl::value_desc("BACK END"),
    cl::desc("What computes all operators that it can: onednn or kernels; default: what "
             "is fastest"));
cl::opt<std::string> tuning(
    "tuning", cl::cat(compiling), cl::value_desc("FILE"),
    cl::desc("Measured times of groups of operators, for the choice of what is fastest"));
cl::opt<bool> codeWeights(
    "code-weights", cl::cat(compiling),
    cl::desc("Entropy-code the library's weights: as small as they can be without loss, for "
             "models that were pruned or clustered. They are decoded to memory when it is "
             "loaded, and no longer shared between processes"));
cl::opt<bool> verifyEach("verify-each", cl::cat(compiling),
                         cl::desc("Verify the module after each pass, and not only after "
                                  "each phase"));
cl::opt<bool> timing("timing", cl::cat(compiling),
                     cl::desc("Print the time of each pass"));
cl::list<std::string> setDims(
    "set-dim",
    cl::desc("Make a dimension static: a name of the model, or INPUT:INDEX"),
    cl::value_desc("NAME=N"), cl::cat(importing));
cl::list<std::string> customOps(
    "custom-op",
    cl::desc("A library that computes an operator, which nn-mlir need not know "
             "(docs/CustomOperators.md); may be repeated"),
    cl::value_desc("DOMAIN:NAME=LIBRARY"), cl::cat(importing));
cl::opt<bool> simplify(
    "simplify", cl::cat(exporting),
    cl::desc("Simplify the model first; what is quantized stays in ONNX's form"));
cl::opt<uint64_t> externalData(
    "external-data", cl::cat(exporting), cl::value_desc("BYTES"),
    cl::desc("Keep tensors of at least so many bytes in OUT.data, beside the model; "
             "default: only in models of 2 GiB and more"));
cl::opt<std::string> extract(
    "extract", cl::cat(actions), cl::value_desc("PREFIX"),
    cl::desc("Of --triage: write the parts of the model that are supported, which are cut "
             "where a node is not, to PREFIX.0.onnx, PREFIX.1.onnx, ..."));
cl::opt<bool> asJSON("json", cl::desc("Print the triage as JSON"),
                     cl::cat(actions));

cl::opt<unsigned> maxMemory(
    "max-memory", cl::cat(compiling), cl::value_desc("MIB"), cl::init(0),
    cl::desc("Give up once more memory is needed (default: nine tenths of what the "
             "machine or its control group has)"));

/// Prints why nothing was done. Always 1, the exit status.
int fail(const Twine &message) {
  llvm::errs() << "nn-translate: error: " << message << "\n";
  return 1;
}

/// False, and reported, if the options are malformed.
bool readSetDims(nn::ImportOptions &options) {
  for (StringRef option : setDims) {
    auto [name, value] = option.rsplit('=');
    int64_t size;
    if (name.empty() || value.getAsInteger(10, size)) {
      fail("--set-dim takes NAME=N, not '" + option + "'");
      return false;
    }
    auto [it, inserted] = options.setDims.try_emplace(name.str(), size);
    if (!inserted && it->second != size) {
      fail("--set-dim gives '" + name + "' two sizes");
      return false;
    }
  }
  return true;
}

/// What to do, where the command line leaves it to the files' names.
Action getAction() {
  if (action != Action::Default)
    return action;
  if (!bundle.empty())
    return Action::EmitLibrary;
  StringRef extension = llvm::sys::path::extension(outputFile);
  return extension == ".so"             ? Action::EmitLibrary
         : nn::isONNXFile(outputFile) ? Action::ExportONNX
                                      : Action::Default;
}

/// Reads a module of the nn dialect; null if that failed, which was reported.
OwningOpRef<ModuleOp> parseModule(MLIRContext &context) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(inputFile, &message);
  if (!file) {
    fail(message);
    return nullptr;
  }
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(file), SMLoc());
  SourceMgrDiagnosticHandler handler(sources, &context);
  return parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
}

/// Compiles to the output file.
int compile(ModuleOp module, Action action) {
  if (!plan.empty() && failed(nn::compressByPlan(module, plan)))
    return 1;
  nn::CompileOptions options;
  options.prefer = prefer;
  options.tuning = tuning;
  options.verifyEach = verifyEach;
  options.timing = timing;
  options.codeWeights = codeWeights;
  options.ownsConstants = true;
  options.forgetsPaths = true;
  std::string name = outputFile == "-" ? "nn-translate" : outputFile.getValue();
  options.reproducer = name + ".reproducer.mlir";
  if (!mcpu.empty() && !target.empty())
    return fail("--mcpu and --target both say what to generate code for; give one");
  std::string machines = mcpu.empty() ? target.getValue() : "cpu:" + mcpu;
  if (!machines.empty()) {
    llvm::Expected<nn::TargetAttr> parsed =
        nn::parseTarget(module.getContext(), machines);
    if (!parsed)
      return fail(llvm::toString(parsed.takeError()));
    module->setAttr("nn.target", *parsed);
  }
  if (action == Action::EmitLibrary) {
    if (outputFile == "-")
      return fail("a library needs a file: -o OUT.so");
    return failed(nn::compileToLibrary(module, outputFile, options));
  }
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(outputFile, &message);
  if (!output)
    return fail(message);
  if (failed(action == Action::EmitObject
                 ? nn::compileToObject(module, output->os(), options)
                 : nn::compileToLLVMIR(module, output->os(), options)))
    return 1;
  output->keep();
  return 0;
}

/// Writes the output file as ONNX.
int exportModel(ModuleOp module) {
  if (!plan.empty() && failed(nn::compressByPlan(module, plan)))
    return 1;
  if (simplify && failed(nn::simplify(module)))
    return 1;
  nn::ExportOptions options;
  if (externalData.getNumOccurrences())
    options.externalBytes = externalData;
  return failed(nn::exportONNX(module, outputFile, options));
}

/// Puts into the folder of the bundle what the compiled model there needs.
int finishBundle(StringRef model) {
  // The address is that of anything in this program.
  static int here;
  llvm::Expected<nn::RuntimeFiles> runtime = nn::findRuntimeFiles(
      llvm::sys::fs::getMainExecutable(nullptr, &here));
  if (!runtime)
    return fail(llvm::toString(runtime.takeError()));
  // Where libraries of operators are: beside a model that was compiled before, or where the
  // options say.
  nn::ImportOptions options;
  for (const std::string &option : customOps)
    llvm::cantFail(nn::addCustomOp(options, option));
  std::vector<std::string> searched;
  auto add = [&](StringRef file) {
    StringRef folder = llvm::sys::path::parent_path(file);
    searched.push_back(folder.empty() ? "." : folder.str());
  };
  add(inputFile);
  for (const auto &entry : options.customOps)
    add(entry.second);
  SmallVector<std::string> notes;
  if (llvm::Error error = nn::writeBundle(model, bundle, *runtime, searched, notes))
    return fail(llvm::toString(std::move(error)));
  for (const std::string &note : notes)
    llvm::errs() << "nn-translate: note: " << note << "\n";
  return 0;
}

/// Compiles, or copies what is compiled, into a bundle. `compileModel` writes the
/// output file.
int makeBundle(llvm::function_ref<int()> compileModel) {
  StringRef name = llvm::sys::path::stem(inputFile);
  if (outputFile != "-" || (action != Action::Default && action != Action::EmitLibrary))
    return fail("--bundle makes DIR/" + name + ".so; it goes with no -o and no other "
                "thing to do");
  if (!plan.empty() && llvm::sys::path::extension(inputFile) == ".so")
    return fail("--plan quantizes a model before it is compiled; '" + inputFile +
                "' is compiled already");
  if (name.starts_with("libnnrt"))
    return fail("a bundle has its own '" + name + "'; give the model another name");
  if (std::error_code code = llvm::sys::fs::create_directories(
          bundle, /*IgnoreExisting=*/true, llvm::sys::fs::all_all))
    return fail("cannot create '" + bundle + "': " + code.message());
  if (!llvm::sys::fs::is_directory(bundle))
    return fail("cannot create '" + bundle + "': there is a file of that name");
  SmallString<128> model(bundle);
  llvm::sys::path::append(model, name + ".so");
  outputFile = std::string(model);
  if (llvm::sys::path::extension(inputFile) != ".so") {
    if (int status = compileModel())
      return status;
  } else if (!llvm::sys::fs::equivalent(inputFile, outputFile)) {
    if (std::error_code code = llvm::sys::fs::copy_file(inputFile, outputFile))
      return fail("cannot copy '" + inputFile + "' to '" + outputFile +
                  "': " + code.message());
  }
  return finishBundle(model);
}

int run() {
  nn::ImportOptions options;
  if (!readSetDims(options))
    return 1;
  for (const std::string &option : customOps)
    if (llvm::Error error = nn::addCustomOp(options, option))
      return fail(llvm::toString(std::move(error)));
  Action action = getAction();
  if (action == Action::Default)
    return fail("say what to do: --import-onnx, --export-onnx, --triage, --emit-library (or -o "
                "OUT.so), --bundle, --emit-object or --emit-llvmir");
  if (!extract.empty() && action != Action::Triage)
    return fail("--extract belongs to --triage");
  bool exports = action == Action::ExportONNX;
  bool compiles = !exports && action != Action::ImportONNX && action != Action::Triage;

  if (!plan.empty() && !exports && !compiles)
    return fail("--plan goes with compilation and --export-onnx");

  DialectRegistry registry;
  nn::registerAllDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  nn::ToolDiagnosticHandler handler(&context, "nn-translate");
  nn::ProcessWatch watch("nn-translate", maxMemory ? int64_t(maxMemory) << 20
                                                   : nn::getDefaultMaxMemory());
  if (llvm::sys::path::extension(inputFile) == ".mlir") {
    if (!compiles && !exports)
      return fail("--import-onnx and --triage take an ONNX model");
    if (!setDims.empty())
      return fail("--set-dim takes an ONNX model");
    if (!customOps.empty())
      return fail("--custom-op takes an ONNX model; in IR, nn.custom names its library");
    OwningOpRef<ModuleOp> module = parseModule(context);
    if (!module)
      return 1;
    return exports ? exportModel(*module) : compile(*module, action);
  }

  nn::TriageReport report;
  if (compiles || action == Action::Triage)
    options.checkCapability = nn::makeCapabilityCheck();
  OwningOpRef<ModuleOp> module =
      nn::importONNX(context, inputFile, options, report);
  if (action != Action::Triage && !module) {
    report.printErrors(llvm::errs(), inputFile);
    return 1;
  }
  if (action != Action::Triage)
    report.printWarnings(llvm::errs(), inputFile);
  if (compiles)
    return compile(*module, action);
  if (exports)
    return exportModel(*module);

  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(outputFile, &message);
  if (!output)
    return fail(message);
  if (action == Action::ImportONNX)
    module->print(output->os());
  else if (asJSON)
    report.printJSON(output->os());
  else
    report.printTable(output->os());
  output->os() << (action == Action::ImportONNX ? "\n" : "");
  output->keep();
  if (!extract.empty())
    if (auto error = nn::extractSupportedParts(inputFile, report, extract,
                                               asJSON ? llvm::errs() : output->os()))
      return fail("--extract: " + *error);
  return action == Action::Triage && !report.empty() ? 1 : 0;
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  registerAsmPrinterCLOptions();
  registerMLIRContextCLOptions();
  registerPassManagerCLOptions();
  const cl::OptionCategory *categories[] = {&files, &actions, &importing, &exporting,
                                            &compiling};
  nn::hideOtherOptions(categories);
  cl::ParseCommandLineOptions(
      argc, argv,
      "translates between ONNX, MLIR and libraries\n\n"
      "--help-hidden lists the options of MLIR and LLVM too.\n");
  nn::detachOptions(categories);
  return nn::runTool("nn-translate",
                     [] { return bundle.empty() ? run() : makeBundle(run); });
}
