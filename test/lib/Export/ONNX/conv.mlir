// What is channels-last is transposed before and after; weights have ONNX's form.
// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<1x3x8x8xf32> {nn.name = "x"}, %w: tensor<4x3x3x3xf32> {nn.name = "w"},
                %l: tensor<1x8x8x3xf32> {nn.name = "l"}, %i: tensor<1x3x8x8xui8> {nn.name = "i"},
                %k: tensor<4x3x3x3xi8> {nn.name = "k"}, %b: tensor<4xi32> {nn.name = "b"},
                %t: tensor<3x4x2x2xf32> {nn.name = "t"})
    -> (tensor<1x4x4x4xf32> {nn.name = "conv"}, tensor<1x8x8x4xf32> {nn.name = "last"},
        tensor<1x4x6x6xi32> {nn.name = "integers"}, tensor<1x4x16x16xf32> {nn.name = "wide"}) {
  // CHECK: conv = Conv <kernel_shape: ints = [3, 3], strides: ints = [2, 2], pads: ints = [1, 1, 1, 1]> (x, w)
  %0 = nn.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>}
      : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x4x4xf32>
  // CHECK: ] [[FIRST:.*]] = Transpose <perm: ints = [0, 3, 1, 2]> (l)
  // CHECK: ] [[RESULT:.*]] = Conv <kernel_shape: ints = [3, 3], auto_pad: string = "SAME_UPPER"> ([[FIRST]], w)
  // CHECK: last = Transpose <perm: ints = [0, 2, 3, 1]> ([[RESULT]])
  %1 = nn.conv %l, %w {auto_pad = 1 : i32, layout = 1 : i32}
      : (tensor<1x8x8x3xf32>, tensor<4x3x3x3xf32>) -> tensor<1x8x8x4xf32>
  // CHECK: ] [[SUM:.*]] = ConvInteger <kernel_shape: ints = [3, 3]> (i, k, "conv/value")
  // CHECK: ] [[BIAS:.*]] = Reshape (b, "conv/value_1")
  // CHECK: integers = Add ([[SUM]], [[BIAS]])
  %2 = nn.conv %i, %k, %b {input_zero_point = 7 : i64}
      : (tensor<1x3x8x8xui8>, tensor<4x3x3x3xi8>, tensor<4xi32>) -> tensor<1x4x6x6xi32>
  // CHECK: wide = ConvTranspose <kernel_shape: ints = [2, 2], strides: ints = [2, 2]> (x, t)
  %3 = nn.conv_transpose %x, %t {strides = array<i64: 2, 2>}
      : (tensor<1x3x8x8xf32>, tensor<3x4x2x2xf32>) -> tensor<1x4x16x16xf32>
  return %0, %1, %2, %3 : tensor<1x4x4x4xf32>, tensor<1x8x8x4xf32>, tensor<1x4x6x6xi32>,
      tensor<1x4x16x16xf32>
}
