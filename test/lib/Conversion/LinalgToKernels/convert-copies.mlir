// RUN: nn-opt %s -nn-convert-copies -canonicalize | FileCheck %s
// RUN: echo "threshold copiedThreadWork 6" > %t.tuning
// RUN: nn-opt %s -nn-convert-copies=tuning=%t.tuning | FileCheck %s --check-prefix=TUNED
// TUNED: rt.launch @copy {{.*}} {grain = 2 : i64}

// Parts of other buffers are copied by one kernel, with an iteration per row;
// dimensions that are contiguous in both are collapsed.
// CHECK-LABEL: func.func @parts
// CHECK: %[[FROM:.*]] = memref.cast %arg0 : memref<2x3xf32> to memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK: %[[TO:.*]] = memref.cast %arg1
// CHECK: rt.launch @copy ins(%[[FROM]] : {{.*}}) outs(%[[TO]] : {{.*}}) scalars() count(%c2) {grain = 21845 : i64}
// CHECK: memref.collapse_shape %arg2 {{\[}}[0, 1], [2]] : memref<4x2x3xf32> into memref<8x3xf32>
// CHECK: rt.launch @copy ins
// CHECK-NOT: memref.copy
func.func @parts(%x: memref<2x3xf32>, %y: memref<2x3xf32, strided<[5, 1]>>,
                 %z: memref<4x2x3xf32>, %w: memref<4x2x3xf32, strided<[10, 5, 1], offset: 1>>) {
  memref.copy %x, %y : memref<2x3xf32> to memref<2x3xf32, strided<[5, 1]>>
  memref.copy %z, %w : memref<4x2x3xf32> to memref<4x2x3xf32, strided<[10, 5, 1], offset: 1>>
  return
}

// CHECK-LABEL: func.func @dynamic
// CHECK: %[[SIZE:.*]] = memref.dim %arg0, %c0
// CHECK: rt.launch @copy_0 ins({{.*}}strided<[?, ?], offset: ?>>) {{.*}} count(%[[SIZE]])
func.func @dynamic(%x: memref<?x3xf32, strided<[1, ?]>>, %y: memref<?x3xf32>) {
  memref.copy %x, %y : memref<?x3xf32, strided<[1, ?]>> to memref<?x3xf32>
  return
}

// CHECK-LABEL: func.func @whole
// CHECK: memref.copy {{.*}} : memref<?xf32> to memref<?xf32>
// CHECK-NEXT: return
func.func @whole(%x: memref<?x3xf32>, %y: memref<?x3xf32>, %z: memref<2x3xf32, strided<[5, 1]>>) {
  memref.copy %x, %y : memref<?x3xf32> to memref<?x3xf32>
  memref.copy %z, %z : memref<2x3xf32, strided<[5, 1]>> to memref<2x3xf32, strided<[5, 1]>>
  return
}

// CHECK-LABEL: func.func private @copy(
// CHECK-SAME: attributes {nn.kernel = "copy"}
// CHECK: scf.for %[[ROW:.*]] = %arg2 to %arg3
// CHECK: scf.for %[[COLUMN:.*]] = %c0
// CHECK: memref.load %arg0[%[[ROW]], %[[COLUMN]]]
// CHECK: memref.store %{{.*}}, %arg1[%[[ROW]], %[[COLUMN]]]
