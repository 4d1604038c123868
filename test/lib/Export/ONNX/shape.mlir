// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<2x3xf32> {nn.name = "x"}, %i: tensor<1x4x2x2xf32> {nn.name = "i"},
                %p: tensor<2xi64> {nn.name = "p"}, %v: tensor<1xf32> {nn.name = "v"},
                %s: tensor<2xi64> {nn.name = "s"})
    -> (tensor<1x2x3xf32> {nn.name = "more"}, tensor<2x3xf32> {nn.name = "same"},
        tensor<2x?xf32> {nn.name = "padded"}, tensor<2x2xf32> {nn.name = "part"},
        tensor<1x3xf32> {nn.name = "first"}, tensor<1x3xf32> {nn.name = "second"},
        tensor<1x4x?x?xf32> {nn.name = "resized"}, tensor<2xi64> {nn.name = "sizes"}) {
  // CHECK: more = Unsqueeze (x, "unsqueeze/value")
  %0 = nn.unsqueeze %x {axes = array<i64: 0>} : (tensor<2x3xf32>) -> tensor<1x2x3xf32>
  // No axes would be all of them in ONNX: the input is an output.
  %1 = nn.squeeze %x {axes = array<i64>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // The value is a scalar in ONNX.
  // CHECK: ] [[VALUE:.*]] = Reshape (v, "pad/value")
  // CHECK: padded = Pad (x, p, [[VALUE]], "pad/value_1")
  %2 = nn.pad %x, %p, %v {axes = array<i64: 1>} : (tensor<2x3xf32>, tensor<2xi64>, tensor<1xf32>) -> tensor<2x?xf32>
  %from = nn.constant dense<0> : tensor<1xi64>
  %to = nn.constant dense<3> : tensor<1xi64>
  // CHECK: part = Slice (x, constant, constant_1, "pad/value_1", "slice/value")
  %3 = nn.slice %x, %from, %to {axes = array<i64: 1>, steps = array<i64: 2>}
      : (tensor<2x3xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<2x2xf32>
  // CHECK: first, second = Split (x, "split/value")
  %4:2 = nn.split %x {sizes = array<i64: 1, 1>} : (tensor<2x3xf32>) -> (tensor<1x3xf32>, tensor<1x3xf32>)
  // CHECK: resized = Resize <axes: ints = [2, 3], coordinate_transformation_mode: string = "asymmetric", mode: string = "linear"> (i, "", "", s)
  %5 = nn.resize %i sizes %s {axes = array<i64: 2, 3>, mode = "linear", coordinate_mode = "asymmetric"}
      : (tensor<1x4x2x2xf32>, tensor<2xi64>) -> tensor<1x4x?x?xf32>
  // CHECK: sizes = Shape (x)
  %6 = nn.shape %x : (tensor<2x3xf32>) -> tensor<2xi64>
  // CHECK: same = Identity (x)
  return %0, %1, %2, %3, %4#0, %4#1, %5, %6 : tensor<1x2x3xf32>, tensor<2x3xf32>, tensor<2x?xf32>,
      tensor<2x2xf32>, tensor<1x3xf32>, tensor<1x3xf32>, tensor<1x4x?x?xf32>, tensor<2xi64>
}
