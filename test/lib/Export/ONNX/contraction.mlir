// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%a: tensor<2x3xf32> {nn.name = "a"}, %b: tensor<4x3xf32> {nn.name = "b"},
                %i: tensor<2x3xui8> {nn.name = "i"}, %w: tensor<3x4xi8> {nn.name = "w"})
    -> (tensor<2x4xf32> {nn.name = "product"}, tensor<2x4xf32> {nn.name = "gemm"},
        tensor<2x4xi32> {nn.name = "integers"}) {
  // CHECK: ] [[TURNED:.*]] = Transpose <perm: ints = [1, 0]> (b)
  // CHECK: product = MatMul (a, [[TURNED]])
  %0 = nn.matmul %a, %b {transpose_rhs} : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  // CHECK: gemm = Gemm <alpha: float = 0.5, transB: int = 1> (a, b)
  %1 = nn.gemm %a, %b {alpha = 0.5 : f32, trans_rhs = true}
      : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x4xf32>
  // CHECK: integers = MatMulInteger (i, w)
  %2 = nn.matmul %i, %w : (tensor<2x3xui8>, tensor<3x4xi8>) -> tensor<2x4xi32>
  return %0, %1, %2 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xi32>
}
