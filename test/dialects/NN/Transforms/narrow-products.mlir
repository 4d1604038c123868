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

// Constants too large to be folded to a wider type, and unsigned weights with a zero point
// other than 128.
// CHECK-LABEL: func.func @unsigned(
// CHECK-SAME: %[[X:.*]]: tensor<2x2xui8>
// CHECK-DAG: %[[W:.*]] = nn.constant dense<{{.*}}-128, 127{{.*}}-127, -28{{.*}}> : tensor<2x2xi8>
// CHECK-DAG: %[[REST:.*]] = nn.constant dense<-120> : tensor<i32>
// CHECK-DAG: %[[SUMS:.*]] = nn.matmul %[[X]], %[[W]] : (tensor<2x2xui8>, tensor<2x2xi8>) -> tensor<2x2xi32>
// CHECK-DAG: %[[ROWS:.*]] = nn.reduce_sum {{.*}} {axes = array<i64: -1>} : (tensor<2x2xi32>) -> tensor<2x1xi32>
// CHECK-DAG: %[[OFF:.*]] = nn.mul %[[ROWS]], %[[REST]]
// CHECK: nn.sub %[[SUMS]], %[[OFF]]
func.func @unsigned(%x: tensor<2x2xui8>) -> tensor<2x2xi32> {
  %w = nn.constant dense<[[0, 255], [1, 100]]> : tensor<2x2xui8>
  %z = nn.constant dense<8> : tensor<i32>
  %0 = nn.cast %x {to = i32} : (tensor<2x2xui8>) -> tensor<2x2xi32>
  %1 = nn.cast %w {to = i32} : (tensor<2x2xui8>) -> tensor<2x2xi32>
  %2 = nn.sub %1, %z : (tensor<2x2xi32>, tensor<i32>) -> tensor<2x2xi32>
  %3 = nn.matmul %0, %2 : (tensor<2x2xi32>, tensor<2x2xi32>) -> tensor<2x2xi32>
  return %3 : tensor<2x2xi32>
}

// CHECK-LABEL: func.func @unsigned_conv(
// CHECK-DAG: %[[ONES:.*]] = nn.constant dense<1> : tensor<1x1x3xi8>
// CHECK-DAG: %[[SUMS:.*]] = nn.conv %arg0, %{{.*}} {input_zero_point = 5 : i64, pads = array<i64: 1, 1>} : (tensor<1x1x8xui8>, tensor<2x1x3xi8>) -> tensor<1x2x8xi32>
// CHECK-DAG: %[[WINDOWS:.*]] = nn.conv %arg0, %[[ONES]] {input_zero_point = 5 : i64, pads = array<i64: 1, 1>} : (tensor<1x1x8xui8>, tensor<1x1x3xi8>) -> tensor<1x1x8xi32>
// CHECK: %[[OFF:.*]] = nn.mul %[[WINDOWS]]
// CHECK: nn.sub %[[SUMS]], %[[OFF]]
func.func @unsigned_conv(%x: tensor<1x1x8xui8>) -> tensor<1x2x8xi32> {
  %z = nn.constant dense<5.0> : tensor<f32>
  %w = nn.constant dense<[[[1, 2, 255]], [[0, 9, 7]]]> : tensor<2x1x3xui8>
  %y = nn.constant dense<127.0> : tensor<f32>
  %0 = nn.cast %x {to = f32} : (tensor<1x1x8xui8>) -> tensor<1x1x8xf32>
  %1 = nn.sub %0, %z : (tensor<1x1x8xf32>, tensor<f32>) -> tensor<1x1x8xf32>
  %2 = nn.cast %w {to = f32} : (tensor<2x1x3xui8>) -> tensor<2x1x3xf32>
  %3 = nn.sub %2, %y : (tensor<2x1x3xf32>, tensor<f32>) -> tensor<2x1x3xf32>
  %4 = nn.conv %1, %3 {pads = array<i64: 1, 1>} : (tensor<1x1x8xf32>, tensor<2x1x3xf32>) -> tensor<1x2x8xf32>
  %5 = nn.cast %4 {to = i32} : (tensor<1x2x8xf32>) -> tensor<1x2x8xi32>
  return %5 : tensor<1x2x8xi32>
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

// A zero point known at run time only is what is padded with.
// CHECK-LABEL: func.func @run_time_zero(
// CHECK-SAME: %[[X:.*]]: tensor<1x1x8xui8>, %[[Z:.*]]: tensor<ui8>
// CHECK-DAG: %[[TOTALS:.*]] = nn.constant dense<{{.*}}2{{.*}}> : tensor<1x1xi32>
// CHECK-DAG: %[[PADS:.*]] = nn.constant dense<[2, 1]> : tensor<2xi64>
// CHECK: %[[PADDED:.*]] = nn.pad %[[X]], %[[PADS]], %[[Z]] {axes = array<i64: 2>}
// CHECK: %[[SUMS:.*]] = nn.conv %[[PADDED]], %{{.*}} {pads = array<i64: 0, 0>} : (tensor<1x1x11xui8>, tensor<1x1x3xi8>) -> tensor<1x1x9xi32>
// CHECK: %[[WIDE:.*]] = nn.cast %[[Z]] {to = i32}
// CHECK: %[[OFF:.*]] = nn.mul %[[WIDE]], %[[TOTALS]]
// CHECK: nn.sub %[[SUMS]], %[[OFF]]
func.func @run_time_zero(%x: tensor<1x1x8xui8>, %z: tensor<ui8>) -> tensor<1x1x9xi32> {
  %w = nn.constant dense<[[[1.0, -2.0, 3.0]]]> : tensor<1x1x3xf64>
  %0 = nn.cast %x {to = f64} : (tensor<1x1x8xui8>) -> tensor<1x1x8xf64>
  %1 = nn.cast %z {to = f64} : (tensor<ui8>) -> tensor<f64>
  %2 = nn.sub %0, %1 : (tensor<1x1x8xf64>, tensor<f64>) -> tensor<1x1x8xf64>
  %3 = nn.conv %2, %w {pads = array<i64: 2, 1>} : (tensor<1x1x8xf64>, tensor<1x1x3xf64>) -> tensor<1x1x9xf64>
  %4 = nn.cast %3 {to = i32} : (tensor<1x1x9xf64>) -> tensor<1x1x9xi32>
  return %4 : tensor<1x1x9xi32>
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
