// RUN: nn-opt %s --nn-plan-arena --split-input-file | FileCheck %s

// Buffers that are not live at the same time share memory: three buffers of 64
// bytes, of which two are live at once.
// CHECK-LABEL: module attributes {nn.arena_bytes = "128"}
// CHECK: func.func @main
// CHECK: %[[SIZE:.*]] = arith.constant 128 : index
// CHECK: %[[ARENA:.*]] = rt.arena %[[SIZE]]
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C64:.*]] = arith.constant 64 : index
// CHECK: memref.view %[[ARENA]][%[[C0]]][]
// CHECK: memref.view %[[ARENA]][%[[C64]]][]
// CHECK: memref.view %[[ARENA]][%[[C0]]][]
func.func @main(%ctx: !llvm.ptr, %x: memref<16xf32>) -> i32 {
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<16xf32>
  rt.launch @k ins(%x : memref<16xf32>) outs(%a : memref<16xf32>) scalars() count(%c1)
  %b = memref.alloc() : memref<16xf32>
  rt.launch @k ins(%a : memref<16xf32>) outs(%b : memref<16xf32>) scalars() count(%c1)
  %c = memref.alloc() : memref<16xf32>
  rt.launch @k ins(%b : memref<16xf32>) outs(%c : memref<16xf32>) scalars() count(%c1)
  %d = rt.output 0() : memref<16xf32>
  rt.launch @k ins(%c : memref<16xf32>) outs(%d : memref<16xf32>) scalars() count(%c1)
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%i: memref<16xf32>, %o: memref<16xf32>, %b: index, %e: index)

// -----

// A buffer lives as long as what is cast from it: the second must not overwrite it.
// CHECK-LABEL: module attributes {nn.arena_bytes = "128"}
// CHECK: func.func @main
// CHECK: %[[SIZE:.*]] = arith.constant 128 : index
// CHECK: rt.arena %[[SIZE]]
func.func @main(%ctx: !llvm.ptr, %x: memref<64xi8>) -> i32 {
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<64xi8>
  rt.launch @k ins(%x : memref<64xi8>) outs(%a : memref<64xi8>) scalars() count(%c1)
  %u = builtin.unrealized_conversion_cast %a : memref<64xi8> to memref<64xui8>
  %b = memref.alloc() : memref<64xi8>
  rt.launch @k ins(%x : memref<64xi8>) outs(%b : memref<64xi8>) scalars() count(%c1)
  %o = rt.output 0() : memref<64xui8>
  memref.copy %u, %o : memref<64xui8> to memref<64xui8>
  %p = rt.output 1() : memref<64xi8>
  memref.copy %b, %p : memref<64xi8> to memref<64xi8>
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%i: memref<64xi8>, %o: memref<64xi8>, %b: index, %e: index)

// -----

// Sizes that depend on the inputs' shapes: the arena's size is a formula of them,
// computed before the arena is allocated, rounded up to cache lines.
// CHECK-LABEL: module attributes {nn.arena_bytes = "roundup(16*dim(\22argument 1\22, 0), 64)"}
// CHECK: func.func @main
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x4xf32>)
// CHECK: %[[N:.*]] = memref.dim %[[X]], %{{.*}}
// CHECK: %[[BYTES:.*]] = arith.muli %{{.*}}, %[[N]] : index
// CHECK: arith.addi %[[BYTES]], %{{.*}} : index
// CHECK: rt.arena
// CHECK: memref.view %{{.*}}[%{{.*}}][%[[N]]] : memref<?xi8> to memref<?x4xf32>
func.func @main(%ctx: !llvm.ptr, %x: memref<?x4xf32>) -> i32 {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x4xf32>
  %a = memref.alloc(%n) : memref<?x4xf32>
  rt.launch @k ins(%x : memref<?x4xf32>) outs(%a : memref<?x4xf32>) scalars() count(%n)
  %o = rt.output 0(%n) : memref<?x4xf32>
  rt.launch @k ins(%a : memref<?x4xf32>) outs(%o : memref<?x4xf32>) scalars() count(%n)
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%i: memref<?x4xf32>, %o: memref<?x4xf32>, %b: index, %e: index)

// -----

// A size that is computed from data is known too late for the arena.
// CHECK-LABEL: module attributes {nn.arena_bytes = "0", nn.data_dependent_buffers = 1 : i64}
// CHECK: func.func @main
// CHECK-NOT: rt.arena
// CHECK: %[[N:.*]] = memref.load
// CHECK: rt.allocate(%[[N]]) : memref<?xf32>
func.func @main(%ctx: !llvm.ptr, %sizes: memref<1xindex>) -> i32 {
  %c0 = arith.constant 0 : index
  %n = memref.load %sizes[%c0] : memref<1xindex>
  %a = memref.alloc(%n) : memref<?xf32>
  rt.launch @k ins() outs(%a : memref<?xf32>) scalars() count(%n)
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%o: memref<?xf32>, %b: index, %e: index)

// -----

