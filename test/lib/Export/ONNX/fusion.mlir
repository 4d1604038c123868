// A fusion is what it holds.
// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<3xf32> {nn.name = "x"}) -> (tensor<3xf32> {nn.name = "y"}) {
  // CHECK: exp = Exp (x)
  // CHECK: neg = Neg (exp)
  // CHECK: y = Identity (neg)
  %0 = nn.fusion (%a = %x : tensor<3xf32>) -> (tensor<3xf32>) {
    %1 = nn.exp %a : (tensor<3xf32>) -> tensor<3xf32>
    %2 = nn.neg %1 : (tensor<3xf32>) -> tensor<3xf32>
    nn.yield %2 : tensor<3xf32>
  }
  return %0 : tensor<3xf32>
}
