// RUN: nn-opt %s --nn-plan-arena --split-input-file | FileCheck %s

// Buffers that are not live at the same time share memory: three buffers of 64
// bytes, of which two are live at once.
// CHECK-LABEL: func.func @main
// CHECK: %[[SIZE:.*]] = arith.constant 128 : index
// CHECK: %[[ARENA:.*]] = nn.arena %[[SIZE]]
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C64:.*]] = arith.constant 64 : index
// CHECK: memref.view %[[ARENA]][%[[C0]]][]
// CHECK: memref.view %[[ARENA]][%[[C64]]][]
// CHECK: memref.view %[[ARENA]][%[[C0]]][]
func.func @main(%ctx: !llvm.ptr, %x: memref<16xf32>) -> i32 {
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<16xf32>
  nn.call_kernel @k ins(%x : memref<16xf32>) outs(%a : memref<16xf32>) scalars() count(%c1)
  %b = memref.alloc() : memref<16xf32>
  nn.call_kernel @k ins(%a : memref<16xf32>) outs(%b : memref<16xf32>) scalars() count(%c1)
  %c = memref.alloc() : memref<16xf32>
  nn.call_kernel @k ins(%b : memref<16xf32>) outs(%c : memref<16xf32>) scalars() count(%c1)
  %d = nn.output 0() : memref<16xf32>
  nn.call_kernel @k ins(%c : memref<16xf32>) outs(%d : memref<16xf32>) scalars() count(%c1)
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%i: memref<16xf32>, %o: memref<16xf32>, %b: index, %e: index)

// -----

// A buffer lives as long as what is cast from it: the second must not overwrite it.
// CHECK-LABEL: func.func @main
// CHECK: %[[SIZE:.*]] = arith.constant 128 : index
// CHECK: nn.arena %[[SIZE]]
func.func @main(%ctx: !llvm.ptr, %x: memref<64xi8>) -> i32 {
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<64xi8>
  nn.call_kernel @k ins(%x : memref<64xi8>) outs(%a : memref<64xi8>) scalars() count(%c1)
  %u = builtin.unrealized_conversion_cast %a : memref<64xi8> to memref<64xui8>
  %b = memref.alloc() : memref<64xi8>
  nn.call_kernel @k ins(%x : memref<64xi8>) outs(%b : memref<64xi8>) scalars() count(%c1)
  %o = nn.output 0() : memref<64xui8>
  memref.copy %u, %o : memref<64xui8> to memref<64xui8>
  %p = nn.output 1() : memref<64xi8>
  memref.copy %b, %p : memref<64xi8> to memref<64xi8>
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%i: memref<64xi8>, %o: memref<64xi8>, %b: index, %e: index)

// -----

// Sizes that depend on the inputs' shapes: the arena's size is a formula of them,
// computed before the arena is allocated, rounded up to cache lines.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x4xf32>)
// CHECK: %[[N:.*]] = memref.dim %[[X]], %{{.*}}
// CHECK: %[[BYTES:.*]] = arith.muli %{{.*}}, %[[N]] : index
// CHECK: arith.addi %[[BYTES]], %{{.*}} : index
// CHECK: nn.arena
// CHECK: memref.view %{{.*}}[%{{.*}}][%[[N]]] : memref<?xi8> to memref<?x4xf32>
func.func @main(%ctx: !llvm.ptr, %x: memref<?x4xf32>) -> i32 {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x4xf32>
  %a = memref.alloc(%n) : memref<?x4xf32>
  nn.call_kernel @k ins(%x : memref<?x4xf32>) outs(%a : memref<?x4xf32>) scalars() count(%n)
  %o = nn.output 0(%n) : memref<?x4xf32>
  nn.call_kernel @k ins(%a : memref<?x4xf32>) outs(%o : memref<?x4xf32>) scalars() count(%n)
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%i: memref<?x4xf32>, %o: memref<?x4xf32>, %b: index, %e: index)

// -----

// A size that is computed from data is known too late for the arena.
// CHECK-LABEL: func.func @main
// CHECK-NOT: nn.arena
// CHECK: %[[N:.*]] = memref.load
// CHECK: nn.allocate(%[[N]]) : memref<?xf32>
func.func @main(%ctx: !llvm.ptr, %sizes: memref<1xindex>) -> i32 {
  %c0 = arith.constant 0 : index
  %n = memref.load %sizes[%c0] : memref<1xindex>
  %a = memref.alloc(%n) : memref<?xf32>
  nn.call_kernel @k ins() outs(%a : memref<?xf32>) scalars() count(%n)
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%o: memref<?xf32>, %b: index, %e: index)
