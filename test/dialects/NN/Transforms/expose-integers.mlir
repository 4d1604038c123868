// RUN: nn-opt %s --nn-expose-integers --nn-canonicalize | FileCheck %s

// CHECK-LABEL: func.func @matmul(
// CHECK-SAME: %[[X:.*]]: tensor<2x3xi8>, %[[SX:.*]]: tensor<f32>, %[[ZX:.*]]: tensor<i8>, %[[W:.*]]: tensor<3x4xi8>, %[[SW:.*]]: tensor<4xf32>
// CHECK-DAG: %[[SCALE:.*]] = nn.mul %[[SX]], %[[SW]]
// CHECK-DAG: %[[A:.*]] = nn.dequantize %[[X]], %{{.*}}, %[[ZX]]
// CHECK-DAG: %[[B:.*]] = nn.dequantize %[[W]], %{{.*}} : (tensor<3x4xi8>, tensor<4xf32>)
// CHECK: %[[EXACT:.*]] = nn.matmul %[[A]], %[[B]] {nn.exact_integers}
// CHECK: nn.mul %[[EXACT]], %[[SCALE]]
func.func @matmul(%x: tensor<2x3xi8>, %sx: tensor<f32>, %zx: tensor<i8>, %w: tensor<3x4xi8>, %sw: tensor<4xf32>) -> tensor<2x4xf32> {
  %0 = nn.dequantize %x, %sx, %zx : (tensor<2x3xi8>, tensor<f32>, tensor<i8>) -> tensor<2x3xf32>
  %1 = nn.dequantize %w, %sw {axis = 1 : i64} : (tensor<3x4xi8>, tensor<4xf32>) -> tensor<3x4xf32>
  %2 = nn.matmul %0, %1 : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// The bias is added after the scales.
// CHECK-LABEL: func.func @conv(
// CHECK: %[[EXACT:.*]] = nn.conv %{{.*}}, %{{.*}} {nn.exact_integers} : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>)
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
// CHECK: %[[EXACT:.*]] = nn.reduce_mean %{{.*}} {axes = array<i64: 2, 3>, nn.exact_integers}
// CHECK: nn.mul %[[EXACT]], %{{.*}} : (tensor<1x3x1x1xf32>, tensor<f32>)
func.func @mean(%x: tensor<1x3x8x8xi8>, %s: tensor<f32>) -> tensor<1x3x1x1xf32> {
  %0 = nn.dequantize %x, %s : (tensor<1x3x8x8xi8>, tensor<f32>) -> tensor<1x3x8x8xf32>
  %1 = nn.reduce_mean %0 {axes = array<i64: 2, 3>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x1x1xf32>
  return %1 : tensor<1x3x1x1xf32>
}

// Scales along the contracted dimension do not come out of the sum.
// CHECK-LABEL: func.func @other_axis(
// CHECK-NOT: nn.exact_integers
func.func @other_axis(%x: tensor<2x3xi8>, %sx: tensor<f32>, %w: tensor<3x4xi8>, %sw: tensor<3xf32>) -> tensor<2x4xf32> {
  %0 = nn.dequantize %x, %sx : (tensor<2x3xi8>, tensor<f32>) -> tensor<2x3xf32>
  %1 = nn.dequantize %w, %sw {axis = 0 : i64} : (tensor<3x4xi8>, tensor<3xf32>) -> tensor<3x4xf32>
  %2 = nn.matmul %0, %1 : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %2 : tensor<2x4xf32>
}

// A bias that was quantized with the product of the scales is a term of the sums.
// CHECK-LABEL: func.func @integer_bias(
// CHECK-DAG: %[[BIAS:.*]] = nn.dequantize %arg2,
// CHECK: nn.conv %{{.*}}, %{{.*}}, %[[BIAS]] {nn.exact_integers}
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
// CHECK: nn.conv %{{.*}}, %{{.*}} {nn.exact_integers} : (tensor<1x3x8x8xf32>, tensor<2x3x1x1xf32>)
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

// Nor with a zero point known only at run time.
// CHECK-LABEL: func.func @run_time_zero_point(
// CHECK: nn.conv %{{.*}}, %{{.*}} {nn.exact_integers} : (tensor<1x3x8x8xf32>, tensor<2x3x1x1xf32>)
// CHECK: nn.add
func.func @run_time_zero_point(%x: tensor<1x3x8x8xi8>, %w: tensor<2x3x1x1xi8>, %b: tensor<2xi32>, %z: tensor<i32>) -> tensor<1x2x8x8xf32> {
  %sx = nn.constant dense<0.5> : tensor<f32>
  %sw = nn.constant dense<0.25> : tensor<f32>
  %sb = nn.constant dense<0.125> : tensor<f32>
  %0 = nn.dequantize %x, %sx : (tensor<1x3x8x8xi8>, tensor<f32>) -> tensor<1x3x8x8xf32>
  %1 = nn.dequantize %w, %sw : (tensor<2x3x1x1xi8>, tensor<f32>) -> tensor<2x3x1x1xf32>
  %2 = nn.dequantize %b, %sb, %z : (tensor<2xi32>, tensor<f32>, tensor<i32>) -> tensor<2xf32>
  %3 = nn.conv %0, %1, %2 : (tensor<1x3x8x8xf32>, tensor<2x3x1x1xf32>, tensor<2xf32>) -> tensor<1x2x8x8xf32>
  return %3 : tensor<1x2x8x8xf32>
}

// Constant weights that fit in i8: the stored integers are multiplied. The zero point of
// x times the sums of the columns (3, 7) goes into the bias.
// CHECK-LABEL: func.func @bytes(
// CHECK-DAG: %[[W:.*]] = nn.constant dense<{{.*}}1, 3{{.*}}2, 4{{.*}}> : tensor<2x2xi8>
// CHECK-DAG: %[[BIAS:.*]] = nn.constant dense<[-30, -70]> : tensor<2xi32>
// CHECK: %[[SUMS:.*]] = nn.matmul %arg0, %[[W]] : (tensor<3x2xui8>, tensor<2x2xi8>) -> tensor<3x2xi32>
// CHECK: %[[ALL:.*]] = nn.add %[[SUMS]], %[[BIAS]]
// CHECK: %[[REAL:.*]] = nn.cast %[[ALL]] {nn.exact_integers, to = f32}
// CHECK: nn.mul %[[REAL]],
func.func @bytes(%x: tensor<3x2xui8>) -> tensor<3x2xf32> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %z = nn.constant dense<10> : tensor<ui8>
  %w = nn.constant dense<[[129, 131], [130, 132]]> : tensor<2x2xui8>
  %zw = nn.constant dense<128> : tensor<ui8>
  %0 = nn.dequantize %x, %s, %z : (tensor<3x2xui8>, tensor<f32>, tensor<ui8>) -> tensor<3x2xf32>
  %1 = nn.dequantize %w, %s, %zw : (tensor<2x2xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x2xf32>
  %2 = nn.matmul %0, %1 : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %2 : tensor<3x2xf32>
}

// If the window is padded, the zero point stays.
// CHECK-LABEL: func.func @padded(
// CHECK: %[[SUMS:.*]] = nn.conv %arg0, %{{.*}} {input_zero_point = 10 : i64, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x2x4x4xui8>, tensor<2x2x3x3xi8>) -> tensor<1x2x4x4xi32>
// CHECK: nn.cast %[[SUMS]] {nn.exact_integers, to = f32}
func.func @padded(%x: tensor<1x2x4x4xui8>) -> tensor<1x2x4x4xf32> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %z = nn.constant dense<10> : tensor<ui8>
  %w = nn.constant dense<3> : tensor<2x2x3x3xi8>
  %0 = nn.dequantize %x, %s, %z : (tensor<1x2x4x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x2x4x4xf32>
  %1 = nn.dequantize %w, %s : (tensor<2x2x3x3xi8>, tensor<f32>) -> tensor<2x2x3x3xf32>
  %2 = nn.conv %0, %1 {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x2x4x4xf32>, tensor<2x2x3x3xf32>) -> tensor<1x2x4x4xf32>
  return %2 : tensor<1x2x4x4xf32>
}

// Weights that do not fit are multiplied as f32.
// CHECK-LABEL: func.func @wide(
// CHECK: nn.matmul %{{.*}}, %{{.*}} {nn.exact_integers} : (tensor<3x2xf32>, tensor<2x2xf32>)
func.func @wide(%x: tensor<3x2xui8>) -> tensor<3x2xf32> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %w = nn.constant dense<[[129, 131], [130, 132]]> : tensor<2x2xui8>
  %0 = nn.dequantize %x, %s : (tensor<3x2xui8>, tensor<f32>) -> tensor<3x2xf32>
  %1 = nn.dequantize %w, %s : (tensor<2x2xui8>, tensor<f32>) -> tensor<2x2xf32>
  %2 = nn.matmul %0, %1 : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %2 : tensor<3x2xf32>
}

// A bias that is added later is a term of the sums as well: 5 - 2 * 10.
// CHECK-LABEL: func.func @added_bias(
// CHECK: %[[BIAS:.*]] = nn.constant dense<{{.*}}-15{{.*}}> : tensor<1xi32>
// CHECK: nn.add %{{.*}}, %[[BIAS]] : (tensor<3x1xi32>, tensor<1xi32>)
// CHECK: nn.cast
// CHECK-NOT: nn.add
func.func @added_bias(%x: tensor<3x2xui8>) -> tensor<3x1xf32> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %sb = nn.constant dense<0.25> : tensor<f32>
  %z = nn.constant dense<10> : tensor<ui8>
  %w = nn.constant dense<1> : tensor<2x1xi8>
  %b = nn.constant dense<5> : tensor<1xi32>
  %0 = nn.dequantize %x, %s, %z : (tensor<3x2xui8>, tensor<f32>, tensor<ui8>) -> tensor<3x2xf32>
  %1 = nn.dequantize %w, %s : (tensor<2x1xi8>, tensor<f32>) -> tensor<2x1xf32>
  %2 = nn.dequantize %b, %sb {axis = 0 : i64} : (tensor<1xi32>, tensor<f32>) -> tensor<1xf32>
  %3 = nn.matmul %0, %1 : (tensor<3x2xf32>, tensor<2x1xf32>) -> tensor<3x1xf32>
  %4 = nn.add %3, %2 : (tensor<3x1xf32>, tensor<1xf32>) -> tensor<3x1xf32>
  return %4 : tensor<3x1xf32>
}
