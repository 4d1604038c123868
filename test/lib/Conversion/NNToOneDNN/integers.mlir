// RUN: nn-opt %s -nn-place=only=onednn | FileCheck %s

// Requantization is one primitive: the conversions and the limits of the integers are
// its own, ties are rounded before the zero point is added.
// CHECK-LABEL: func.func @requantized(
// CHECK: %[[RESULT:.*]] = onednn.convolution
// CHECK-SAME: src(%arg0 : tensor<1x8x8x4xui8>) weights(%arg1 : tensor<6x4x3x3xi8>) bias(%arg2 : tensor<6xi32>)
// CHECK-SAME: post_op_args(%{{.*}} : tensor<1x1x1x6xf32>)
// CHECK-SAME: post_ops = [#onednn.binary<mul, 0>, #onednn.eltwise<round, 0.000000e+00, 0.000000e+00>, #onednn.eltwise<linear, 1.000000e+00, 3.000000e+00>]
// CHECK-SAME: src_zero_point = 7
// CHECK-SAME: -> tensor<1x8x8x6xui8>
// CHECK-NEXT: return %[[RESULT]]
func.func @requantized(%x: tensor<1x8x8x4xui8>, %w: tensor<6x4x3x3xi8>, %b: tensor<6xi32>, %s: tensor<6xf32>) -> tensor<1x8x8x6xui8> {
  %0 = nn.fusion (%a = %x : tensor<1x8x8x4xui8>, %f = %w : tensor<6x4x3x3xi8>, %c = %b : tensor<6xi32>, %k = %s : tensor<6xf32>) -> (tensor<1x8x8x6xui8>) {
    %low = nn.constant dense<-3.0> : tensor<f32>
    %high = nn.constant dense<252.0> : tensor<f32>
    %z = nn.constant dense<3.0> : tensor<f32>
    %1 = nn.conv %a, %f, %c {input_zero_point = 7 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x8x8x4xui8>, tensor<6x4x3x3xi8>, tensor<6xi32>) -> tensor<1x8x8x6xi32>
    %2 = nn.cast %1 {to = f32} : (tensor<1x8x8x6xi32>) -> tensor<1x8x8x6xf32>
    %3 = nn.mul %2, %k : (tensor<1x8x8x6xf32>, tensor<6xf32>) -> tensor<1x8x8x6xf32>
    %4 = nn.round %3 : (tensor<1x8x8x6xf32>) -> tensor<1x8x8x6xf32>
    %5 = nn.clip %4 min %low max %high : (tensor<1x8x8x6xf32>, tensor<f32>, tensor<f32>) -> tensor<1x8x8x6xf32>
    %6 = nn.add %5, %z : (tensor<1x8x8x6xf32>, tensor<f32>) -> tensor<1x8x8x6xf32>
    %7 = nn.cast %6 {to = ui8} : (tensor<1x8x8x6xf32>) -> tensor<1x8x8x6xui8>
    nn.yield %7 : tensor<1x8x8x6xui8>
  }
  return %0 : tensor<1x8x8x6xui8>
}

// A dequantized operand is added as integers:
// (t * 0.5 + (x - 9) * 0.25) / 2 = ((2 t - 9) + x) * 0.125.
// CHECK-LABEL: func.func @residual(
// CHECK: onednn.matmul src(%arg0 : tensor<4x8xui8>) weights(%arg1 : tensor<8x5xi8>)
// CHECK-SAME: post_op_args(%arg2 : tensor<4x5xui8>) dst(%{{.*}} : tensor<4x5xui8>)
// CHECK-SAME: post_ops = [#onednn.eltwise<linear, 2.000000e+00, -9.000000e+00>, #onednn.binary<add, 0>, #onednn.eltwise<linear, 1.250000e-01, 0.000000e+00>]
// CHECK-NEXT: return
func.func @residual(%x: tensor<4x8xui8>, %w: tensor<8x5xi8>, %r: tensor<4x5xui8>) -> tensor<4x5xui8> {
  %0 = nn.fusion (%a = %x : tensor<4x8xui8>, %f = %w : tensor<8x5xi8>, %c = %r : tensor<4x5xui8>) -> (tensor<4x5xui8>) {
    %half = nn.constant dense<0.5> : tensor<f32>
    %quarter = nn.constant dense<0.25> : tensor<f32>
    %nine = nn.constant dense<9.0> : tensor<f32>
    %two = nn.constant dense<2.0> : tensor<f32>
    %low = nn.constant dense<0.0> : tensor<f32>
    %high = nn.constant dense<255.0> : tensor<f32>
    %1 = nn.matmul %a, %f : (tensor<4x8xui8>, tensor<8x5xi8>) -> tensor<4x5xi32>
    %2 = nn.cast %1 {to = f32} : (tensor<4x5xi32>) -> tensor<4x5xf32>
    %3 = nn.mul %2, %half : (tensor<4x5xf32>, tensor<f32>) -> tensor<4x5xf32>
    %4 = nn.cast %c {to = f32} : (tensor<4x5xui8>) -> tensor<4x5xf32>
    %5 = nn.sub %4, %nine : (tensor<4x5xf32>, tensor<f32>) -> tensor<4x5xf32>
    %6 = nn.mul %5, %quarter : (tensor<4x5xf32>, tensor<f32>) -> tensor<4x5xf32>
    %7 = nn.add %3, %6 : (tensor<4x5xf32>, tensor<4x5xf32>) -> tensor<4x5xf32>
    %8 = nn.div %7, %two : (tensor<4x5xf32>, tensor<f32>) -> tensor<4x5xf32>
    %9 = nn.round %8 : (tensor<4x5xf32>) -> tensor<4x5xf32>
    %10 = nn.clip %9 min %low max %high : (tensor<4x5xf32>, tensor<f32>, tensor<f32>) -> tensor<4x5xf32>
    %11 = nn.cast %10 {to = ui8} : (tensor<4x5xf32>) -> tensor<4x5xui8>
    nn.yield %11 : tensor<4x5xui8>
  }
  return %0 : tensor<4x5xui8>
}

