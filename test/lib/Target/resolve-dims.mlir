// RUN: nn-opt %s --nn-resolve-dims --split-input-file | FileCheck %s

// The size of a view follows from those of what it is a view of, here the model's
// input, so that the arena can be planned from it.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %{{.*}}: !llvm.ptr, %[[X:.*]]: memref<?x?x8xf32>
// CHECK-DAG: %[[N:.*]] = memref.dim %[[X]], %c0
// CHECK-DAG: %[[M:.*]] = memref.dim %[[X]], %c1
// CHECK: %[[ROWS:.*]] = arith.muli %[[N]], %[[M]]
// CHECK: memref.alloc(%[[ROWS]])
func.func @main(%ctx: !llvm.ptr, %x: memref<?x?x8xf32>) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : memref<?x?x8xf32>
  %m = memref.dim %x, %c1 : memref<?x?x8xf32>
  %e = memref.expand_shape %x [[0], [1], [2, 3]] output_shape [%n, %m, 4, 2]
      : memref<?x?x8xf32> into memref<?x?x4x2xf32>
  %s = memref.subview %e[0, 0, 0, 1] [%n, %m, 4, 1] [1, 1, 1, 1]
      : memref<?x?x4x2xf32> to memref<?x?x4xf32, strided<[?, 8, 2], offset: 1>>
  %d0 = memref.dim %s, %c0 : memref<?x?x4xf32, strided<[?, 8, 2], offset: 1>>
  %d1 = memref.dim %s, %c1 : memref<?x?x4xf32, strided<[?, 8, 2], offset: 1>>
  %t = memref.alloc(%d0, %d1) : memref<?x?x4xf32>
  %c = memref.collapse_shape %t [[0, 1], [2]] : memref<?x?x4xf32> into memref<?x4xf32>
  %rows = memref.dim %c, %c0 : memref<?x4xf32>
  %a = memref.alloc(%rows) : memref<?x4xf32>
  memref.copy %c, %a : memref<?x4xf32> to memref<?x4xf32>
  memref.copy %s, %t : memref<?x?x4xf32, strided<[?, 8, 2], offset: 1>> to memref<?x?x4xf32>
  %z = arith.constant 0 : i32
  return %z : i32
}

// -----

// What is read from memory stays.
// CHECK-LABEL: func.func @main
// CHECK: %[[N:.*]] = memref.load
// CHECK: memref.alloc(%[[N]])
func.func @main(%ctx: !llvm.ptr, %sizes: memref<1xindex>) -> i32 {
  %c0 = arith.constant 0 : index
  %n = memref.load %sizes[%c0] : memref<1xindex>
  %a = memref.alloc(%n) : memref<?xf32>
  %d = memref.dim %a, %c0 : memref<?xf32>
  %b = memref.alloc(%d) : memref<?xf32>
  memref.copy %a, %b : memref<?xf32> to memref<?xf32>
  %z = arith.constant 0 : i32
  return %z : i32
}
