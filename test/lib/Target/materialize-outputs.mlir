// RUN: nn-opt %s --nn-materialize-outputs --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @main(%{{.*}}: !llvm.ptr,
// CHECK-SAME: %[[X:.*]]: memref<4x?xf32>, %[[N:.*]]: index) -> i32
func.func @main(%ctx: !llvm.ptr, %x: memref<4x?xf32>, %n: index)
    -> (memref<4x?xf32> {nn.name = "a"}, memref<?x4xf32>, memref<?x4xf32>) {
  // What was allocated for a result is the caller's buffer.
  // CHECK: %[[OUT:.*]] = rt.output 1(%[[N]]) : memref<?x4xf32>
  // CHECK-NEXT: rt.launch @k ins() outs(%[[OUT]]
  %a = memref.alloc(%n) : memref<?x4xf32>
  rt.launch @k ins() outs(%a : memref<?x4xf32>) scalars() count(%n)
  // An input, and a buffer that is an output already, are copied.
  // CHECK: %[[DIM:.*]] = memref.dim %[[X]]
  // CHECK: %[[COPY:.*]] = rt.output 0(%[[DIM]]) : memref<4x?xf32>
  // CHECK: memref.copy %[[X]], %[[COPY]]
  // CHECK: %[[SECOND:.*]] = rt.output 2(
  // CHECK: memref.copy %[[OUT]], %[[SECOND]]
  // CHECK: %[[OK:.*]] = arith.constant 0 : i32
  // CHECK: return %[[OK]] : i32
  return %x, %a, %a : memref<4x?xf32>, memref<?x4xf32>, memref<?x4xf32>
}
func.func private @k(%o: memref<?x4xf32>, %b: index, %e: index)

// -----

// Unsigned results are written in place, too.
// CHECK-LABEL: func.func @main
// CHECK: rt.output 0() : memref<4xi8>
// CHECK-NOT: memref.copy
func.func @main(%ctx: !llvm.ptr) -> memref<4xui8> {
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<4xi8>
  rt.launch @k ins() outs(%a : memref<4xi8>) scalars() count(%c1)
  %u = builtin.unrealized_conversion_cast %a : memref<4xi8> to memref<4xui8>
  return %u : memref<4xui8>
}
func.func private @k(%o: memref<4xi8>, %b: index, %e: index)
