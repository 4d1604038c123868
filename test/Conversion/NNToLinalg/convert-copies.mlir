// RUN: nn-opt %s --pass-pipeline='builtin.module(func.func(nn-convert-copies))' | FileCheck %s

// CHECK-LABEL: func.func @part
// CHECK-NOT: memref.copy
// CHECK: linalg.generic
// CHECK-SAME: ins(%arg0 : memref<2x3xf32>) outs(%arg1 : memref<2x3xf32, strided<[5, 1]>>)
func.func @part(%x: memref<2x3xf32>, %y: memref<2x3xf32, strided<[5, 1]>>) {
  memref.copy %x, %y : memref<2x3xf32> to memref<2x3xf32, strided<[5, 1]>>
  return
}

// CHECK-LABEL: func.func @whole
// CHECK: memref.copy
func.func @whole(%x: memref<?x3xf32>, %y: memref<?x3xf32>) {
  memref.copy %x, %y : memref<?x3xf32> to memref<?x3xf32>
  return
}
