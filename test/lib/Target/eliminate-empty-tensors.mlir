// RUN: nn-opt %s --split-input-file --nn-eliminate-empty-tensors | FileCheck %s

func.func private @kernel(memref<4xf32>, memref<4xf32>, index, index)

// A kernel writes the state's buffer once the state has been read.
// CHECK-LABEL: @main
// CHECK: scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}})
// CHECK: %[[A:.*]] = rt.launch @kernel ins(%[[S]] : {{.*}}) outs(%[[E:.*]] :
// CHECK: rt.launch @kernel ins(%[[A]] : {{.*}}) outs(%[[S]] :
func.func @main(%a: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %a) -> (tensor<4xf32>) {
    %e = tensor.empty() : tensor<4xf32>
    %f = tensor.empty() : tensor<4xf32>
    %0 = rt.launch @kernel ins(%s : tensor<4xf32>) outs(%e : tensor<4xf32>) scalars() count(%c1) {grain = 4 : i64} -> tensor<4xf32>
    %1 = rt.launch @kernel ins(%0 : tensor<4xf32>) outs(%f : tensor<4xf32>) scalars() count(%c1) {grain = 4 : i64} -> tensor<4xf32>
    %2 = bufferization.materialize_in_destination %1 in %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    scf.yield %2 : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// -----

func.func private @kernel(memref<4xf32>, memref<4xf32>, index, index)

// Not while it reads the state.
// CHECK-LABEL: @main
// CHECK: scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}})
// CHECK: %[[E:.*]] = tensor.empty
// CHECK: rt.launch @kernel ins(%[[S]] : {{.*}}) outs(%[[E]] :
func.func @main(%a: tensor<4xf32>, %n: index) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %a) -> (tensor<4xf32>) {
    %e = tensor.empty() : tensor<4xf32>
    %0 = rt.launch @kernel ins(%s : tensor<4xf32>) outs(%e : tensor<4xf32>) scalars() count(%c1) {grain = 4 : i64} -> tensor<4xf32>
    %1 = bufferization.materialize_in_destination %0 in %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    scf.yield %1 : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}
