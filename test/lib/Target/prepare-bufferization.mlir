// RUN: nn-opt %s --nn-prepare-bufferization | FileCheck %s

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
