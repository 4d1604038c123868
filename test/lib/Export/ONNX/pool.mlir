// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<1x2x6x6xf32> {nn.name = "x"}, %l: tensor<1x6x6x2xf32> {nn.name = "l"})
    -> (tensor<1x2x3x3xf32> {nn.name = "max"}, tensor<1x2x3x3xi64> {nn.name = "places"},
        tensor<1x3x3x2xf32> {nn.name = "mean"}, tensor<1x2x5x5xf32> {nn.name = "norm"}) {
  // CHECK: max = MaxPool <kernel_shape: ints = [2, 2], strides: ints = [2, 2]> (x)
  %0 = nn.max_pool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x2x6x6xf32>) -> tensor<1x2x3x3xf32>
  // CHECK: {{.*}}, [[PLACES:.*]] = MaxPool <kernel_shape: ints = [2, 2], strides: ints = [2, 2], storage_order: int = 1> (x)
  // CHECK: places = Identity ([[PLACES]])
  %1 = nn.max_pool_indices %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>,
      column_major = true} : (tensor<1x2x6x6xf32>) -> tensor<1x2x3x3xi64>
  // CHECK: ] [[FIRST:.*]] = Transpose <perm: ints = [0, 3, 1, 2]> (l)
  // CHECK: ] [[MEAN:.*]] = AveragePool <count_include_pad: int = 1, kernel_shape: ints = [2, 2], strides: ints = [2, 2]> ([[FIRST]])
  // CHECK: mean = Transpose <perm: ints = [0, 2, 3, 1]> ([[MEAN]])
  %2 = nn.average_pool %l {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>,
      count_include_pad = true, layout = 1 : i32} : (tensor<1x6x6x2xf32>) -> tensor<1x3x3x2xf32>
  // CHECK: norm = LpPool <kernel_shape: ints = [2, 2], p: int = 3> (x)
  %3 = nn.lp_pool %x {kernel_shape = array<i64: 2, 2>, p = 3 : i64}
      : (tensor<1x2x6x6xf32>) -> tensor<1x2x5x5xf32>
  return %0, %1, %2, %3 : tensor<1x2x3x3xf32>, tensor<1x2x3x3xi64>, tensor<1x3x3x2xf32>,
      tensor<1x2x5x5xf32>
}
