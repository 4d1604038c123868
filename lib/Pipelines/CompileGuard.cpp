//===- CompileGuard.cpp - failures that name their cause ------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Pipelines/CompileGuard.h"
#include "mlir/IR/Action.h"
#include "mlir/Pass/Pass.h"
#include "nn/Support/Activity.h"
#include "nn/Support/UserError.h"
#include <atomic>
#include <mutex>

using namespace mlir;
using namespace mlir::nn;

namespace {
/// Pipelines of several threads share it.
class ActivityInstrumentation : public PassInstrumentation {
public:
  explicit ActivityInstrumentation(MLIRContext *context)
      : counter(context, [this](Diagnostic &diagnostic) {
          numErrors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
          return failure(); // Others report it.
        }) {}

  void runBeforePass(Pass *pass, Operation *) override {
    // What only runs other passes has no name.
    if (!pass->getArgument().empty())
      setCurrentStep(("pass '" + pass->getArgument() + "'").str());
  }

  void runAfterPassFailed(Pass *pass, Operation *op) override {
    if (!pass->getArgument().empty()) {
      std::lock_guard<std::mutex> lock(mutex);
      failedPass = pass->getArgument().str();
    }
    // Errors of passes that run side by side come when all have ended.
    if (!op->getParentOp() && numErrors == 0)
      emitError(UnknownLoc::get(op->getContext()))
          << "pass '" << failedPass << "' failed without saying why";
  }

private:
  std::atomic<unsigned> numErrors{0};
  std::mutex mutex;
  std::string failedPass;
  ScopedDiagnosticHandler counter;
};
} // namespace

std::unique_ptr<PassInstrumentation>
nn::createActivityInstrumentation(MLIRContext *context) {
  return std::make_unique<ActivityInstrumentation>(context);
}

LogicalResult nn::runGuarded(MLIRContext *context, StringRef step,
                             llvm::function_ref<LogicalResult()> run,
                             llvm::function_ref<std::string()> reproduce) {
  setCurrentStep(step);
  // Patterns know their operation; other passes say themselves what they work on.
  context->registerActionHandler(
      [](llvm::function_ref<void()> apply, const tracing::Action &action) {
        for (IRUnit unit : action.getContextIRUnits())
          if (auto *op = dyn_cast<Operation *>(unit))
            setCurrentNode(op->getLoc());
        apply();
      });
  SmallVector<Diagnostic> errors;
  LogicalResult result = failure();
  {
    ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
        return failure();
      errors.push_back(std::move(diagnostic));
      return success();
    });
    result = run();
  }
  context->registerActionHandler(nullptr);

  DiagnosticEngine &engine = context->getDiagEngine();
  bool areAll = succeeded(result); // Not what the step failed of, but they were said.
  bool areSome = llvm::any_of(errors, isUserError);
  for (Diagnostic &error : errors)
    if (areAll || (areSome && isUserError(error)))
      engine.emit(std::move(error));
  if (succeeded(result) || areSome)
    return result;

  Location location = UnknownLoc::get(context);
  std::string text = "no cause is known";
  if (!errors.empty()) {
    location = errors.front().getLocation();
    text = errors.front().str();
  }
  std::string file = reproduce ? reproduce() : "";
  InFlightDiagnostic internal = emitError(location);
  internal << "internal error in " << getCurrentStep() << ": " << text;
  internal.attachNote(UnknownLoc::get(context))
      << "this is a bug of nn-mlir; please report it with "
      << (file.empty() ? "the model and the command line" : file);
  return failure();
}
