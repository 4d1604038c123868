// RUN: nn-opt %s | nn-opt | FileCheck %s
// RUN: nn-opt %s --pass-pipeline="builtin.module(func.func(nn-fold-shapes))" | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: @axis
func.func @axis(%x: tensor<?x3x4xf32>, %i: tensor<2x5xi32>) -> tensor<?x2x5x4xf32> {
  // CHECK: nn.gather %{{.*}}, %{{.*}} {axis = 1 : i64} : (tensor<?x3x4xf32>, tensor<2x5xi32>) -> tensor<?x2x5x4xf32>
  %0 = nn.gather %x, %i {axis = 1 : i64} : (tensor<?x3x4xf32>, tensor<2x5xi32>) -> tensor<?x2x5x4xf32>
  return %0 : tensor<?x2x5x4xf32>
}

// CHECK-LABEL: @scalar
func.func @scalar(%x: tensor<3x4xui8>, %i: tensor<i64>) -> tensor<3xui8> {
  // CHECK: nn.gather {{.*}} {axis = -1 : i64} : (tensor<3x4xui8>, tensor<i64>) -> tensor<3xui8>
  %0 = nn.gather %x, %i {axis = -1 : i64} : (tensor<3x4xui8>, tensor<i64>) -> tensor<3xui8>
  return %0 : tensor<3xui8>
}

// A size that is picked from a shape is known by the shape function.
// FOLD-LABEL: @size
func.func @size(%x: tensor<?x7xf32>) -> tensor<1xi64> {
  %last = nn.constant dense<-1> : tensor<1xi64>
  %0 = nn.shape %x : (tensor<?x7xf32>) -> tensor<2xi64>
  // FOLD: %[[SEVEN:.*]] = nn.constant dense<7> : tensor<1xi64>
  // FOLD: return %[[SEVEN]]
  %1 = nn.gather %0, %last : (tensor<2xi64>, tensor<1xi64>) -> tensor<1xi64>
  return %1 : tensor<1xi64>
}
