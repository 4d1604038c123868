// Each operation that cannot be written is an error that says why; nothing is written.
// RUN: rm -f %t.onnx
// RUN: not nn-translate %s -o %t.onnx 2>&1 | FileCheck %s
// RUN: not ls %t.onnx
// RUN: nn-opt %s --compile-to=place -o %t.placed.mlir
// RUN: not nn-translate %t.placed.mlir -o %t.onnx 2>&1 | FileCheck %s --check-prefix=PLACED
// PLACED: error: {{.*}}write the module as it is before the phase 'place'

func.func @main(%x: tensor<2xi8> {nn.name = "x"}, %b: tensor<2xf32> {nn.name = "b"},
                %c: tensor<2x2xf32> {nn.name = "c"})
    -> (tensor<2xi8> {nn.name = "y"}, tensor<2x2xf32> {nn.name = "z"},
        tensor<2xui8> {nn.name = "w"}) {
  // CHECK: error: node 'sum': 'nn.reduce_l2' cannot be written as ONNX: ONNX's ReduceL2 does not take tensor(int8) as operand 'data'
  %0 = nn.reduce_l2 %x {keepdims = true} : (tensor<2xi8>) -> tensor<1xi8> loc("sum")
  %y = nn.add %x, %0 : (tensor<2xi8>, tensor<1xi8>) -> tensor<2xi8>
  // CHECK: error: node 'slope': 'nn.prelu' cannot be written as ONNX: the slope is larger than the input
  %z = nn.prelu %b, %c : (tensor<2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32> loc("slope")
  // CHECK: error: node 'bits': 'nn.encode_float' cannot be written as ONNX: ONNX has no bytes of float4e2m1; write the module as it is before the phase 'legalize'
  %w = nn.encode_float %b {format = f4E2M1FN} : (tensor<2xf32>) -> tensor<2xui8> loc("bits")
  return %y, %z, %w : tensor<2xi8>, tensor<2x2xf32>, tensor<2xui8>
}
