// RUN: nn-opt %s --nn-simplify-quantization --nn-canonicalize | FileCheck %s

// CHECK-LABEL: func.func @pool(
// CHECK-SAME: %[[Q:.*]]: tensor<1x4x8x8xui8>
// CHECK-NEXT: %[[RESULT:.*]] = nn.max_pool %[[Q]] {{.*}} -> tensor<1x4x7x7xui8>
// CHECK-NEXT: return %[[RESULT]]
func.func @pool(%q: tensor<1x4x8x8xui8>) -> tensor<1x4x7x7xui8> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %z = nn.constant dense<3> : tensor<ui8>
  %0 = nn.dequantize %q, %s, %z : (tensor<1x4x8x8xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x4x8x8xf32>
  %1 = nn.max_pool %0 {kernel_shape = array<i64: 2, 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  %2 = nn.quantize %1, %s, %z {to = ui8} : (tensor<1x4x7x7xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x4x7x7xui8>
  return %2 : tensor<1x4x7x7xui8>
}

// Another scale afterwards.
// CHECK-LABEL: func.func @rescaled(
// CHECK: nn.transpose %{{.*}} : (tensor<2x3xui8>) -> tensor<3x2xui8>
// CHECK: nn.dequantize
// CHECK: nn.quantize
func.func @rescaled(%q: tensor<2x3xui8>) -> tensor<3x2xui8> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %s2 = nn.constant dense<0.25> : tensor<f32>
  %0 = nn.dequantize %q, %s : (tensor<2x3xui8>, tensor<f32>) -> tensor<2x3xf32>
  %1 = nn.transpose %0 {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %2 = nn.quantize %1, %s2 {to = ui8} : (tensor<3x2xf32>, tensor<f32>) -> tensor<3x2xui8>
  return %2 : tensor<3x2xui8>
}

// CHECK-LABEL: func.func @concat(
// CHECK: nn.concat %arg0, %arg1 {{.*}} -> tensor<4x3xui8>
// CHECK: nn.dequantize
func.func @concat(%a: tensor<2x3xui8>, %b: tensor<2x3xui8>) -> tensor<4x3xf32> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %0 = nn.dequantize %a, %s : (tensor<2x3xui8>, tensor<f32>) -> tensor<2x3xf32>
  %1 = nn.dequantize %b, %s : (tensor<2x3xui8>, tensor<f32>) -> tensor<2x3xf32>
  %2 = nn.concat %0, %1 {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return %2 : tensor<4x3xf32>
}

// Only for tensors that are quantized alike.
// CHECK-LABEL: func.func @concat_other(
// CHECK: nn.concat %{{.*}} -> tensor<4x3xf32>
func.func @concat_other(%a: tensor<2x3xui8>, %b: tensor<2x3xui8>) -> tensor<4x3xf32> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %s2 = nn.constant dense<0.25> : tensor<f32>
  %0 = nn.dequantize %a, %s : (tensor<2x3xui8>, tensor<f32>) -> tensor<2x3xf32>
  %1 = nn.dequantize %b, %s2 : (tensor<2x3xui8>, tensor<f32>) -> tensor<2x3xf32>
  %2 = nn.concat %0, %1 {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return %2 : tensor<4x3xf32>
}

// Signed integers that are only dequantized become unsigned.
// CHECK-LABEL: func.func @unsigned(
// CHECK: %[[Z:.*]] = nn.constant dense<0> : tensor<ui8>
// CHECK: %[[Q:.*]] = nn.quantize %arg0, %{{.*}}, %[[Z]] {to = ui8}
// CHECK: %[[T:.*]] = nn.reshape %[[Q]], %{{.*}} -> tensor<6xui8>
// CHECK: nn.dequantize %[[T]], %{{.*}}, %[[Z]] {{.*}} : (tensor<6xui8>, tensor<f32>, tensor<ui8>)
func.func @unsigned(%x: tensor<2x3xf32>) -> tensor<6xf32> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %z = nn.constant dense<-128> : tensor<i8>
  %shape = nn.constant dense<6> : tensor<1xi64>
  %0 = nn.quantize %x, %s, %z {to = i8} : (tensor<2x3xf32>, tensor<f32>, tensor<i8>) -> tensor<2x3xi8>
  %1 = nn.dequantize %0, %s, %z : (tensor<2x3xi8>, tensor<f32>, tensor<i8>) -> tensor<2x3xf32>
  %2 = nn.reshape %1, %shape : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<6xf32>
  return %2 : tensor<6xf32>
}

// The model returns these unchanged.
// CHECK-LABEL: func.func @given(
// CHECK: nn.quantize %{{.*}} {to = i8}
func.func @given(%x: tensor<2x3xf32>) -> (tensor<2x3xi8>, tensor<2x3xf32>) {
  %s = nn.constant dense<0.5> : tensor<f32>
  %0 = nn.quantize %x, %s {to = i8} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xi8>
  %1 = nn.dequantize %0, %s : (tensor<2x3xi8>, tensor<f32>) -> tensor<2x3xf32>
  return %0, %1 : tensor<2x3xi8>, tensor<2x3xf32>
}

// A quantization goes to what computed the parts; the one that has its scale already
// is left as it is.
// CHECK-LABEL: func.func @joined(
// CHECK: %[[RELU:.*]] = nn.relu
// CHECK: %[[POOLED:.*]] = nn.quantize %[[RELU]]
// CHECK: %[[POOL:.*]] = nn.max_pool %[[POOLED]] {{.*}} -> tensor<1x4x7x7xui8>
// CHECK: %[[RESULT:.*]] = nn.concat %[[POOL]], %arg1 {{.*}} -> tensor<1x6x7x7xui8>
// CHECK-NEXT: return %[[RESULT]]
func.func @joined(%x: tensor<1x4x8x8xf32>, %q: tensor<1x2x7x7xui8>) -> tensor<1x6x7x7xui8> {
  %s = nn.constant dense<0.5> : tensor<f32>
  %z = nn.constant dense<3> : tensor<ui8>
  %0 = nn.relu %x : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.max_pool %0 {kernel_shape = array<i64: 2, 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  %2 = nn.dequantize %q, %s, %z : (tensor<1x2x7x7xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x2x7x7xf32>
  %3 = nn.concat %1, %2 {axis = 1 : i64} : (tensor<1x4x7x7xf32>, tensor<1x2x7x7xf32>) -> tensor<1x6x7x7xf32>
  %4 = nn.quantize %3, %s, %z {to = ui8} : (tensor<1x6x7x7xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x6x7x7xui8>
  return %4 : tensor<1x6x7x7xui8>
}

// Tensors with other users stay.
// CHECK-LABEL: func.func @seen(
// CHECK: nn.max_pool {{.*}} -> tensor<1x4x7x7xf32>
func.func @seen(%x: tensor<1x4x8x8xf32>) -> (tensor<1x4x7x7xui8>, tensor<1x4x7x7xf32>) {
  %s = nn.constant dense<0.5> : tensor<f32>
  %0 = nn.max_pool %x {kernel_shape = array<i64: 2, 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  %1 = nn.quantize %0, %s {to = ui8} : (tensor<1x4x7x7xf32>, tensor<f32>) -> tensor<1x4x7x7xui8>
  return %1, %0 : tensor<1x4x7x7xui8>, tensor<1x4x7x7xf32>
}

// A product transposes a dequantized matrix itself, so that its scales remain those of columns.
// CHECK-LABEL: @transposed_weights
// CHECK: %[[W:.*]] = nn.dequantize
// CHECK: nn.matmul %{{.*}}, %[[W]] {transpose_rhs}
func.func @transposed_weights(%x: tensor<?x8xf32>, %q: tensor<6x8xi8>, %s: tensor<6xf32>) -> tensor<?x6xf32> {
  %0 = nn.dequantize %q, %s {axis = 0} : (tensor<6x8xi8>, tensor<6xf32>) -> tensor<6x8xf32>
  %1 = nn.transpose %0 {perm = array<i64: 1, 0>} : (tensor<6x8xf32>) -> tensor<8x6xf32>
  %2 = nn.matmul %x, %1 : (tensor<?x8xf32>, tensor<8x6xf32>) -> tensor<?x6xf32>
  return %2 : tensor<?x6xf32>
}
