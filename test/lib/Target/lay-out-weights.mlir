// RUN: nn-opt %s --nn-lay-out-weights | FileCheck %s

// Equal constants share a place; places begin at cache lines.
// CHECK: nn.weights = {{\[\[}}dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>, 0], [dense<3.000000e+00> : tensor<100xf32>, 64], [dense<1> : tensor<2xi8>, 512]]
// CHECK: rt.weight at 0 : memref<2xf32>
// CHECK: rt.weight at 64 : memref<100xf32>
// CHECK: rt.weight at 0 : memref<2xf32>
// CHECK: rt.weight at 512 : memref<2xi8>
func.func @main(%ctx: !llvm.ptr) -> i32 {
  %a = rt.weight dense<[1.0, 2.0]> : tensor<2xf32> : memref<2xf32>
  %b = rt.weight dense<3.0> : tensor<100xf32> : memref<100xf32>
  %c = rt.weight dense<[1.0, 2.0]> : tensor<2xf32> : memref<2xf32>
  %d = rt.weight dense<1> : tensor<2xi8> : memref<2xi8>
  %s = arith.constant 0 : i32
  return %s : i32
}
