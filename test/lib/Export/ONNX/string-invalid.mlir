// Strings are numbers, so ONNX's types are lost.
// RUN: split-file %s %t
// RUN: not nn-translate %t/signature.mlir -o %t.onnx 2>&1 | FileCheck %t/signature.mlir
// RUN: not nn-translate %t/operator.mlir -o %t.onnx 2>&1 | FileCheck %t/operator.mlir

//--- signature.mlir
// CHECK: error: the tensor 'x' of its signature cannot be written as ONNX: it holds strings, which are numbers in nn
func.func @main(%x: tensor<2xi64> {nn.name = "x", nn.stored_type = !nn.string}) -> (tensor<2xi64> {nn.name = "y"}) {
  return %x : tensor<2xi64>
}
//--- operator.mlir
func.func @main(%x: tensor<2xi64> {nn.name = "x"}) -> (tensor<2xf32> {nn.name = "y"}) {
  // CHECK: error: node 'parse': 'nn.map_strings' cannot be written as ONNX: strings are numbers in nn
  %y = nn.map_strings parse %x {to = f32} : (tensor<2xi64>) -> tensor<2xf32> loc("parse")
  return %y : tensor<2xf32>
}
