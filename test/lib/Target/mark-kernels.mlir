// RUN: nn-opt %s --nn-mark-kernels | FileCheck %s

// What computes is numbered, with its kind and ONNX nodes; views are not.
// CHECK: nn.kernels = {{\[\[}}"elementwise", "first"], ["copy", "second"]]
// CHECK: memref.alloc
// CHECK-NEXT: rt.kernel_begin 0
// CHECK-NEXT: rt.launch @k
// CHECK-NEXT: rt.kernel_end 0
// CHECK-NEXT: memref.subview
// CHECK-NEXT: rt.kernel_begin 1
// CHECK-NEXT: memref.copy
// CHECK-NEXT: rt.kernel_end 1
func.func @main(%ctx: !llvm.ptr, %x: memref<16xf32>, %y: memref<8xf32>) -> i32 {
  %c1 = arith.constant 1 : index
  %s = arith.constant 0 : i32
  %a = memref.alloc() : memref<16xf32>
  rt.launch @k ins(%x : memref<16xf32>) outs(%a : memref<16xf32>) scalars() count(%c1) loc("first")
  %b = memref.subview %a[0] [8] [1] : memref<16xf32> to memref<8xf32>
  memref.copy %b, %y : memref<8xf32> to memref<8xf32> loc("second")
  return %s : i32
}
func.func private @k(%i: memref<16xf32>, %o: memref<16xf32>, %b: index, %e: index) attributes {nn.kernel = "elementwise"}
