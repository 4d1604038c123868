// RUN: nn-opt %s -split-input-file -nn-place=only=kernels | FileCheck %s

// Rows: the maximum, the sum of exponentials, which are kept in the result, and the result.
// CHECK-LABEL: func.func @main(
// CHECK: rt.launch @kernel_softmax_0
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

// Another axis: vectors across the inner dimensions, of which the last has a mask.
// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_softmax_0
// CHECK: scf.if
// CHECK: vector.create_mask
// CHECK: else
// CHECK-NOT: vector.masked
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

// -----

// The scale of a channel is read once, before the pass that writes.
// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_instance_norm_0
// CHECK: math.sqrt
// CHECK: %[[FACTOR:.*]] = arith.divf
// CHECK: %[[CHANNEL:.*]] = arith.remui
// CHECK: %[[SCALE:.*]] = memref.load {{.*}}[%[[CHANNEL]]]
// CHECK: arith.mulf %[[FACTOR]], %[[SCALE]]
// CHECK: memref.load {{.*}}[%[[CHANNEL]]]
// CHECK: arith.maximumf
// CHECK: vector.store
func.func @main(%x: tensor<2x3x5x?xf32>, %s: tensor<3xf32>, %b: tensor<3xf32>) -> tensor<2x3x5x?xf32> {
  %0 = nn.fusion (%a = %x : tensor<2x3x5x?xf32>, %c = %s : tensor<3xf32>, %d = %b : tensor<3xf32>) -> (tensor<2x3x5x?xf32>) {
    %1 = nn.instance_norm %a, %c, %d : (tensor<2x3x5x?xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3x5x?xf32>
    %2 = nn.relu %1 : (tensor<2x3x5x?xf32>) -> tensor<2x3x5x?xf32>
    nn.yield %2 : tensor<2x3x5x?xf32>
  }
  return %0 : tensor<2x3x5x?xf32>
}

// -----

// Channels last: a vector of channels.
// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_instance_norm_0
// CHECK-NOT: vector.shuffle
// CHECK: vector.store
func.func @main(%x: tensor<2x5x7x16xf32>, %s: tensor<16xf32>, %b: tensor<16xf32>) -> tensor<2x5x7x16xf32> {
  %0 = nn.instance_norm %x, %s, %b {layout = 1 : i32} : (tensor<2x5x7x16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<2x5x7x16xf32>
  return %0 : tensor<2x5x7x16xf32>
}

// -----

// Nobody would check that there is a scale for each channel.
// CHECK-LABEL: func.func @main(
// CHECK: nn.instance_norm
// CHECK-NOT: rt.launch
func.func @main(%x: tensor<2x?x5x7xf32>, %s: tensor<16xf32>, %b: tensor<16xf32>) -> tensor<2x?x5x7xf32> {
  %0 = nn.instance_norm %x, %s, %b : (tensor<2x?x5x7xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<2x?x5x7xf32>
  return %0 : tensor<2x?x5x7xf32>
}
