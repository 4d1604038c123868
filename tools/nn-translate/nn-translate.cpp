//===- nn-translate.cpp - between ONNX, MLIR and libraries ----------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/FileUtilities.h"
#include "nn/Import/ONNX.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
namespace cl = llvm::cl;

namespace {

enum class Action { Default, ImportONNX, Triage };

cl::OptionCategory category("nn-translate");
cl::opt<std::string> inputFile(cl::Positional, cl::desc("IN"), cl::Required,
                               cl::cat(category));
cl::opt<std::string> outputFile("o", cl::desc("Output file (- for the terminal)"),
                                cl::value_desc("OUT"), cl::init("-"),
                                cl::cat(category));
cl::opt<Action> action(
    cl::desc("What to do:"), cl::cat(category), cl::init(Action::Default),
    cl::values(
        clEnumValN(Action::ImportONNX, "import-onnx",
                   "import a model (.onnx, .onnxtxt) to the nn dialect"),
        clEnumValN(Action::Triage, "triage",
                   "list all that stands between a model and its compilation")));
cl::list<std::string> setDims(
    "set-dim",
    cl::desc("Make a dimension static: a name of the model, or INPUT:INDEX"),
    cl::value_desc("NAME=N"), cl::cat(category));
cl::opt<bool> asJSON("json", cl::desc("Print the triage as JSON"),
                     cl::cat(category));

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

int run() {
  nn::ImportOptions options;
  if (!readSetDims(options))
    return 1;
  if (action == Action::Default)
    return fail("say what to do: --import-onnx or --triage");

  MLIRContext context(MLIRContext::Threading::DISABLED);
  nn::TriageReport report;
  OwningOpRef<ModuleOp> module =
      nn::importONNX(context, inputFile, options, report);
  if (action == Action::ImportONNX && !module) {
    report.printErrors(llvm::errs(), inputFile);
    return 1;
  }

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
  return action == Action::Triage && !report.empty() ? 1 : 0;
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  registerAsmPrinterCLOptions();
  registerMLIRContextCLOptions();
  cl::ParseCommandLineOptions(argc, argv,
                              "translates between ONNX, MLIR and libraries\n");
  return run();
}
