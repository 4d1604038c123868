// Operators of users' libraries are called on buffers of the sizes that their shapes say, or
// that the library says in the run.
// RUN: nn-opt %s --split-input-file --convert-nn-to-linalg | FileCheck %s

// CHECK-LABEL: func.func @same_size
// CHECK: %[[N:.*]] = tensor.dim %{{.*}}, %c0
// CHECK: %[[Y:.*]] = tensor.empty(%[[N]]) : tensor<?x3xi8>
// CHECK: rt.call custom ins(%{{.*}} : tensor<?x3xi8>) outs(%[[Y]] : tensor<?x3xi8>)
// CHECK-SAME: custom = {function = "test:Scale", library = "ops.so", parameters = {alpha = 2.000000e+00 : f32}}
// The place of the operator; inputs and their types, of which unsigned ones are signless in
// IR, and absent ones are 0; outputs with types and ranks.
// CHECK-SAME: parameters = array<i64: -1, 2, 0, 2, 1, 2, 2>
func.func @same_size(%x: tensor<?x3xui8>) -> tensor<?x3xui8> {
  %y = nn.custom "test:Scale" from "ops.so"(%x) {
    types = [ui8], shapes = [affine_map<()[s0, s1] -> (s0, s1)>], absent = array<i64: 0>,
    parameters = {alpha = 2.0 : f32}} : (tensor<?x3xui8>) -> tensor<?x3xui8>
  return %y : tensor<?x3xui8>
}

// -----

// CHECK-LABEL: func.func @computed
// CHECK: %[[ROOM:.*]] = tensor.empty() : tensor<2xi64>
// CHECK: %[[SIZES:.*]] = rt.call custom_shapes ins(%{{.*}} : tensor<?xf32>) outs(%[[ROOM]] : tensor<2xi64>)
// CHECK: %[[SIZE:.*]] = tensor.extract %[[SIZES]][%c0
// CHECK: %[[COUNT:.*]] = arith.index_cast %[[SIZE]]
// CHECK: %[[SECOND:.*]] = tensor.extract %[[SIZES]][%c1
// CHECK: cf.assert %{{.*}}, "nn.custom: the library gives a result another size than when the model was compiled"
// CHECK: rt.call custom ins(%{{.*}} : tensor<?xf32>) outs(%{{.*}}, %{{.*}} : tensor<?xf32>, tensor<7xi64>)
func.func @computed(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<7xi64>) {
  %y:2 = nn.custom "test:Split" from "ops.so"(%x) {
    types = [f32, i64], shapes = [affine_map<()[s0, s1] -> (s1)>, affine_map<() -> (7)>]}
    : (tensor<?xf32>) -> (tensor<?xf32>, tensor<7xi64>)
  return %y#0, %y#1 : tensor<?xf32>, tensor<7xi64>
}
