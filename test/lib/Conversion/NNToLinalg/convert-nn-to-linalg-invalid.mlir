// RUN: nn-opt %s --pass-pipeline='builtin.module(func.func(convert-nn-to-linalg))' --split-input-file --verify-diagnostics

func.func @crop(%x: tensor<1x1x4x4xf32>, %sizes: tensor<4xi64>) -> tensor<?x?x?x?xf32> {
  // expected-error@+1 {{cannot be lowered: coordinate mode tf_crop_and_resize comes with 'roi'; seen: no roi; accepted: an input 'roi'}}
  %0 = nn.resize %x sizes %sizes {mode = "linear", coordinate_mode = "tf_crop_and_resize"}
      : (tensor<1x1x4x4xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  return %0 : tensor<?x?x?x?xf32>
}
