// RUN: nn-opt %s --pass-pipeline='builtin.module(func.func(convert-nn-to-linalg))' --split-input-file --verify-diagnostics

func.func @antialias(%x: tensor<1x1x4x4xf32>, %sizes: tensor<4xi64>) -> tensor<?x?x?x?xf32> {
  // expected-error@+1 {{cannot be lowered: attribute 'antialias' is not set; seen: 1; accepted: 0}}
  %0 = nn.resize %x sizes %sizes {mode = "linear", antialias = true}
      : (tensor<1x1x4x4xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  return %0 : tensor<?x?x?x?xf32>
}
