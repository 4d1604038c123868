// RUN: nn-opt %s --pass-pipeline='builtin.module(func.func(convert-nn-to-linalg))' --split-input-file -mlir-print-local-scope | FileCheck %s
// RUN: nn-opt %s --pass-pipeline='builtin.module(func.func(convert-nn-to-linalg))' --split-input-file -mlir-print-debuginfo | FileCheck %s --check-prefix=LOC

// Equal names prove equal sizes: nothing is checked or broadcast at run time.
// CHECK-LABEL: func.func @named
// CHECK-NOT: cf.assert
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<?xf32>, tensor<?xf32>)
// CHECK: arith.addf
// LOC-LABEL: func.func @named
// LOC: linalg.generic
// LOC: loc(#[[ADD:.*]])
// LOC: #[[ADD]] = loc("sum")
func.func @named(%a: tensor<?xf32> {nn.dim_names = ["N"]},
                 %b: tensor<?xf32> {nn.dim_names = ["N"]}) -> tensor<?xf32> {
  %0 = nn.add %a, %b {nn.origin = [#nn.origin<0, "y">]}
      : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32> loc("sum")
  return %0 : tensor<?xf32>
}

// -----

// Without names, either may be 1.
// CHECK-LABEL: func.func @unnamed
// CHECK: cf.assert %{{.*}}, "node 'sum': dimension 0 of an operand is neither 1 nor the size that it is broadcast to"
// CHECK: linalg.generic
// CHECK: %[[I:.*]] = arith.select
// CHECK: tensor.extract %{{.*}}[%[[I]]]
func.func @unnamed(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %0 = nn.add %a, %b : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32> loc("sum")
  return %0 : tensor<?xf32>
}

// -----

// Unsigned tensors are signless between the function's borders; signedness is
// in the operations.
// CHECK-LABEL: func.func @unsigned(%arg0: tensor<4xui8>)
// CHECK: %[[IN:.*]] = tensor.bitcast %arg0 : tensor<4xui8> to tensor<4xi8>
// CHECK: linalg.generic
// CHECK: arith.maxui
// CHECK-NOT: to tensor<4xui8>
// CHECK: arith.maxui
// CHECK: tensor.bitcast %{{.*}} : tensor<4xi8> to tensor<4xui8>
func.func @unsigned(%a: tensor<4xui8>) -> tensor<4xui8> {
  %0 = nn.max %a, %a : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  %1 = nn.max %0, %a : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  return %1 : tensor<4xui8>
}

// -----

// Fusions are dissolved, and origins are kept.
// CHECK-LABEL: func.func @fusion
// CHECK-NOT: nn.fusion
// CHECK: linalg.generic
// CHECK: nn.origin = [#nn.origin<0, "y">]
func.func @fusion(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nn.fusion (%x = %a : tensor<4xf32>) -> (tensor<4xf32>) {
    %1 = nn.relu %x {nn.origin = [#nn.origin<0, "y">]} : (tensor<4xf32>) -> tensor<4xf32>
    nn.yield %1 : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

// All parts are written into one destination.
// CHECK-LABEL: func.func @concat
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<5x3xf32>
// CHECK: %[[FIRST:.*]] = tensor.insert_slice %arg0 into %[[EMPTY]][0, 0] [2, 3] [1, 1]
// CHECK: tensor.insert_slice %arg1 into %[[FIRST]][2, 0] [3, 3] [1, 1]
func.func @concat(%a: tensor<2x3xf32>, %b: tensor<3x3xf32>) -> tensor<5x3xf32> {
  %0 = nn.concat %a, %b {axis = 0 : i64} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}

// -----

// A reshape is a view if the groups of dimensions can be determined.
// CHECK-LABEL: func.func @reshape
// CHECK-NOT: cf.assert
// CHECK: tensor.collapse_shape %arg0 {{\[\[}}0], [1, 2]] : tensor<?x3x4xf32> into tensor<?x12xf32>
func.func @reshape(%a: tensor<?x3x4xf32>) -> tensor<?x12xf32> {
  %shape = nn.constant dense<[-1, 12]> : tensor<2xi64>
  %0 = nn.reshape %a, %shape : (tensor<?x3x4xf32>, tensor<2xi64>) -> tensor<?x12xf32>
  return %0 : tensor<?x12xf32>
}

// -----

// Permuting dimensions of size 1 moves nothing.
// CHECK-LABEL: func.func @transpose
// CHECK-NOT: linalg.transpose
// CHECK: tensor.collapse_shape
// CHECK: tensor.expand_shape
func.func @transpose(%a: tensor<1x3x4xf32>) -> tensor<3x1x4xf32> {
  %0 = nn.transpose %a {perm = array<i64: 1, 0, 2>} : (tensor<1x3x4xf32>) -> tensor<3x1x4xf32>
  return %0 : tensor<3x1x4xf32>
}

// -----

// Sizes are followed through what is already lowered.
// CHECK-LABEL: func.func @destination
// CHECK-NOT: cf.assert
// CHECK: arith.addf
func.func @destination(%a: tensor<?xf32>) -> tensor<?xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %size = tensor.dim %a, %zero : tensor<?xf32>
  %empty = tensor.empty(%size) : tensor<?xf32>
  %ones = linalg.fill ins(%one : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %0 = nn.add %a, %ones : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// With antialias, the taps of an axis are a dimension: known where the scale is, else
// computed from it; each axis is filtered on its own, the innermost last.
// CHECK-LABEL: func.func @smooth
// CHECK: cf.assert {{.*}}a dimension of the input is empty, that of the result is not"
// CHECK: linalg.generic
// CHECK-SAME: tensor<5x97xindex>
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction", "parallel"]
// CHECK-SAME: ins({{.*}} : tensor<5x97xindex>, tensor<5x97xf32>) outs({{.*}} : tensor<1x3x97x?xf32>)
// CHECK: math.ceil
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction", "parallel"]
// CHECK-SAME: ins({{.*}} : tensor<?x113xindex>, tensor<?x113xf32>) outs({{.*}} : tensor<1x3x97x113xf32>)
func.func @smooth(%x: tensor<1x3x224x?xf32>) -> tensor<1x3x97x113xf32> {
  %sizes = nn.constant dense<[1, 3, 97, 113]> : tensor<4xi64>
  %0 = nn.resize %x sizes %sizes {mode = "linear", antialias = true}
      : (tensor<1x3x224x?xf32>, tensor<4xi64>) -> tensor<1x3x97x113xf32>
  return %0 : tensor<1x3x97x113xf32>
}
