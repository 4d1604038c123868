// Compiles a model that is written here to the library argv[1].
#include "dialects/NN/IR/NN.h"
#include "mlir/Parser/Parser.h"
#include "nn/InitAll.h"
#include "nn/Pipelines/Compile.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::nn::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(R"mlir(
    func.func @main(%x: tensor<4xf32> {nn.name = "x", nn.dim_names = [""]})
        -> (tensor<4xf32> {nn.name = "y", nn.dim_names = [""]}) {
      %y = nn.relu %x : (tensor<4xf32>) -> tensor<4xf32>
      return %y : tensor<4xf32>
    })mlir", &context);
  return !module || failed(mlir::nn::compileToLibrary(*module, argv[1]));
}
