// RUN: nn-opt %s --convert-onednn-to-llvm | FileCheck %s

// Everything that does not depend on the run is a constant; sizes and pointers are on the stack.
// CHECK-DAG: llvm.mlir.global internal constant @onednn_site_0()
// CHECK-DAG: llvm.mlir.global internal constant @onednn_site_0_post_ops()
// CHECK-DAG: "conv
// CHECK: llvm.func @main(%[[CTX:[a-z0-9]+]]: !llvm.ptr,
// One buffer for all calls: three tensors, and the unknown sizes of two.
// CHECK: %[[BYTES:.*]] = llvm.mlir.constant(160 : i64) : i64
// CHECK: llvm.alloca %[[BYTES]] x i8 {alignment = 8 : i64, nn.stack_room}
// CHECK-NOT: llvm.alloca
// The entry comes from the context's table; a status that is not 0 ends the run.
// CHECK: %[[TABLE:.*]] = llvm.load %[[CTX]]
// CHECK: %[[SLOT:.*]] = llvm.getelementptr %[[TABLE]]
// CHECK: %[[ENTRY:.*]] = llvm.load %[[SLOT]]
// CHECK: %[[STATUS:.*]] = llvm.call %[[ENTRY]](%[[CTX]], {{.*}}) : !llvm.ptr, ({{.*}}) -> i32
// CHECK: llvm.icmp "{{eq|ne}}" %[[STATUS]]
// CHECK: llvm.cond_br
// CHECK-DAG: llvm.return %[[STATUS]] : i32
// CHECK-NOT: onednn.convolution
func.func @main(%ctx: !llvm.ptr, %x: memref<?x3x8x8xf32>, %w: memref<4x3x1x1xf32>, %d: memref<?x4x8x8xf32>) -> i32 {
  onednn.convolution src(%x : memref<?x3x8x8xf32>) weights(%w : memref<4x3x1x1xf32>) dst(%d : memref<?x4x8x8xf32>) {post_ops = [#onednn.eltwise<relu, 0.0, 0.0>]} loc("conv")
  %0 = arith.constant 0 : i32
  return %0 : i32
}
