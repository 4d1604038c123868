// RUN: nn-opt %s -split-input-file -convert-nn-to-kernels | FileCheck %s

// Rows: the maximum, the sum of exponentials, which are kept in the result, and the result.
// CHECK-LABEL: func.func @main(
// CHECK: nn.call_kernel @kernel_softmax_0
// CHECK: func.func private @kernel_softmax_0(%[[IN:.*]]: memref<4x64xf32>, %[[OUT:.*]]: memref<4x64xf32>
// CHECK: vector.shuffle {{.*}} [0, 1, 2, 3, 4, 5, 6, 7] :
// CHECK: arith.cmpf ogt
// CHECK: vector.shuffle {{.*}} [0] :
// CHECK-NEXT: arith.cmpf ogt
// CHECK: math.exp
// CHECK: vector.store
// CHECK: vector.shuffle {{.*}} [0] :
// CHECK-NEXT: arith.addf
// CHECK: arith.divf
// CHECK: vector.store
func.func @main(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %0 = nn.softmax %x : (tensor<4x64xf32>) -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// -----

// Another axis: vectors across the inner dimensions.
// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_softmax_0
// CHECK: vector.create_mask
// CHECK-NOT: vector.shuffle
// CHECK: math.log
func.func @main(%x: tensor<4x21x50xf32>) -> tensor<4x21x50xf32> {
  %0 = nn.log_softmax %x {axis = 1 : i64} : (tensor<4x21x50xf32>) -> tensor<4x21x50xf32>
  return %0 : tensor<4x21x50xf32>
}

// -----

// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_layer_norm_0
// CHECK-COUNT-8: vector.shuffle
// CHECK: arith.subf
// CHECK-COUNT-8: vector.shuffle
// CHECK: math.sqrt
// CHECK: vector.fma
func.func @main(%x: tensor<4x64xf32>, %s: tensor<64xf32>, %b: tensor<64xf32>) -> tensor<4x64xf32> {
  %0 = nn.layer_norm %x, %s, %b : (tensor<4x64xf32>, tensor<64xf32>, tensor<64xf32>) -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}
