// Shapes of Fourier transforms.
// RUN: nn-opt %s --nn-infer-shapes | FileCheck %s

// CHECK-LABEL: func @dft
func.func @dft(%x: tensor<3x8x5x1xf32>, %z: tensor<3x8x5x2xf64>, %n: tensor<i64>)
    -> (tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>, tensor<?x?x?x1xf64>, tensor<?x?x?x1xf64>, tensor<?x?x?x2xf32>) {
  // CHECK: nn.dft %{{.*}} {axis = 1 : i64} {{.*}} -> tensor<3x8x5x2xf32>
  %0 = nn.dft %x {axis = 1 : i64} : (tensor<3x8x5x1xf32>) -> tensor<?x?x?x2xf32>
  // CHECK: nn.dft {{.*}} -> tensor<3x8x3x2xf32>
  %1 = nn.dft %x {onesided = true} : (tensor<3x8x5x1xf32>) -> tensor<?x?x?x2xf32>
  // CHECK: nn.dft {{.*}} -> tensor<4x8x5x1xf64>
  %2 = nn.dft %z {axis = 0 : i64, inverse = true, onesided = true} : (tensor<3x8x5x2xf64>) -> tensor<?x?x?x1xf64>
  %seven = nn.constant dense<7> : tensor<i64>
  // CHECK: nn.dft {{.*}} -> tensor<7x8x5x1xf64>
  %3 = nn.dft %z, %seven {axis = 0 : i64, inverse = true, onesided = true} : (tensor<3x8x5x2xf64>, tensor<i64>) -> tensor<?x?x?x1xf64>
  // CHECK: nn.dft {{.*}} -> tensor<3x?x5x2xf32>
  %4 = nn.dft %x, %n {axis = -3 : i64} : (tensor<3x8x5x1xf32>, tensor<i64>) -> tensor<?x?x?x2xf32>
  return %0, %1, %2, %3, %4 : tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>, tensor<?x?x?x1xf64>, tensor<?x?x?x1xf64>, tensor<?x?x?x2xf32>
}

// CHECK-LABEL: func @stft
func.func @stft(%x: tensor<2x100x1xf32>, %w: tensor<16xf32>, %n: tensor<i64>)
    -> (tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>) {
  %step = nn.constant dense<8> : tensor<i64>
  %fifteen = nn.constant dense<15> : tensor<i64>
  // CHECK: nn.stft %{{.*}} step %{{.*}} window %{{.*}} : {{.*}} -> tensor<2x11x9x2xf32>
  %0 = nn.stft %x step %step window %w : (tensor<2x100x1xf32>, tensor<i64>, tensor<16xf32>) -> tensor<?x?x?x2xf32>
  // CHECK: nn.stft %{{.*}} step %{{.*}} length %{{.*}} {onesided = false} : {{.*}} -> tensor<2x11x15x2xf32>
  %1 = nn.stft %x step %step length %fifteen {onesided = false} : (tensor<2x100x1xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x?x2xf32>
  // CHECK: nn.stft {{.*}} -> tensor<2x?x9x2xf32>
  %2 = nn.stft %x step %n window %w : (tensor<2x100x1xf32>, tensor<i64>, tensor<16xf32>) -> tensor<?x?x?x2xf32>
  return %0, %1, %2 : tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>, tensor<?x?x?x2xf32>
}
