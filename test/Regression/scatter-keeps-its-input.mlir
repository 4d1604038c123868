// RUN: nn-run %s --interpret
// RUN: nn-run %s

// The interpreter wrote a scatter's result into its input.

func.func @main() {
  %x = check.input dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %indices = check.input dense<[[1]]> : tensor<1x1xi64>
  %index = check.input dense<[1]> : tensor<1xi64>
  %updates = check.input dense<[9.0]> : tensor<1xf32>
  %y = nn.scatter_nd %x, %indices, %updates : (tensor<3xf32>, tensor<1x1xi64>, tensor<1xf32>) -> tensor<3xf32>
  %z = nn.scatter_elements %x, %index, %updates : (tensor<3xf32>, tensor<1xi64>, tensor<1xf32>) -> tensor<3xf32>
  %want = check.input dense<[1.0, 9.0, 3.0]> : tensor<3xf32>
  check.expect_eq %y, %want : tensor<3xf32>, tensor<3xf32>
  check.expect_eq %z, %want : tensor<3xf32>, tensor<3xf32>
  %same = check.input dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  check.expect_eq %x, %same : tensor<3xf32>, tensor<3xf32>
  return
}
