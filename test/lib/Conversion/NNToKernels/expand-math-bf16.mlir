// RUN: nn-opt %s -nn-expand-math | FileCheck %s

// Narrowing to bf16 is done on the bits: LLVM would call a library without
// AVX512_BF16.
// CHECK-LABEL: func.func @narrow(
// CHECK-NOT: arith.truncf
// CHECK: arith.bitcast {{.*}} : i16 to bf16
// CHECK-NEXT: return
func.func @narrow(%x: f32) -> bf16 {
  %0 = arith.truncf %x : f32 to bf16
  return %0 : bf16
}

// So are integers, with a step in a wider type.
// CHECK-LABEL: func.func @integers(
// CHECK-NOT: arith.sitofp {{.*}} to vector<16xbf16>
// CHECK: arith.sitofp {{.*}} : vector<16xi32> to vector<16xf64>
// CHECK-NOT: arith.uitofp {{.*}} to bf16
// CHECK: arith.uitofp {{.*}} : i8 to f32
// CHECK: return
func.func @integers(%x: vector<16xi32>, %y: i8) -> (vector<16xbf16>, bf16) {
  %0 = arith.sitofp %x : vector<16xi32> to vector<16xbf16>
  %1 = arith.uitofp %y : i8 to bf16
  return %0, %1 : vector<16xbf16>, bf16
}
