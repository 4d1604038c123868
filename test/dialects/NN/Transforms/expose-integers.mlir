// RUN: nn-opt %s --nn-expose-integers --nn-canonicalize | FileCheck %s

// CHECK-LABEL: func.func @matmul(
// CHECK-SAME: %[[X:.*]]: tensor<2x3xi8>, %[[SX:.*]]: tensor<f32>, %[[ZX:.*]]: tensor<i8>, %[[W:.*]]: tensor<3x4xi8>, %[[SW:.*]]: tensor<4xf32>
// CHECK-DAG: %[[SCALE:.*]] = nn.mul %[[SX]], %[[SW]]
// CHECK-DAG: %[[A:.*]] = nn.dequantize %[[X]], %{{.*}}, %[[ZX]]
// CHECK-DAG: %[[B:.*]] = nn.dequantize %[[W]], %{{.*}} : (tensor<3x4xi8>, tensor<4xf32>)
// CHECK: %[[EXACT:.*]] = nn.matmul %[[A]], %[[B]] {nn.integers}
// CHECK: nn.mul %[[EXACT]], %[[SCALE]]
func.func @matmul(%x: tensor<2x3xi8>, %sx: tensor<f32>, %zx: tensor<i8>, %w: tensor<3x4xi8>, %sw: tensor<4xf32>) -> tensor<2x4xf32> {
  %0 = nn.dequantize %x, %sx, %zx : (tensor<2x3xi8>, tensor<f32>, tensor<i8>) -> tensor<2x3xf32>
  %1 = nn.dequantize %w, %sw {axis = 1 : i64} : (tensor<3x4xi8>, tensor<4xf32>) -> tensor<3x4xf32>
  %2 = nn.matmul %0, %1 : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// The bias is added behind the scales.
// CHECK-LABEL: func.func @conv(
// CHECK: %[[EXACT:.*]] = nn.conv %{{.*}}, %{{.*}} {nn.integers} : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>)
// CHECK: %[[SCALES:.*]] = nn.unsqueeze %{{.*}} {axes = array<i64: 1, 2>} : (tensor<4xf32>) -> tensor<4x1x1xf32>
// CHECK: %[[SCALED:.*]] = nn.mul %[[EXACT]], %[[SCALES]]
// CHECK: nn.add %[[SCALED]],
func.func @conv(%x: tensor<1x3x8x8xui8>, %sx: tensor<f32>, %w: tensor<4x3x1x1xi8>, %sw: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<1x4x8x8xf32> {
  %0 = nn.dequantize %x, %sx : (tensor<1x3x8x8xui8>, tensor<f32>) -> tensor<1x3x8x8xf32>
  %1 = nn.dequantize %w, %sw {axis = 0 : i64} : (tensor<4x3x1x1xi8>, tensor<4xf32>) -> tensor<4x3x1x1xf32>
  %2 = nn.conv %0, %1, %b : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return %2 : tensor<1x4x8x8xf32>
}

// CHECK-LABEL: func.func @mean(
// CHECK: %[[EXACT:.*]] = nn.reduce_mean %{{.*}} {axes = array<i64: 2, 3>, nn.integers}
// CHECK: nn.mul %[[EXACT]], %{{.*}} : (tensor<1x3x1x1xf32>, tensor<f32>)
func.func @mean(%x: tensor<1x3x8x8xi8>, %s: tensor<f32>) -> tensor<1x3x1x1xf32> {
  %0 = nn.dequantize %x, %s : (tensor<1x3x8x8xi8>, tensor<f32>) -> tensor<1x3x8x8xf32>
  %1 = nn.reduce_mean %0 {axes = array<i64: 2, 3>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
  return %1 : tensor<1x3x1x1xf32>
}

// Scales along the contracted dimension do not come out of the sum.
// CHECK-LABEL: func.func @other_axis(
// CHECK-NOT: nn.integers
func.func @other_axis(%x: tensor<2x3xi8>, %sx: tensor<f32>, %w: tensor<3x4xi8>, %sw: tensor<3xf32>) -> tensor<2x4xf32> {
  %0 = nn.dequantize %x, %sx : (tensor<2x3xi8>, tensor<f32>) -> tensor<2x3xf32>
  %1 = nn.dequantize %w, %sw {axis = 0 : i64} : (tensor<3x4xi8>, tensor<3xf32>) -> tensor<3x4xf32>
  %2 = nn.matmul %0, %1 : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// A bias that was quantized with the product of the scales is a term of the sums.
// CHECK-LABEL: func.func @integer_bias(
// CHECK-DAG: %[[BIAS:.*]] = nn.dequantize %arg2,
// CHECK: nn.conv %{{.*}}, %{{.*}}, %[[BIAS]] {nn.integers}
// CHECK-NOT: nn.add
func.func @integer_bias(%x: tensor<1x3x8x8xi8>, %w: tensor<2x3x1x1xi8>, %b: tensor<2xi32>) -> tensor<1x2x8x8xf32> {
  %sx = nn.constant dense<0.5> : tensor<f32>
  %sw = nn.constant dense<[0.25, 2.0]> : tensor<2xf32>
  %sb = nn.constant dense<[0.125, 1.0]> : tensor<2xf32>
  %0 = nn.dequantize %x, %sx : (tensor<1x3x8x8xi8>, tensor<f32>) -> tensor<1x3x8x8xf32>
  %1 = nn.dequantize %w, %sw {axis = 0 : i64} : (tensor<2x3x1x1xi8>, tensor<2xf32>) -> tensor<2x3x1x1xf32>
  %2 = nn.dequantize %b, %sb {axis = 0 : i64} : (tensor<2xi32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = nn.conv %0, %1, %2 : (tensor<1x3x8x8xf32>, tensor<2x3x1x1xf32>, tensor<2xf32>) -> tensor<1x2x8x8xf32>
  return %3 : tensor<1x2x8x8xf32>
}

// With another scale it is not.
// CHECK-LABEL: func.func @other_bias(
// CHECK: nn.conv %{{.*}}, %{{.*}} {nn.integers} : (tensor<1x3x8x8xf32>, tensor<2x3x1x1xf32>)
// CHECK: nn.add
func.func @other_bias(%x: tensor<1x3x8x8xi8>, %w: tensor<2x3x1x1xi8>, %b: tensor<2xi32>) -> tensor<1x2x8x8xf32> {
  %sx = nn.constant dense<0.5> : tensor<f32>
  %sw = nn.constant dense<[0.25, 2.0]> : tensor<2xf32>
  %sb = nn.constant dense<[0.125, 1.5]> : tensor<2xf32>
  %0 = nn.dequantize %x, %sx : (tensor<1x3x8x8xi8>, tensor<f32>) -> tensor<1x3x8x8xf32>
  %1 = nn.dequantize %w, %sw {axis = 0 : i64} : (tensor<2x3x1x1xi8>, tensor<2xf32>) -> tensor<2x3x1x1xf32>
  %2 = nn.dequantize %b, %sb {axis = 0 : i64} : (tensor<2xi32>, tensor<2xf32>) -> tensor<2xf32>
  %3 = nn.conv %0, %1, %2 : (tensor<1x3x8x8xf32>, tensor<2x3x1x1xf32>, tensor<2xf32>) -> tensor<1x2x8x8xf32>
  return %3 : tensor<1x2x8x8xf32>
}
