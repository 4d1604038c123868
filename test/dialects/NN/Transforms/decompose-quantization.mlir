// RUN: nn-opt %s --nn-decompose-quantization | FileCheck %s

// Quantized and immediately dequantized: no integers are stored, and the zero point
// moves the bounds. Adding 0 makes +0 of -0, as integers have no sign of zero.
// CHECK-LABEL: func.func @both(
// CHECK: %[[QUOTIENT:.*]] = nn.div
// CHECK: %[[ROUND:.*]] = nn.round %[[QUOTIENT]]
// CHECK-DAG: %[[LOW:.*]] = nn.constant dense<-1.380000e+02>
// CHECK-DAG: %[[HIGH:.*]] = nn.constant dense<1.170000e+02>
// CHECK: %[[CLIP:.*]] = nn.clip %[[ROUND]] min %[[LOW]] max %[[HIGH]]
// CHECK: %[[ZERO:.*]] = nn.constant dense<0.000000e+00>
// CHECK: %[[UNSIGNED:.*]] = nn.add %[[CLIP]], %[[ZERO]]
// CHECK: %[[RESULT:.*]] = nn.mul %[[UNSIGNED]]
// CHECK: return %[[RESULT]]
func.func @both(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = nn.constant dense<0.3> : tensor<f32>
  %z = nn.constant dense<10> : tensor<i8>
  %0 = nn.quantize %x, %s, %z {to = i8} : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  %1 = nn.dequantize %0, %s, %z : (tensor<4xi8>, tensor<f32>, tensor<i8>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// A ReLU has no effect if the smallest integer is zero.
// CHECK-LABEL: func.func @relu(
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK: nn.div %[[X]]
func.func @relu(%x: tensor<4xf32>) -> tensor<4xi8> {
  %s = nn.constant dense<0.3> : tensor<f32>
  %z = nn.constant dense<-128> : tensor<i8>
  %0 = nn.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = nn.quantize %0, %s, %z {to = i8} : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  return %1 : tensor<4xi8>
}

// Otherwise it becomes a limit of the integers.
// CHECK-LABEL: func.func @relu_needed(
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK: nn.div %[[X]]
// CHECK: %[[ROUND:.*]] = nn.round
// CHECK-DAG: %[[LOW:.*]] = nn.constant dense<0.000000e+00>
// CHECK-DAG: %[[HIGH:.*]] = nn.constant dense<1.270000e+02>
// CHECK: nn.clip %[[ROUND]] min %[[LOW]] max %[[HIGH]]
func.func @relu_needed(%x: tensor<4xf32>) -> tensor<4xi8> {
  %s = nn.constant dense<0.3> : tensor<f32>
  %z = nn.constant dense<0> : tensor<i8>
  %0 = nn.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = nn.quantize %0, %s, %z {to = i8} : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  return %1 : tensor<4xi8>
}

// 6 / 0.1 is beyond what the type holds with the first zero point only.
// CHECK-LABEL: func.func @relu6(
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK: nn.div %[[X]]
// CHECK-DAG: %[[LOW:.*]] = nn.constant dense<-2.280000e+02>
// CHECK-DAG: %[[HIGH:.*]] = nn.constant dense<2.700000e+01>
// CHECK: nn.clip %{{.*}} min %[[LOW]] max %[[HIGH]]
// CHECK: nn.div %[[X]]
// CHECK-DAG: %[[ZERO:.*]] = nn.constant dense<0.000000e+00>
// CHECK-DAG: %[[SIXTY:.*]] = nn.constant dense<6.000000e+01>
// CHECK: nn.clip %{{.*}} min %[[ZERO]] max %[[SIXTY]]
func.func @relu6(%x: tensor<4xf32>) -> (tensor<4xi8>, tensor<4xi8>) {
  %zero = nn.constant dense<0.0> : tensor<f32>
  %six = nn.constant dense<6.0> : tensor<f32>
  %s = nn.constant dense<0.1> : tensor<f32>
  %z = nn.constant dense<100> : tensor<i8>
  %z2 = nn.constant dense<-128> : tensor<i8>
  %low = nn.constant dense<-30.0> : tensor<f32>
  %0 = nn.clip %x min %low max %six : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  %1 = nn.quantize %0, %s, %z {to = i8} : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  %2 = nn.clip %x min %zero max %six : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  %3 = nn.quantize %2, %s, %z2 {to = i8} : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  return %1, %3 : tensor<4xi8>, tensor<4xi8>
}

// CHECK-LABEL: func.func @per_axis(
// CHECK: %[[X:.*]] = nn.cast %{{.*}} {to = f32}
// CHECK: %[[S:.*]] = nn.unsqueeze %{{.*}} {axes = array<i64: 1>} : (tensor<3xf32>) -> tensor<3x1xf32>
// CHECK: nn.mul %[[X]], %[[S]]
func.func @per_axis(%x: tensor<2x3x4xi8>, %s: tensor<3xf32>) -> tensor<2x3x4xf32> {
  %0 = nn.dequantize %x, %s : (tensor<2x3x4xi8>, tensor<3xf32>) -> tensor<2x3x4xf32>
  return %0 : tensor<2x3x4xf32>
}

// f32 is not exact for wide integers with a zero point; blocks are also left alone.
// CHECK-LABEL: func.func @stays(
// CHECK: nn.dequantize
// CHECK: nn.quantize
func.func @stays(%x: tensor<4xi32>, %s: tensor<f32>, %z: tensor<i32>, %y: tensor<4xf32>, %blocks: tensor<2xf32>) -> (tensor<4xf32>, tensor<4xi8>) {
  %0 = nn.dequantize %x, %s, %z : (tensor<4xi32>, tensor<f32>, tensor<i32>) -> tensor<4xf32>
  %1 = nn.quantize %y, %blocks {to = i8, axis = 0 : i64, block_size = 2 : i64} : (tensor<4xf32>, tensor<2xf32>) -> tensor<4xi8>
  return %0, %1 : tensor<4xf32>, tensor<4xi8>
}

// The scales of integer sums and of their quantization become one factor.
// CHECK-LABEL: func.func @requantize(
// CHECK-SAME: %[[A:.*]]: tensor<2x3xf32>, %[[B:.*]]: tensor<3x4xf32>, %[[S:.*]]: tensor<4xf32>, %[[TO:.*]]: tensor<f32>
// CHECK: %[[SUMS:.*]] = nn.matmul %[[A]], %[[B]] {nn.exact_integers}
// CHECK: %[[BOTH:.*]] = nn.div %[[S]], %[[TO]]
// CHECK: %[[SCALED:.*]] = nn.mul %[[SUMS]], %[[BOTH]]
// CHECK-NEXT: nn.round %[[SCALED]]
func.func @requantize(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>, %s: tensor<4xf32>, %to: tensor<f32>) -> tensor<2x4xi8> {
  %0 = nn.matmul %a, %b {nn.exact_integers} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %1 = nn.mul %0, %s : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %2 = nn.quantize %1, %to {to = i8} : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xi8>
  return %2 : tensor<2x4xi8>
}

// A tensor that a product reads in 8 bits is stored, so all others read it too.
// CHECK-LABEL: func.func @stored(
// CHECK: %[[STORED:.*]] = nn.cast %{{.*}} {to = ui8}
// CHECK: nn.conv %[[STORED]]
// CHECK: nn.cast %[[STORED]] {to = f32}
func.func @stored(%x: tensor<1x4x2x2xf32>, %w: tensor<4x4x1x1xi8>) -> (tensor<1x4x2x2xi32>, tensor<1x4x2x2xf32>) {
  %s = nn.constant dense<0.3> : tensor<f32>
  %z = nn.constant dense<10> : tensor<ui8>
  %0 = nn.quantize %x, %s, %z {to = ui8} : (tensor<1x4x2x2xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x4x2x2xui8>
  %1 = nn.conv %0, %w {input_zero_point = 10 : i64} : (tensor<1x4x2x2xui8>, tensor<4x4x1x1xi8>) -> tensor<1x4x2x2xi32>
  %2 = nn.dequantize %0, %s, %z : (tensor<1x4x2x2xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x4x2x2xf32>
  return %1, %2 : tensor<1x4x2x2xi32>, tensor<1x4x2x2xf32>
}

// Of two summands, what makes the later one adds: the other is stored.
// CHECK-LABEL: func.func @sum(
// CHECK-SAME: %[[A:.*]]: tensor<4xf32>, %[[B:.*]]: tensor<4xf32>
// CHECK: nn.div %[[A]]
// CHECK: %[[STORED:.*]] = nn.cast %{{.*}} {to = i8}
// CHECK: %[[READ:.*]] = nn.cast %[[STORED]] {to = f32}
// CHECK: %[[LEFT:.*]] = nn.mul %[[READ]]
// CHECK: nn.div %[[B]]
// CHECK: %[[CLIP:.*]] = nn.clip
// CHECK: %[[UNSIGNED:.*]] = nn.add %[[CLIP]]
// CHECK: %[[RIGHT:.*]] = nn.mul %[[UNSIGNED]]
// CHECK: nn.add %[[LEFT]], %[[RIGHT]]
func.func @sum(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %s = nn.constant dense<0.3> : tensor<f32>
  %0 = nn.quantize %a, %s {to = i8} : (tensor<4xf32>, tensor<f32>) -> tensor<4xi8>
  %1 = nn.dequantize %0, %s : (tensor<4xi8>, tensor<f32>) -> tensor<4xf32>
  %2 = nn.quantize %b, %s {to = i8} : (tensor<4xf32>, tensor<f32>) -> tensor<4xi8>
  %3 = nn.dequantize %2, %s : (tensor<4xi8>, tensor<f32>) -> tensor<4xf32>
  %4 = nn.add %1, %3 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %4 : tensor<4xf32>
}

// Nothing computes with small types: all their quantization is decomposed, blocks and
// scales of f16 as well.
// CHECK-LABEL: func.func @small(
// CHECK-SAME: %[[X:.*]]: tensor<2x6xf16>, %[[Q:.*]]: tensor<2x6xi4>, %[[S:.*]]: tensor<2x2xf16>
// CHECK: %[[INPUT:.*]] = nn.cast %[[X]] {to = f32}
// CHECK: %[[WIDE:.*]] = nn.cast %[[S]] {to = f32}
// CHECK: %[[BLOCK:.*]] = nn.constant dense<[0, 0, 0, 1, 1, 1]> : tensor<6xi64>
// CHECK: %[[SCALE:.*]] = nn.gather %[[WIDE]], %[[BLOCK]] {axis = 1 : i64} : (tensor<2x2xf32>, tensor<6xi64>) -> tensor<2x6xf32>
// CHECK: %[[QUOTIENT:.*]] = nn.div %[[INPUT]], %[[SCALE]]
// CHECK-NOT: nn.round
// CHECK: nn.cast %[[QUOTIENT]] {saturate = false, to = f8E4M3FN}
// CHECK: %[[REAL:.*]] = nn.cast %[[Q]] {to = f32}
// CHECK: %[[PRODUCT:.*]] = nn.mul %[[REAL]], %{{.*}} : (tensor<2x6xf32>, tensor<2x6xf32>)
// CHECK: nn.cast %[[PRODUCT]] {to = f16}
func.func @small(%x: tensor<2x6xf16>, %q: tensor<2x6xi4>, %s: tensor<2x2xf16>) -> (tensor<2x6xf8E4M3FN>, tensor<2x6xf16>) {
  %0 = nn.quantize %x, %s {to = f8E4M3FN, block_size = 3 : i64, saturate = false} : (tensor<2x6xf16>, tensor<2x2xf16>) -> tensor<2x6xf8E4M3FN>
  %1 = nn.dequantize %q, %s {block_size = 3 : i64} : (tensor<2x6xi4>, tensor<2x2xf16>) -> tensor<2x6xf16>
  return %0, %1 : tensor<2x6xf8E4M3FN>, tensor<2x6xf16>
}
