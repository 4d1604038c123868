// Operands get a dimension for directions, constants without a node; results lose it.
// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<5x2x3xf32> {nn.name = "x"}, %w: tensor<12x3xf32> {nn.name = "w"},
                %b: tensor<12xf32> {nn.name = "b"}, %h: tensor<4xf32> {nn.name = "h"})
    -> (tensor<5x2x4xf32> {nn.name = "states"}, tensor<2x4xf32> {nn.name = "last"}) {
  %r = nn.constant dense<0.5> : tensor<12x4xf32>
  // CHECK-NOT: float[12,4]
  // CHECK: float[1,12,4] "gru/value_1"
  // CHECK: ] [[W:.*]] = Unsqueeze (w, "gru/value")
  // The hidden gate's recurrent bias is apart; those of the other gates are part of b.
  // CHECK: ] [[BOTH:.*]] = Concat <axis: int = 0> (b, "gru/value{{.*}}", h)
  // CHECK: ] [[B:.*]] = Reshape ([[BOTH]], "gru/value{{.*}}")
  // CHECK: ] [[ALL:.*]], [[LAST:.*]] = GRU <hidden_size: int = 4, activations: strings = ["HardSigmoid", "Tanh"], activation_alpha: floats = [0.3], activation_beta: floats = [0.4], direction: string = "reverse", linear_before_reset: int = 1> (x, [[W]], "gru/value_1", [[B]])
  // CHECK: states = Squeeze ([[ALL]], "gru/value{{.*}}")
  // CHECK: last = Squeeze ([[LAST]], "gru/value")
  %0:2 = nn.gru (%x, %w, %r, %b, %h) {activations = ["HardSigmoid", "Tanh"],
      alpha = array<f32: 0.3, 0.0>, beta = array<f32: 0.4, 0.0>, linear_before_reset, reverse,
      operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 1>}
      : (tensor<5x2x3xf32>, tensor<12x3xf32>, tensor<12x4xf32>, tensor<12xf32>, tensor<4xf32>)
      -> (tensor<5x2x4xf32>, tensor<2x4xf32>)
  return %0#0, %0#1 : tensor<5x2x4xf32>, tensor<2x4xf32>
}
