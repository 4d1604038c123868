// Padding is no maximum, NaN always is: before other numbers and behind them, in vectors and
// in what is left of a line.
// RUN: nn-run %s
func.func @main() {
  %x = check.input dense<[[[0x7FC00000, 1.0, 2.0, 0xFF800000, 0xFF800000, 0xFF800000, 6.0, 0x7F800000, 8.0,
                            9.0, 0xFFC00000, 11.0, 12.0, -5.0, -6.0, -7.0, 0.0, 17.0, 18.0, 0x7FC00000]]]> : tensor<1x1x20xf32>
  %y = nn.max_pool %x {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>} : (tensor<1x1x20xf32>) -> tensor<1x1x20xf32>
  %want = check.input dense<[[[0x7FC00000, 0x7FC00000, 2.0, 2.0, 0xFF800000, 6.0, 0x7F800000, 0x7F800000, 0x7F800000,
                               0x7FC00000, 0x7FC00000, 0x7FC00000, 12.0, 12.0, -5.0, 0.0, 17.0, 18.0, 0x7FC00000, 0x7FC00000]]]> : tensor<1x1x20xf32>
  check.expect_close %y, %want : tensor<1x1x20xf32>, tensor<1x1x20xf32>
  %z = nn.max_pool %x {kernel_shape = array<i64: 2>, strides = array<i64: 3>} : (tensor<1x1x20xf32>) -> tensor<1x1x7xf32>
  %apart = check.input dense<[[[0x7FC00000, 0xFF800000, 0x7F800000, 0x7FC00000, 12.0, 0.0, 0x7FC00000]]]> : tensor<1x1x7xf32>
  check.expect_close %z, %apart : tensor<1x1x7xf32>, tensor<1x1x7xf32>
  return
}
