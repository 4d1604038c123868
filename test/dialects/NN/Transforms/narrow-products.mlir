// RUN: nn-opt %s --nn-narrow-products --nn-canonicalize | FileCheck %s

// CHECK-LABEL: func.func @matmul(
// CHECK-SAME: %[[X:.*]]: tensor<2x2xui8>, %[[Z:.*]]: tensor<i32>
// CHECK-DAG: %[[W:.*]] = nn.constant dense<{{.*}}1, -2{{.*}}3, 127{{.*}}> : tensor<2x2xi8>
// CHECK-DAG: %[[COLUMNS:.*]] = nn.constant dense<[4, 125]> : tensor<2xi32>
// CHECK-DAG: %[[SUMS:.*]] = nn.matmul %[[X]], %[[W]] : (tensor<2x2xui8>, tensor<2x2xi8>) -> tensor<2x2xi32>
// CHECK-DAG: %[[OFF:.*]] = nn.mul %[[Z]], %[[COLUMNS]]
// CHECK: nn.sub %[[SUMS]], %[[OFF]]
func.func @matmul(%x: tensor<2x2xui8>, %z: tensor<i32>) -> tensor<2x2xi32> {
  %w = nn.constant dense<[[1, -2], [3, 127]]> : tensor<2x2xi32>
  %0 = nn.cast %x {to = i32} : (tensor<2x2xui8>) -> tensor<2x2xi32>
  %1 = nn.sub %0, %z : (tensor<2x2xi32>, tensor<i32>) -> tensor<2x2xi32>
  %2 = nn.matmul %1, %w : (tensor<2x2xi32>, tensor<2x2xi32>) -> tensor<2x2xi32>
  return %2 : tensor<2x2xi32>
}

// 128 does not fit in i8.
// CHECK-LABEL: func.func @too_wide(
// CHECK: nn.matmul %{{.*}} : (tensor<2x2xi32>, tensor<2x2xi32>)
func.func @too_wide(%x: tensor<2x2xui8>) -> tensor<2x2xi32> {
  %w = nn.constant dense<[[1, -2], [3, 128]]> : tensor<2x2xi32>
  %0 = nn.cast %x {to = i32} : (tensor<2x2xui8>) -> tensor<2x2xi32>
  %1 = nn.matmul %0, %w : (tensor<2x2xi32>, tensor<2x2xi32>) -> tensor<2x2xi32>
  return %1 : tensor<2x2xi32>
}

// CHECK-LABEL: func.func @conv(
// CHECK: %[[SUMS:.*]] = nn.conv %arg0, %{{.*}} {input_zero_point = 5 : i64, pads = array<i64: 1, 1>} : (tensor<1x1x8xi8>, tensor<1x1x3xi8>) -> tensor<1x1x8xi32>
// CHECK-NEXT: return %[[SUMS]]
func.func @conv(%x: tensor<1x1x8xi8>) -> tensor<1x1x8xi32> {
  %z = nn.constant dense<5.0> : tensor<f32>
  %w = nn.constant dense<[[[1.0, -2.0, 3.0]]]> : tensor<1x1x3xf32>
  %0 = nn.cast %x {to = f32} : (tensor<1x1x8xi8>) -> tensor<1x1x8xf32>
  %1 = nn.sub %0, %z : (tensor<1x1x8xf32>, tensor<f32>) -> tensor<1x1x8xf32>
  %2 = nn.conv %1, %w {pads = array<i64: 1, 1>} : (tensor<1x1x8xf32>, tensor<1x1x3xf32>) -> tensor<1x1x8xf32>
  %3 = nn.cast %2 {to = i32} : (tensor<1x1x8xf32>) -> tensor<1x1x8xi32>
  return %3 : tensor<1x1x8xi32>
}

// Sums that are used as floats stay floats.
// CHECK-LABEL: func.func @real(
// CHECK: nn.conv %{{.*}} : (tensor<1x1x8xf32>, tensor<1x1x3xf32>)
func.func @real(%x: tensor<1x1x8xi8>) -> tensor<1x1x6xf32> {
  %w = nn.constant dense<[[[1.0, -2.0, 3.0]]]> : tensor<1x1x3xf32>
  %0 = nn.cast %x {to = f32} : (tensor<1x1x8xi8>) -> tensor<1x1x8xf32>
  %1 = nn.conv %0, %w : (tensor<1x1x8xf32>, tensor<1x1x3xf32>) -> tensor<1x1x6xf32>
  return %1 : tensor<1x1x6xf32>
}
