// Equal constants are one initializer; those that are outputs are copied.
// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%shape: tensor<2xi64> {nn.name = "shape"})
    -> (tensor<2x2xf32> {nn.name = "sum"}, tensor<2x2xf32> {nn.name = "same"},
        tensor<?x?xi32> {nn.name = "filled"}) {
  // CHECK: float[2,2] weight = {1,2,3,4}
  // CHECK-NOT: float
  // CHECK: {
  %0 = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> loc("weight")
  %1 = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> loc("copy")
  // CHECK: sum = Add (weight, weight)
  %2 = nn.add %0, %1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // CHECK: filled = ConstantOfShape <value: tensor = int32[1] {{ *}}{7}> (shape)
  %3 = nn.constant_of_shape %shape {value = dense<7> : tensor<1xi32>} : (tensor<2xi64>) -> tensor<?x?xi32>
  // CHECK: same = Identity (weight)
  return %2, %0, %3 : tensor<2x2xf32>, tensor<2x2xf32>, tensor<?x?xi32>
}
