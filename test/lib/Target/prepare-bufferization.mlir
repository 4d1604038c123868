// RUN: nn-opt %s --nn-prepare-bufferization --split-input-file | FileCheck %s

// The context comes first; inputs must not be written.
// CHECK: func.func @main(%{{.*}}: !llvm.ptr,
// CHECK-SAME: tensor<4xf32> {bufferization.writable = false, nn.name = "x"}
// CHECK-SAME: tensor<?xf32> {bufferization.writable = false}
// CHECK-SAME: -> (tensor<4xf32> {nn.name = "z"})
func.func @main(%x: tensor<4xf32> {nn.name = "x"}, %y: tensor<?xf32>) -> (tensor<4xf32> {nn.name = "z"}) {
  return %x : tensor<4xf32>
}

// Other functions stay as they are.
// CHECK: func.func private @kernel(memref<4xf32>, index, index)
func.func private @kernel(%o: memref<4xf32>, %b: index, %e: index)

// -----

// Each use of an empty tensor has one of its own, but a loop and what is around it.
// CHECK: // -----
// CHECK: %[[SHARED:.*]] = tensor.empty() : tensor<4xf32>
// CHECK: %[[E1:.*]] = tensor.empty() : tensor<4xf32>
// CHECK: linalg.fill {{.*}} outs(%[[E1]] :
// CHECK: %[[E2:.*]] = tensor.empty() : tensor<4xf32>
// CHECK: linalg.fill {{.*}} outs(%[[E2]] :
// CHECK: scf.for
// CHECK-NEXT: linalg.fill {{.*}} outs(%[[SHARED]] :
func.func @main(%f: f32, %n: index) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %empty = tensor.empty() : tensor<4xf32>
  %a = linalg.fill ins(%f : f32) outs(%empty : tensor<4xf32>) -> tensor<4xf32>
  %b = linalg.fill ins(%f : f32) outs(%empty : tensor<4xf32>) -> tensor<4xf32>
  %c = scf.for %i = %zero to %n step %one iter_args(%s = %a) -> tensor<4xf32> {
    %filled = linalg.fill ins(%f : f32) outs(%empty : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %filled : tensor<4xf32>
  }
  return %a, %b, %c : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
