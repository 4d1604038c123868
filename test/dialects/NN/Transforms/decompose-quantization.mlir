// RUN: nn-opt %s --nn-decompose-quantization | FileCheck %s

// Quantized and dequantized at once: no integers are stored, and the zero point
// moves the bounds.
// CHECK-LABEL: func.func @both(
// CHECK: %[[QUOTIENT:.*]] = nn.div
// CHECK: %[[ROUND:.*]] = nn.round %[[QUOTIENT]]
// CHECK-DAG: %[[LOW:.*]] = nn.constant dense<-1.380000e+02>
// CHECK-DAG: %[[HIGH:.*]] = nn.constant dense<1.170000e+02>
// CHECK: %[[CLIP:.*]] = nn.clip %[[ROUND]] min %[[LOW]] max %[[HIGH]]
// CHECK: %[[RESULT:.*]] = nn.mul %[[CLIP]]
// CHECK: return %[[RESULT]]
func.func @both(%x: tensor<4xf32>) -> tensor<4xf32> {
  %s = nn.constant dense<0.3> : tensor<f32>
  %z = nn.constant dense<10> : tensor<i8>
  %0 = nn.quantize %x, %s, %z {to = i8} : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  %1 = nn.dequantize %0, %s, %z : (tensor<4xi8>, tensor<f32>, tensor<i8>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// A rectifier does nothing where the least integer is zero.
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

// Else it does.
// CHECK-LABEL: func.func @relu_needed(
// CHECK: %[[RELU:.*]] = nn.relu
// CHECK: nn.div %[[RELU]]
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
// CHECK: %[[CLIP:.*]] = nn.clip %[[X]]
// CHECK: nn.div %[[CLIP]]
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

// f32 is not exact for wide integers with a zero point; blocks are left too.
// CHECK-LABEL: func.func @stays(
// CHECK: nn.dequantize
// CHECK: nn.quantize
func.func @stays(%x: tensor<4xi32>, %s: tensor<f32>, %z: tensor<i32>, %y: tensor<4xf32>, %blocks: tensor<2xf32>) -> (tensor<4xf32>, tensor<4xi8>) {
  %0 = nn.dequantize %x, %s, %z : (tensor<4xi32>, tensor<f32>, tensor<i32>) -> tensor<4xf32>
  %1 = nn.quantize %y, %blocks {to = i8, axis = 0 : i64, block_size = 2 : i64} : (tensor<4xf32>, tensor<2xf32>) -> tensor<4xi8>
  return %0, %1 : tensor<4xf32>, tensor<4xi8>
}

// Scales of sums of integers and of their quantization are one factor.
// CHECK-LABEL: func.func @requantize(
// CHECK-SAME: %[[A:.*]]: tensor<2x3xf32>, %[[B:.*]]: tensor<3x4xf32>, %[[S:.*]]: tensor<4xf32>, %[[TO:.*]]: tensor<f32>
// CHECK: %[[SUMS:.*]] = nn.matmul %[[A]], %[[B]] {nn.integers}
// CHECK: %[[BOTH:.*]] = nn.div %[[S]], %[[TO]]
// CHECK: %[[SCALED:.*]] = nn.mul %[[SUMS]], %[[BOTH]]
// CHECK-NEXT: nn.round %[[SCALED]]
func.func @requantize(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>, %s: tensor<4xf32>, %to: tensor<f32>) -> tensor<2x4xi8> {
  %0 = nn.matmul %a, %b {nn.integers} : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  %1 = nn.mul %0, %s : (tensor<2x4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  %2 = nn.quantize %1, %to {to = i8} : (tensor<2x4xf32>, tensor<f32>) -> tensor<2x4xi8>
  return %2 : tensor<2x4xi8>
}
