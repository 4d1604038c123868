// RUN: nn-opt %s --pass-pipeline='builtin.module(func.func(nn-check-windows))' | FileCheck %s

// CHECK-LABEL: func.func @pool(
// CHECK: %[[SIZE:.*]] = tensor.dim %arg0, %c2
// CHECK: %[[FITS:.*]] = arith.cmpi sge, %[[SIZE]], %c3
// CHECK: cf.assert %[[FITS]], "node 'pool': the window does not fit into the padded input in spatial dimension 0, which needs 3 elements or more; give the model a larger input"
// CHECK-NEXT: nn.max_pool
func.func @pool(%x: tensor<1x4x?xf32>) -> tensor<1x4x?xf32> {
  %y = nn.max_pool %x {kernel_shape = array<i64: 3>} : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32> loc("pool")
  return %y : tensor<1x4x?xf32>
}

// Sizes are those of the function's inputs, so that what computes the input of the
// convolution has no more uses than before.
// CHECK-LABEL: func.func @conv(
// CHECK: %[[RELU:.*]] = nn.relu
// CHECK-NOT: %[[RELU]]
// CHECK: tensor.dim %arg0
// CHECK: cf.assert {{.*}}spatial dimension 1, which needs 5 elements
// CHECK: nn.conv %[[RELU]]
func.func @conv(%x: tensor<1x3x8x?xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x4x6x?xf32> {
  %0 = nn.relu %x : (tensor<1x3x8x?xf32>) -> tensor<1x3x8x?xf32>
  %1 = nn.conv %0, %w {dilations = array<i64: 1, 2>} : (tensor<1x3x8x?xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x?xf32>
  return %1 : tensor<1x4x6x?xf32>
}

// One element is enough where there are pads, and where one window may reach beyond
// the end.
// CHECK-LABEL: func.func @enough(
// CHECK-NOT: cf.assert
func.func @enough(%x: tensor<1x4x?xf32>) -> (tensor<1x4x?xf32>, tensor<1x4x?xf32>, tensor<1x4x?xf32>) {
  %0 = nn.average_pool %x {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>} : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
  %1 = nn.max_pool %x {kernel_shape = array<i64: 3>, auto_pad = 1 : i32} : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
  %2 = nn.lp_pool %x {kernel_shape = array<i64: 3>, strides = array<i64: 3>, ceil_mode = true} : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
  return %0, %1, %2 : tensor<1x4x?xf32>, tensor<1x4x?xf32>, tensor<1x4x?xf32>
}

// In a branch, sizes are computed inside the branch.
// CHECK-LABEL: func.func @branch(
// CHECK: scf.if
// CHECK: tensor.dim %arg0
// CHECK: cf.assert
// CHECK: } else {
// CHECK: tensor.dim %arg0
// CHECK: cf.assert
func.func @branch(%x: tensor<1x4x?xf32>, %flag: i1) -> tensor<1x4x?xf32> {
  %0 = scf.if %flag -> tensor<1x4x?xf32> {
    %1 = nn.max_pool %x {kernel_shape = array<i64: 3>} : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
    scf.yield %1 : tensor<1x4x?xf32>
  } else {
    %1 = nn.max_pool %x {kernel_shape = array<i64: 2>} : (tensor<1x4x?xf32>) -> tensor<1x4x?xf32>
    scf.yield %1 : tensor<1x4x?xf32>
  }
  return %0 : tensor<1x4x?xf32>
}
