// RUN: nn-opt %s --nn-set-target=target=cpu:x86-64-v3 --nn-convert-to-llvm | FileCheck %s

// Everything goes through the context's table: the arena, outputs, weights, kernels.
// CHECK-DAG: llvm.func internal @nn_main(%{{.*}}: !llvm.ptr
// CHECK-DAG: llvm.func @nnrt_model_run_x86_64_v3(
// A kernel is called for ranges of its iterations, through one function of the runtime.
// CHECK-DAG: llvm.mlir.addressof @k.range
// CHECK-DAG: llvm.func internal @k.range(
// What types say of buffers is not passed: of @k's, only addresses; of @d's, sizes too, and
// strides of what is not row-major. A dynamic offset is part of the address.
// CHECK-DAG: llvm.getelementptr %{{.*}}[0, 1] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<(ptr, ptr)>
// CHECK-DAG: llvm.getelementptr %{{.*}}[0, 6] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<(ptr, i64, i64, ptr, i64, i64, i64)>
// What a kernel writes is its own: LLVM may vectorize around its tables.
// CHECK-DAG: llvm.func internal @own(%{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}
// What is kept goes to the runtime as a list of addresses.
// CHECK-DAG: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, i64, i64, !llvm.ptr) -> ()
// The calls share one buffer on the stack, as large as the arguments of one of them.
// CHECK-DAG: %[[BYTES:.*]] = llvm.mlir.constant(56 : i64) : i64
// CHECK-DAG: llvm.alloca %[[BYTES]] x i8 {alignment = 8 : i64, nn.stack_room}
// Nothing is called that is not defined here.
// CHECK-NOT: llvm.func @malloc
// CHECK-NOT: llvm.alloca
// CHECK-NOT: unrealized_conversion_cast
func.func @main(%ctx: !llvm.ptr, %x: memref<16xf32>) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %bytes = arith.constant 64 : index
  %arena = rt.arena %bytes : memref<?xi8>
  %a = memref.view %arena[%c0][] : memref<?xi8> to memref<16xf32>
  rt.kernel_begin 0
  rt.launch @k ins(%x : memref<16xf32>) outs(%a : memref<16xf32>) scalars() count(%c1)
  rt.kernel_end 0
  %mark = rt.mark
  rt.release %mark keep %a : memref<16xf32>
  %w = rt.weight at 64 : memref<16xf32>
  %o = rt.output 0() : memref<16xf32>
  rt.launch @k ins(%w : memref<16xf32>) outs(%o : memref<16xf32>) scalars() count(%c1)
  %view = memref.view %arena[%c0][%c1, %c1] : memref<?xi8> to memref<?x?x4xf32>
  %slice = memref.reinterpret_cast %view to offset: [%c1], sizes: [%c1, %c1, 2],
      strides: [%c1, 4, 1] : memref<?x?x4xf32> to memref<?x?x2xf32, strided<[?, 4, 1], offset: ?>>
  rt.launch @d ins(%view : memref<?x?x4xf32>)
      outs(%slice : memref<?x?x2xf32, strided<[?, 4, 1], offset: ?>>) scalars() count(%c1)
  %s = arith.constant 0 : i32
  return %s : i32
}
func.func private @d(%i: memref<?x?x4xf32>,
                     %o: memref<?x?x2xf32, strided<[?, 4, 1], offset: ?>>,
                     %b: index, %e: index) {
  return
}
func.func private @k(%i: memref<16xf32>, %o: memref<16xf32>, %b: index, %e: index) {
  %v = vector.load %i[%b] : memref<16xf32>, vector<8xf32>
  vector.store %v, %o[%b] : memref<16xf32>, vector<8xf32>
  return
}
func.func private @own(%o: memref<16xf32>, %b: index, %e: index)
    attributes {nn.kernel = "linalg.generic", nn.disjoint} {
  %v = vector.load %o[%e] : memref<16xf32>, vector<8xf32>
  vector.store %v, %o[%b] : memref<16xf32>, vector<8xf32>
  return
}
