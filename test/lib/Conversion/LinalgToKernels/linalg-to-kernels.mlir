// RUN: nn-opt %s -convert-linalg-to-kernels -canonicalize -split-input-file | FileCheck %s
// RUN: echo "threshold threadWork 65536" > %t.tuning
// RUN: nn-opt %s -convert-linalg-to-kernels=tuning=%t.tuning -split-input-file | FileCheck %s --check-prefix=TUNED

#map = affine_map<(i, j, k) -> (i, j, k)>

// The last dimensions, which are enough work, stay loops.
// CHECK-LABEL: func.func @parallel
// CHECK: rt.launch @loops_0 ins(%arg0 : memref<4x8x4096xf32>) outs(%arg1 : memref<4x8x4096xf32>) scalars() count(%c32) {grain = 4 : i64}
// TUNED: rt.launch @loops_0 {{.*}} {grain = 16 : i64}
// CHECK-LABEL: func.func private @loops_0
// CHECK-SAME: attributes {nn.disjoint, nn.kernel = "linalg.generic"}
// CHECK: scf.for %[[PLACE:.*]] = %arg2 to %arg3
// CHECK: %[[J:.*]] = arith.remui %[[PLACE]]
// CHECK: %[[I:.*]] = arith.divui %[[PLACE]]
// CHECK: scf.for %[[K:.*]] =
// CHECK: memref.load %arg0[%[[I]], %[[J]], %[[K]]]
func.func @parallel(%x: memref<4x8x4096xf32>, %y: memref<4x8x4096xf32>) {
  linalg.generic {indexing_maps = [#map, #map],
                  iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : memref<4x8x4096xf32>) outs(%y : memref<4x8x4096xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.negf %a : f32
    linalg.yield %c : f32
  }
  return
}

// -----

// Sizes known only at run time are passed; arguments are marked as read or written.
// CHECK-LABEL: func.func @in_place
// CHECK: %[[SIZE:.*]] = memref.dim %arg0, %c0
// CHECK: rt.launch @loops_0 ins() outs(%arg0 : memref<?xf32>) scalars(%[[SIZE]]) count(%[[SIZE]])
func.func @in_place(%x: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%x : memref<?xf32>) {
  ^bb0(%a: f32):
    %b = arith.negf %a : f32
    linalg.yield %b : f32
  }
  return
}

// -----

// CHECK-LABEL: func.func @apart
// CHECK-LABEL: func.func private @loops_0
// CHECK-SAME: nn.disjoint
func.func @apart(%x: memref<9xf32>, %y: memref<9xf32>) {
  linalg.copy ins(%x : memref<9xf32>) outs(%y : memref<9xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @shifted
// CHECK-LABEL: func.func private @loops_0
// CHECK-NOT: nn.disjoint
func.func @shifted(%x: memref<9xf32>) {
  %from = memref.subview %x[1] [8] [1] : memref<9xf32> to memref<8xf32, strided<[1], offset: 1>>
  %to = memref.subview %x[0] [8] [1] : memref<9xf32> to memref<8xf32, strided<[1]>>
  linalg.transpose ins(%from : memref<8xf32, strided<[1], offset: 1>>)
                   outs(%to : memref<8xf32, strided<[1]>>) permutation = [0]
  return
}

// -----

// A nest that starts with a reduction runs as a whole.
// CHECK-LABEL: func.func @reduction
// CHECK: rt.launch @loops_0 {{.*}} count(%c1)
// CHECK-LABEL: func.func private @loops_0
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c64
func.func @reduction(%x: memref<64xf32>, %y: memref<f32>) {
  linalg.reduce { arith.addf } ins(%x : memref<64xf32>) outs(%y : memref<f32>) dimensions = [0]
  return
}

// -----

// One element, and a scalar that a call cannot pass: code in place.
// CHECK-LABEL: func.func @stays
// CHECK-NOT: rt.launch
// CHECK: memref.store
// CHECK: scf.parallel
func.func @stays(%x: memref<f32>, %y: memref<8xf32>, %s: f32) {
  linalg.generic {indexing_maps = [affine_map<() -> ()>], iterator_types = []}
      outs(%x : memref<f32>) {
  ^bb0(%a: f32):
    %b = arith.negf %a : f32
    linalg.yield %b : f32
  }
  linalg.fill ins(%s : f32) outs(%y : memref<8xf32>)
  return
}

// -----

// Scalars of other types than index are passed as indices; equal loops share a
// kernel.
// CHECK-LABEL: func.func @main(
// CHECK: %[[WIDE:.*]] = arith.index_castui %{{.*}} : i1 to index
// CHECK: rt.launch @loops_0 ins(%{{.*}} : memref<?xf32>) outs(%{{.*}} : memref<?xf32>) scalars(%[[WIDE]], %{{.*}})
// CHECK: rt.launch @loops_0
// CHECK-NOT: rt.launch
// CHECK: func.func private @loops_0({{.*}}index
// CHECK: arith.index_castui %{{.*}} : index to i1
// CHECK: scf.for
// CHECK-NOT: func.func
#id = affine_map<(d0) -> (d0)>
func.func @main(%x: memref<?xf32>, %y: memref<?xf32>, %z: memref<?xf32>, %flag: i1) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%x : memref<?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.select %flag, %in, %out : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
      ins(%y : memref<?xf32>) outs(%z : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.select %flag, %in, %out : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// Sequential loops run as a whole.
// CHECK-LABEL: func.func @scatter
// CHECK-NEXT: %[[ONE:.*]] = arith.constant 1 : index
// CHECK-NEXT: rt.launch @loops_0 ins(%arg0, %arg1 : memref<9xindex>, memref<9x64xf32>) outs(%arg2 : memref<20x64xf32>) scalars() count(%[[ONE]])
// CHECK-LABEL: func.func private @loops_0
// CHECK-SAME: attributes {nn.disjoint, nn.kernel = "loop"}
// CHECK: scf.for
// CHECK: memref.load %arg0
// CHECK: scf.for
// CHECK: memref.store {{.*}}, %arg2
func.func @scatter(%at: memref<9xindex>, %x: memref<9x64xf32>, %y: memref<20x64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %c64 = arith.constant 64 : index
  scf.for %i = %c0 to %c9 step %c1 {
    %to = memref.load %at[%i] : memref<9xindex>
    scf.for %j = %c0 to %c64 step %c1 {
      %a = memref.load %x[%i, %j] : memref<9x64xf32>
      memref.store %a, %y[%to, %j] : memref<20x64xf32>
    }
  }
  return
}

// -----

// What loops carry, or call, stays where it is.
// CHECK-LABEL: func.func @steps
// CHECK-COUNT-2: scf.for
// CHECK-LABEL: func.func private @step
func.func @steps(%x: memref<9xf32>, %y: memref<f32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %zero = arith.constant 0.0 : f32
  %sum = scf.for %i = %c0 to %c9 step %c1 iter_args(%s = %zero) -> f32 {
    %a = memref.load %x[%i] : memref<9xf32>
    %t = arith.addf %s, %a : f32
    scf.yield %t : f32
  }
  memref.store %sum, %y[] : memref<f32>
  scf.for %i = %c0 to %c9 step %c1 {
    func.call @step(%y) : (memref<f32>) -> ()
  }
  return
}
func.func private @step(memref<f32>)