// nn.cast truncates and wraps, a primitive rounds and saturates: without rounding and
// limits before it, the conversion is not the primitive's.
// CHECK-LABEL: func.func @truncated(
// CHECK: onednn.matmul {{.*}} -> tensor<4x5xf32>
// CHECK: nn.cast
func.func @truncated(%x: tensor<4x8xui8>, %w: tensor<8x5xi8>) -> tensor<4x5xui8> {
  %0 = nn.fusion (%a = %x : tensor<4x8xui8>, %f = %w : tensor<8x5xi8>) -> (tensor<4x5xui8>) {
    %1 = nn.matmul %a, %f : (tensor<4x8xui8>, tensor<8x5xi8>) -> tensor<4x5xi32>
    %2 = nn.cast %1 {to = f32} : (tensor<4x5xi32>) -> tensor<4x5xf32>
    %3 = nn.cast %2 {to = ui8} : (tensor<4x5xf32>) -> tensor<4x5xui8>
    nn.yield %3 : tensor<4x5xui8>
  }
  return %0 : tensor<4x5xui8>
}

// Limits tighter than those of the integers stay.
// CHECK-LABEL: func.func @limited(
// CHECK: post_ops = [#onednn.eltwise<linear, 5.000000e-01, -0.000000e+00>, #onednn.eltwise<round, 0.000000e+00, 0.000000e+00>, #onednn.eltwise<clip_v2, 0.000000e+00, 6.000000e+01>]
func.func @limited(%x: tensor<4x8xui8>, %w: tensor<8x5xi8>) -> tensor<4x5xi8> {
  %0 = nn.fusion (%a = %x : tensor<4x8xui8>, %f = %w : tensor<8x5xi8>) -> (tensor<4x5xi8>) {
    %half = nn.constant dense<0.5> : tensor<f32>
    %low = nn.constant dense<0.0> : tensor<f32>
    %high = nn.constant dense<60.0> : tensor<f32>
    %1 = nn.matmul %a, %f : (tensor<4x8xui8>, tensor<8x5xi8>) -> tensor<4x5xi32>
    %2 = nn.cast %1 {to = f32} : (tensor<4x5xi32>) -> tensor<4x5xf32>
    %3 = nn.mul %2, %half : (tensor<4x5xf32>, tensor<f32>) -> tensor<4x5xf32>
    %4 = nn.round %3 : (tensor<4x5xf32>) -> tensor<4x5xf32>
    %5 = nn.clip %4 min %low max %high : (tensor<4x5xf32>, tensor<f32>, tensor<f32>) -> tensor<4x5xf32>
    %6 = nn.cast %5 {to = i8} : (tensor<4x5xf32>) -> tensor<4x5xi8>
    nn.yield %6 : tensor<4x5xi8>
  }
  return %0 : tensor<4x5xi8>
}

// oneDNN does not support unsigned weights.
// CHECK-LABEL: func.func @unsigned_weights(
// CHECK: nn.matmul
func.func @unsigned_weights(%x: tensor<4x8xui8>, %w: tensor<8x5xui8>) -> tensor<4x5xi32> {
  %0 = nn.matmul %x, %w : (tensor<4x8xui8>, tensor<8x5xui8>) -> tensor<4x5xi32>
  return %0 : tensor<4x5xi32>
}

// CHECK-LABEL: func.func @pool(
// CHECK: onednn.pooling max src(%arg0 : tensor<1x4x8x8xui8>) dst(%{{.*}} : tensor<1x4x7x7xui8>)
func.func @pool(%x: tensor<1x4x8x8xui8>) -> tensor<1x4x7x7xui8> {
  %0 = nn.max_pool %x {kernel_shape = array<i64: 2, 2>} : (tensor<1x4x8x8xui8>) -> tensor<1x4x7x7xui8>
  return %0 : tensor<1x4x7x7xui8>
}
