// Operators of users' libraries, whose types and shapes the operation keeps.
// RUN: nn-opt %s | nn-opt | FileCheck %s

// CHECK-LABEL: func.func @same_size
func.func @same_size(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  // CHECK: nn.custom "test:Scale" from "ops.so"(%{{.*}}) {parameters = {alpha = 2.000000e+00 : f32, axes = array<i64: 1, 2>, words = ["a"]}, shapes = [#{{.*}}], types = [f32], version = 3 : i64} : (tensor<?x3xf32>) -> tensor<?x3xf32>
  %y = nn.custom "test:Scale" from "ops.so"(%x) {
    types = [f32], shapes = [affine_map<()[s0, s1] -> (s0, s1)>], version = 3,
    parameters = {alpha = 2.0 : f32, axes = array<i64: 1, 2>, words = ["a"]}}
    : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// A size that the run computes; and one of two operands, of which one is absent.
// CHECK-LABEL: func.func @computed
func.func @computed(%x: tensor<4xf32>, %w: tensor<?xf64>) -> (tensor<?xf32>, tensor<?x4xi64>) {
  // CHECK: nn.custom ":Split" from "ops.so"(%{{.*}}, %{{.*}}) {absent = array<i64: 1>, shapes
  %y:2 = nn.custom ":Split" from "ops.so"(%x, %w) {
    absent = array<i64: 1>, types = [f32, i64],
    shapes = [affine_map<()[s0, s1, s2] -> (s2)>, affine_map<()[s0, s1] -> (s1, s0)>]}
    : (tensor<4xf32>, tensor<?xf64>) -> (tensor<?xf32>, tensor<?x4xi64>)
  return %y#0, %y#1 : tensor<?xf32>, tensor<?x4xi64>
}
