// RUN: nn-opt %s --nn-canonicalize --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

// An operation that replaces another takes over its name and its ONNX tensor.
// CHECK-LABEL: func @gemm
func.func @gemm(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<2x4xf32> {
  // CHECK: nn.matmul {{.*}} loc("Gemm_0")
  // CHECK: nn.add {{.*}} {nn.origin = [#nn.origin<0, "y">]} {{.*}} loc("Gemm_0")
  %0 = nn.gemm %x, %w, %b {nn.origin = [#nn.origin<0, "y">]} : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<4xf32>) -> tensor<2x4xf32> loc("Gemm_0")
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: func @folded
func.func @folded(%x: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK: %[[R:.*]] = nn.relu {{.*}} {nn.origin = [#nn.origin<0, "a">, #nn.origin<0, "b">]} {{.*}} loc(fused["Mul_1", "Relu_0"])
  // CHECK-NEXT: return %[[R]]
  %one = nn.constant dense<1.0> : tensor<1xf32>
  %0 = nn.relu %x {nn.origin = [#nn.origin<0, "a">]} : (tensor<2xf32>) -> tensor<2xf32> loc("Relu_0")
  %1 = nn.mul %0, %one {nn.origin = [#nn.origin<0, "b">]} : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32> loc("Mul_1")
  return %1 : tensor<2xf32>
}

// The neutral element of sums of floats is -0: -0 + 0 is 0.
// CHECK-LABEL: func @neutral_elements
// CHECK-SAME: %[[X:arg[0-9]+]]: tensor<2xf32>
// CHECK: %[[ADD:[0-9]+]] = nn.add %[[X]]
// CHECK: %[[SUB:[0-9]+]] = nn.sub %[[X]]
// CHECK: %[[MUL:[0-9]+]] = nn.mul %[[X]]
// CHECK: return %[[X]], %[[ADD]], %[[X]], %[[SUB]], %[[MUL]]
func.func @neutral_elements(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %zero = nn.constant dense<0.0> : tensor<f32>
  %minusZero = nn.constant dense<-0.0> : tensor<f32>
  %0 = nn.add %x, %minusZero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %1 = nn.add %x, %zero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %2 = nn.sub %x, %zero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %3 = nn.sub %x, %minusZero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %4 = nn.mul %x, %zero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  return %0, %1, %2, %3, %4 : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}
