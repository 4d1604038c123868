// Fourier transforms are computed by kernels of the runtime. Lengths that are not
// given are 0, a window that is not given has rank 0.
// RUN: nn-opt %s --pass-pipeline='builtin.module(func.func(convert-nn-to-linalg{lower-constants=true}))' | FileCheck %s

// CHECK-LABEL: func @dft
func.func @dft(%x: tensor<3x8x1xf32>, %n: tensor<i64>) -> (tensor<3x5x2xf32>, tensor<3x?x2xf32>) {
  // CHECK: rt.call dft ins(%{{.*}}, %{{.*}} : tensor<3x8x1xf32>, tensor<i64>) outs(%{{.*}} : tensor<3x5x2xf32>)
  // CHECK-SAME: parameters = array<i64: 1, 0, 1>
  %0 = nn.dft %x {onesided = true} : (tensor<3x8x1xf32>) -> tensor<3x5x2xf32>
  // CHECK: cf.assert {{.*}}dft_length is not positive
  // CHECK: rt.call dft ins(%{{.*}}, %arg1 : {{.*}}) outs(%{{.*}} : tensor<3x?x2xf32>)
  // CHECK-SAME: parameters = array<i64: 1, 1, 0>
  %1 = nn.dft %x, %n {inverse = true} : (tensor<3x8x1xf32>, tensor<i64>) -> tensor<3x?x2xf32>
  return %0, %1 : tensor<3x5x2xf32>, tensor<3x?x2xf32>
}

// CHECK-LABEL: func @stft
func.func @stft(%x: tensor<2x100x1xf32>, %w: tensor<16xf32>, %n: tensor<i64>)
    -> (tensor<2x11x9x2xf32>, tensor<2x?x?x2xf32>) {
  %step = nn.constant dense<8> : tensor<i64>
  // CHECK: rt.call stft ins(%arg0, %{{.*}}, %arg1, %{{.*}} : tensor<2x100x1xf32>, tensor<i64>, tensor<16xf32>, tensor<i64>) outs(%{{.*}} : tensor<2x11x9x2xf32>)
  %0 = nn.stft %x step %step window %w : (tensor<2x100x1xf32>, tensor<i64>, tensor<16xf32>) -> tensor<2x11x9x2xf32>
  // CHECK: rt.call stft ins(%arg0, %{{.*}}, %{{.*}}, %arg2 : tensor<2x100x1xf32>, tensor<i64>, tensor<f32>, tensor<i64>) outs(%{{.*}} : tensor<2x?x?x2xf32>)
  %1 = nn.stft %x step %step length %n {onesided = false} : (tensor<2x100x1xf32>, tensor<i64>, tensor<i64>) -> tensor<2x?x?x2xf32>
  return %0, %1 : tensor<2x11x9x2xf32>, tensor<2x?x?x2xf32>
}
