// RUN: nn-opt %s | nn-opt | FileCheck %s

// CHECK: nn.constant #nn.dequantized<dense<{{.*}}> : tensor<2x2xi8>, scale = dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>, axis = 1, block_size = 0> : tensor<2x2xf32>
// CHECK: nn.constant #nn.dequantized<dense<{{.*}}> : tensor<3x2xui4>, scale = dense<{{.*}}> : tensor<2x2xf32>, axis = 0, block_size = 2, zero_point = dense<8> : tensor<2x2xui4>> : tensor<3x2xf32>
func.func @main() -> (tensor<2x2xf32>, tensor<3x2xf32>) {
  %0 = nn.constant #nn.dequantized<dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>, scale = dense<[0.5, 0.25]> : tensor<2xf32>, axis = 1, block_size = 0> : tensor<2x2xf32>
  %1 = nn.constant #nn.dequantized<dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xui4>, scale = dense<[[0.5, 0.25], [1.0, 2.0]]> : tensor<2x2xf32>, axis = 0, block_size = 2, zero_point = dense<8> : tensor<2x2xui4>> : tensor<3x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<3x2xf32>
}