// What an iteration of a loop allocates, and does not carry on, is freed at its end.
// CHECK-LABEL: module attributes {{.*}}nn.data_dependent_buffers = 2
// CHECK: %[[MARK:.*]] = rt.mark
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}})
// CHECK: %[[CARRIED:.*]] = rt.allocate
// CHECK: rt.allocate
// CHECK: rt.release %[[MARK]] keep %[[CARRIED]] : memref<?xf32>
// CHECK-NEXT: scf.yield %[[CARRIED]]
func.func @main(%ctx: !llvm.ptr, %sizes: memref<1xindex>, %x: memref<?xf32>) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.load %sizes[%c0] : memref<1xindex>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%old = %x) -> memref<?xf32> {
    %a = memref.alloc(%i) : memref<?xf32>
    rt.launch @k ins() outs(%a : memref<?xf32>) scalars() count(%i)
    %b = memref.alloc(%i) : memref<?xf32>
    rt.launch @k ins() outs(%b : memref<?xf32>) scalars() count(%i)
    scf.yield %a : memref<?xf32>
  }
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%o: memref<?xf32>, %b: index, %e: index)

// -----

// In scf.while they are freed behind the body; a loop that allocates nothing frees
// nothing.
// CHECK-LABEL: module attributes {{.*}}nn.data_dependent_buffers = 1
// CHECK: %[[MARK:.*]] = rt.mark
// CHECK: scf.while
// CHECK: scf.condition
// CHECK: rt.allocate
// CHECK: rt.release %[[MARK]]{{$}}
// CHECK-NEXT: scf.yield
// CHECK-NOT: rt.release
func.func @main(%ctx: !llvm.ptr, %sizes: memref<1xindex>) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.load %sizes[%c0] : memref<1xindex>
  %r = scf.while (%i = %c0) : (index) -> index {
    %go = arith.cmpi slt, %i, %n : index
    scf.condition(%go) %i : index
  } do {
  ^bb0(%i: index):
    %a = memref.alloc(%i) : memref<?xf32>
    rt.launch @k ins() outs(%a : memref<?xf32>) scalars() count(%i)
    %next = arith.addi %i, %c1 : index
    scf.yield %next : index
  }
  scf.for %i = %c0 to %n step %c1 {
    memref.store %i, %sizes[%c0] : memref<1xindex>
  }
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%o: memref<?xf32>, %b: index, %e: index)

// -----

// The formula is simplified by what is known of sizes: they are not negative and
// equal by name, so the largest of several is found where it can be; whole cache
// lines are not rounded up; division down is seen through its spelling in arith.
// CHECK-LABEL: nn.arena_bytes = "256*N*floordiv(1 + H, 2) + max(64*N, roundup(12*H, 64)) + roundup(4*H*N, 64)"
// CHECK: rt.arena
func.func @main(%ctx: !llvm.ptr, %x: memref<?x?xf32> {nn.dim_names = ["N", "H"], nn.name = "x"},
                %y: memref<?xf32> {nn.dim_names = ["N"], nn.name = "y"}) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %m1 = arith.constant -1 : index
  %n = memref.dim %x, %c0 : memref<?x?xf32>
  %m = memref.dim %y, %c0 : memref<?xf32>
  %h = memref.dim %x, %c1 : memref<?x?xf32>
  // 1 + (h - 1) floordiv 2
  %v = arith.addi %h, %m1 : index
  %negative = arith.cmpi slt, %v, %c0 : index
  %flag = arith.index_castui %negative : i1 to index
  %twice = arith.subi %m1, %v : index
  %mirror = arith.subi %twice, %v : index
  %step = arith.muli %flag, %mirror : index
  %up = arith.addi %v, %step : index
  %q = arith.divsi %up, %c2 : index
  %back = arith.subi %m1, %q : index
  %backTwice = arith.subi %back, %q : index
  %backStep = arith.muli %flag, %backTwice : index
  %floor = arith.addi %q, %backStep : index
  %half = arith.addi %floor, %c1 : index
  %a = memref.alloc(%n, %half) : memref<?x?x64xf32>
  %b = memref.alloc(%m, %h) : memref<?x?xf32>
  %c = memref.alloc(%n) : memref<?x16xf32>
  rt.launch @k ins(%a, %b, %c : memref<?x?x64xf32>, memref<?x?xf32>, memref<?x16xf32>) outs(%y : memref<?xf32>) scalars() count(%c1)
  %d = memref.alloc(%h) : memref<?x3xf32>
  rt.launch @k2 ins(%a, %b : memref<?x?x64xf32>, memref<?x?xf32>) outs(%d : memref<?x3xf32>) scalars() count(%c1)
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @k(%i: memref<?x?x64xf32>, %j: memref<?x?xf32>, %l: memref<?x16xf32>, %o: memref<?xf32>, %b: index, %e: index)
func.func private @k2(%i: memref<?x?x64xf32>, %j: memref<?x?xf32>, %o: memref<?x3xf32>, %b: index, %e: index)
