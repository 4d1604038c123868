// RUN: nn-opt %s --nn-fold-batch-norm --split-input-file | FileCheck %s

// CHECK-LABEL: func @after_conv
// CHECK-NOT: nn.batch_norm
// CHECK: %[[CONV:.*]] = nn.conv %arg0, %{{.*}}, %{{.*}} {nn.origin = [#nn.origin<0, "y">]} :
// CHECK-NEXT: return %[[CONV]]
func.func @after_conv(%x: tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32> {
  %w = nn.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %s = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = nn.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %m = nn.constant dense<[5.0, 6.0]> : tensor<2xf32>
  %v = nn.constant dense<[7.0, 8.0]> : tensor<2xf32>
  %0 = nn.conv %x, %w {nn.origin = [#nn.origin<0, "c">]} : (tensor<1x2x8x8xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x8x8xf32>
  %1 = nn.batch_norm %0, %s, %b, %m, %v {nn.origin = [#nn.origin<0, "y">]} : (tensor<1x2x8x8xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x8x8xf32>
  return %1 : tensor<1x2x8x8xf32>
}

// -----

// CHECK-LABEL: func @conv_used_twice
// CHECK: nn.conv
// CHECK: nn.mul
func.func @conv_used_twice(%x: tensor<1x2x8x8xf32>) -> (tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32>) {
  %w = nn.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %s = nn.constant dense<2.0> : tensor<1xf32>
  %0 = nn.conv %x, %w : (tensor<1x2x8x8xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x8x8xf32>
  %1 = nn.mul %0, %s : (tensor<1x2x8x8xf32>, tensor<1xf32>) -> tensor<1x2x8x8xf32>
  return %0, %1 : tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32>
}

// -----

// Densenet's form: batch_norm, mul and add are one mul and one add.
// CHECK-LABEL: func @standalone
// CHECK: %[[MUL:.*]] = nn.mul %arg0, %{{.*}} : (tensor<?x2x?x?xf32>, tensor<2x1x1xf32>)
// CHECK: %[[ADD:.*]] = nn.add %[[MUL]], %{{.*}} : (tensor<?x2x?x?xf32>, tensor<2x1x1xf32>)
// CHECK-NEXT: return %[[ADD]]
func.func @standalone(%x: tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32> {
  %s = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %scale = nn.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %0 = nn.batch_norm %x, %s, %s, %s, %s : (tensor<?x2x?x?xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x?x?xf32>
  %1 = nn.mul %0, %scale : (tensor<?x2x?x?xf32>, tensor<2x1x1xf32>) -> tensor<?x2x?x?xf32>
  %2 = nn.add %1, %scale : (tensor<?x2x?x?xf32>, tensor<2x1x1xf32>) -> tensor<?x2x?x?xf32>
  return %2 : tensor<?x2x?x?xf32>
}

// -----

// x * s + b before a convolution without padding; with padding only the scale
// can go, and not past the addition.
// CHECK-LABEL: func @before_conv
// CHECK: %[[C:.*]] = nn.conv %arg0, %{{.*}}, %{{.*}} :
// CHECK: %[[A:.*]] = nn.add %arg1
// CHECK: %[[D:.*]] = nn.conv %[[A]]
// CHECK: return %[[C]], %[[D]]
func.func @before_conv(%x: tensor<1x2x8x8xf32>, %y: tensor<1x2x8x8xf32>) -> (tensor<1x2x8x8xf32>, tensor<1x2x10x10xf32>) {
  %w = nn.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %s = nn.constant dense<2.0> : tensor<1xf32>
  %b = nn.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %0 = nn.mul %x, %s : (tensor<1x2x8x8xf32>, tensor<1xf32>) -> tensor<1x2x8x8xf32>
  %1 = nn.add %0, %b : (tensor<1x2x8x8xf32>, tensor<2x1x1xf32>) -> tensor<1x2x8x8xf32>
  %2 = nn.conv %1, %w : (tensor<1x2x8x8xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x8x8xf32>
  %3 = nn.add %y, %b : (tensor<1x2x8x8xf32>, tensor<2x1x1xf32>) -> tensor<1x2x8x8xf32>
  %4 = nn.conv %3, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<1x2x8x8xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x10x10xf32>
  return %2, %4 : tensor<1x2x8x8xf32>, tensor<1x2x10x10xf32>
}

// -----

// CHECK-LABEL: func @after_matmul
// CHECK: %[[M:.*]] = nn.matmul %arg0
// CHECK: %[[A:.*]] = nn.add %[[M]]
// CHECK-NEXT: return %[[A]]
func.func @after_matmul(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %s = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = nn.matmul %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = nn.add %0, %s : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %2 = nn.mul %1, %s : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %3 = nn.sub %2, %s : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %3 : tensor<?x2xf32>
}

// -----

// Only constants beside weights move.
// CHECK-LABEL: func @values_stay
// CHECK: %[[A:.*]] = nn.add %arg0
// CHECK: %[[B:.*]] = nn.sub %[[A]]
// CHECK: %[[C:.*]] = nn.mul %[[B]]
// CHECK: %[[D:.*]] = nn.mul %[[C]]
// CHECK: return %[[D]]
func.func @values_stay(%x: tensor<4xf32>) -> tensor<4xf32> {
  %magic = nn.constant dense<12582912.0> : tensor<f32>
  %large = nn.constant dense<-3.0e+38> : tensor<f32>
  %two = nn.constant dense<2.0> : tensor<f32>
  %0 = nn.add %x, %magic : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = nn.sub %0, %magic : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = nn.mul %1, %large : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = nn.mul %2, %two : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// -----

// Rounding by two additions stays behind a product and before one, with a large constant
// or any other; so does a constant that overflows with another.
// CHECK-LABEL: func @beside_products
// CHECK: %[[M:.*]] = nn.matmul %arg0
// CHECK: %[[A:.*]] = nn.add %[[M]]
// CHECK: nn.mul %[[A]]
// CHECK: %[[C:.*]] = nn.conv %arg1, %{{[0-9]+}} :
// CHECK: %[[B:.*]] = nn.add %[[C]]
// CHECK: %[[S:.*]] = nn.sub %[[B]]
// CHECK: nn.conv %[[S]]
// CHECK: %[[O:.*]] = nn.matmul %arg0, %{{[0-9]+}} :
// CHECK: nn.mul %[[O]]
func.func @beside_products(%x: tensor<?x2xf32>, %y: tensor<1x1x4x4xf32>) -> (tensor<?x2xf32>, tensor<1x1x4x4xf32>, tensor<?x2xf32>) {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %k = nn.constant dense<2.0> : tensor<1x1x1x1xf32>
  %magic = nn.constant dense<12582912.0> : tensor<f32>
  %half = nn.constant dense<0.5> : tensor<f32>
  %large = nn.constant dense<-3.0e+38> : tensor<f32>
  %0 = nn.matmul %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = nn.add %0, %magic : (tensor<?x2xf32>, tensor<f32>) -> tensor<?x2xf32>
  %2 = nn.mul %1, %half : (tensor<?x2xf32>, tensor<f32>) -> tensor<?x2xf32>
  %3 = nn.conv %y, %k : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %4 = nn.add %3, %half : (tensor<1x1x4x4xf32>, tensor<f32>) -> tensor<1x1x4x4xf32>
  %5 = nn.sub %4, %half : (tensor<1x1x4x4xf32>, tensor<f32>) -> tensor<1x1x4x4xf32>
  %6 = nn.conv %5, %k : (tensor<1x1x4x4xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x4x4xf32>
  %7 = nn.matmul %x, %w : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %8 = nn.mul %7, %large : (tensor<?x2xf32>, tensor<f32>) -> tensor<?x2xf32>
  return %2, %6, %8 : tensor<?x2xf32>, tensor<1x1x4x4xf32>, tensor<?x2xf32>
}

// -----

// c - x and c / x are no steps: the constant of a channel is on the left.
// CHECK-LABEL: func @reversed
// CHECK: %[[CONV:.*]] = nn.conv %arg0, %[[W:.*]] : (
// CHECK: %[[SUB:.*]] = nn.sub %{{.*}}, %[[CONV]] :
// CHECK: nn.div %{{.*}}, %[[SUB]] :
func.func @reversed(%x: tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32> {
  %w = nn.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %c = nn.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %0 = nn.conv %x, %w : (tensor<1x2x8x8xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x8x8xf32>
  %1 = nn.sub %c, %0 : (tensor<2x1x1xf32>, tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  %2 = nn.div %c, %1 : (tensor<2x1x1xf32>, tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  return %2 : tensor<1x2x8x8xf32>
}
