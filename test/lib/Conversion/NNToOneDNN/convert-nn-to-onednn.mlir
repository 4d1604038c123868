// RUN: nn-opt %s -nn-place=only=onednn --split-input-file | FileCheck %s
// RUN: nn-opt %s -nn-place=only=onednn --split-input-file --remarks-filter=onednn 2>&1 | FileCheck %s --check-prefix=REMARK

// What follows the anchor becomes post-ops, with operands of dst's rank. An operand
// whose batch may differ from the convolution's is added afterwards.
// CHECK-LABEL: func.func @tail(
// CHECK: %[[S:.*]] = tensor.expand_shape {{.*}} : tensor<4x1x1xf32> into tensor<1x4x1x1xf32>
// CHECK: %[[CONV:.*]] = onednn.convolution
// CHECK-SAME: post_op_args(%[[S]] : tensor<1x4x1x1xf32>)
// CHECK-SAME: post_ops = [#onednn.binary<mul, 0>]
// CHECK: nn.fusion (%{{.*}} = %[[CONV]]
// CHECK-NEXT: nn.add
// CHECK-NEXT: nn.relu
// REMARK: remark: [Missed] split {{.*}}nn.add: the result is not provably of the primitive's shape and type
func.func @tail(%x: tensor<?x3x8x8xf32>, %w: tensor<4x3x1x1xf32>, %s: tensor<4x1x1xf32>, %r: tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> {
  %0 = nn.fusion (%a = %x : tensor<?x3x8x8xf32>, %b = %w : tensor<4x3x1x1xf32>, %c = %s : tensor<4x1x1xf32>, %d = %r : tensor<?x4x8x8xf32>) -> (tensor<?x4x8x8xf32>) {
    %1 = nn.conv %a, %b : (tensor<?x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<?x4x8x8xf32>
    %2 = nn.mul %1, %c : (tensor<?x4x8x8xf32>, tensor<4x1x1xf32>) -> tensor<?x4x8x8xf32>
    %3 = nn.add %2, %d : (tensor<?x4x8x8xf32>, tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
    %4 = nn.relu %3 : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32>
    nn.yield %4 : tensor<?x4x8x8xf32>
  }
  return %0 : tensor<?x4x8x8xf32>
}

// -----

// Constant weights are packed once.
// CHECK-LABEL: func.func @constant(
// CHECK: onednn.matmul {{.*}} {constant_weights} -> tensor<2x4xf32>
func.func @constant(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
  %w = nn.constant dense<1.0> : tensor<3x4xf32>
  %0 = nn.matmul %x, %w : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

// CHECK-LABEL: func.func @pools(
// CHECK: onednn.pooling max src({{.*}} {kernel = array<i64: 2, 2>, {{.*}}strides = array<i64: 2, 2>}
// CHECK: onednn.pooling avg_include_padding
// CHECK: onednn.pooling avg_exclude_padding
func.func @pools(%x: tensor<1x3x8x8xf32>) -> (tensor<1x3x4x4xf32>, tensor<1x3x7x7xf32>, tensor<1x3x7x7xf32>) {
  %0 = nn.max_pool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  %1 = nn.average_pool %x {kernel_shape = array<i64: 2, 2>, count_include_pad = true} : (tensor<1x3x8x8xf32>) -> tensor<1x3x7x7xf32>
  %2 = nn.average_pool %x {kernel_shape = array<i64: 2, 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x7x7xf32>
  return %0, %1, %2 : tensor<1x3x4x4xf32>, tensor<1x3x7x7xf32>, tensor<1x3x7x7xf32>
}

// -----

// Operators before the anchor, or after a change of type behind it, form a separate group.
// CHECK-LABEL: func.func @split(
// CHECK: %[[HEAD:.*]] = nn.fusion
// CHECK-NEXT: nn.sin
// CHECK: %[[PRODUCT:.*]] = onednn.matmul src(%[[HEAD]]
// CHECK-SAME: post_ops = [#onednn.eltwise<relu,
// CHECK: nn.fusion (%{{.*}} = %[[PRODUCT]]
// CHECK-NEXT: nn.isnan
func.func @split(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>) -> tensor<2x4xi1> {
  %0 = nn.fusion (%a = %x : tensor<2x3xf32>, %b = %w : tensor<3x4xf32>) -> (tensor<2x4xi1>) {
    %h = nn.sin %a : (tensor<2x3xf32>) -> tensor<2x3xf32>
    %1 = nn.matmul %h, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    %2 = nn.relu %1 : (tensor<2x4xf32>) -> tensor<2x4xf32>
    %3 = nn.isnan %2 : (tensor<2x4xf32>) -> tensor<2x4xi1>
    nn.yield %3 : tensor<2x4xi1>
  }
  return %0 : tensor<2x4xi1>
}

// -----

// Types that oneDNN does not support stay, and a remark says so.
// CHECK-LABEL: func.func @types(
// CHECK: nn.matmul
// CHECK: nn.matmul
// REMARK: remark: [Missed] not-claimed {{.*}}nn.matmul: the element type is supported; seen: f64
// REMARK: remark: [Missed] not-claimed {{.*}}nn.matmul: the element type is supported; seen: i32
func.func @types(%x: tensor<2x3xf64>, %w: tensor<3x4xf64>, %i: tensor<2x3xi32>, %j: tensor<3x4xi32>) -> (tensor<2x4xf64>, tensor<2x4xi32>) {
  %0 = nn.matmul %x, %w : (tensor<2x3xf64>, tensor<3x4xf64>) -> tensor<2x4xf64>
  %1 = nn.matmul %i, %j : (tensor<2x3xi32>, tensor<3x4xi32>) -> tensor<2x4xi32>
  return %0, %1 : tensor<2x4xf64>, tensor<2x4xi32>
}

// -----

// Bounds that are absent are infinite. Rectifiers are post-ops; what is not computed
// right for NaN, or of tensors, is not. Products keep the sign of a zero.
// CHECK-LABEL: func.func @limits(
// CHECK: onednn.matmul {{.*}}post_ops = [#onednn.eltwise<clip_v2, 0xFF800000, 6.000000e+00>, #onednn.eltwise<clip_v2, 1.000000e+00, 0x7F800000>, #onednn.eltwise<linear, 2.000000e+00, -0.000000e+00>]
// CHECK: nn.hard_sigmoid
// CHECK: onednn.matmul {{[^p]*}} -> tensor<2x4xf32>
// CHECK: nn.max
func.func @limits(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>, %y: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %0 = nn.fusion (%a = %x : tensor<2x3xf32>, %b = %w : tensor<3x4xf32>) -> (tensor<2x4xf32>) {
    %six = nn.constant dense<6.0> : tensor<f32>
    %one = nn.constant dense<1.0> : tensor<f32>
    %two = nn.constant dense<2.0> : tensor<f32>
    %2 = nn.matmul %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    %3 = nn.clip %2 max %six : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
    %4 = nn.max %3, %one : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
    %5 = nn.mul %4, %two : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xf32>
    %6 = nn.hard_sigmoid %5 : (tensor<2x4xf32>) -> tensor<2x4xf32>
    nn.yield %6 : tensor<2x4xf32>
  }
  %1 = nn.fusion (%a = %x : tensor<2x3xf32>, %b = %w : tensor<3x4xf32>, %c = %y : tensor<2x4xf32>) -> (tensor<2x4xf32>) {
    %2 = nn.matmul %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
    %3 = nn.max %2, %c : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
    nn.yield %3 : tensor<2x4xf32>
  }
  return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}
