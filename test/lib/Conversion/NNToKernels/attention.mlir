// RUN: nn-opt %s -nn-place=only=kernels -split-input-file | FileCheck %s

// 200 queries are blocks of 80, five vectors: a tile of three, and two more. Their 64 steps of
// depth are copied; scores of 48 keys are computed by 8 keys at a time, scaled and masked
// before they are stored. Blocks that may be partial have products of 6 rows with 4 vectors.
// CHECK-LABEL: func.func @masked
// CHECK: rt.launch @kernel_attention_0 ins(%arg0, %arg1, %arg2, %arg3 : {{.*}}) {{.*}} count(%c9
// CHECK-LABEL: func.func private @kernel_attention_0
// CHECK-SAME: attributes {nn.kernel = "attention"}
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<5120xf32>
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<3840xf32>
// CHECK: scf.for
// CHECK: scf.for {{.*}} to %c64
// CHECK-COUNT-24: vector.fma
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: arith.maximumf
func.func @masked(%q: tensor<3x200x64xf32>, %k: tensor<3x64x48xf32>, %v: tensor<3x48x64xf32>, %m: tensor<48xf32>) -> tensor<3x200x64xf32> {
  %0 = nn.fusion (%a = %q : tensor<3x200x64xf32>, %b = %k : tensor<3x64x48xf32>, %c = %v : tensor<3x48x64xf32>, %d = %m : tensor<48xf32>) -> (tensor<3x200x64xf32>) {
    %s = nn.constant dense<0.125> : tensor<f32>
    %1 = nn.matmul %a, %b : (tensor<3x200x64xf32>, tensor<3x64x48xf32>) -> tensor<3x200x48xf32>
    %2 = nn.mul %1, %s : (tensor<3x200x48xf32>, tensor<f32>) -> tensor<3x200x48xf32>
    %3 = nn.add %2, %d : (tensor<3x200x48xf32>, tensor<48xf32>) -> tensor<3x200x48xf32>
    %4 = nn.softmax %3 {axis = -1 : i64} : (tensor<3x200x48xf32>) -> tensor<3x200x48xf32>
    %5 = nn.matmul %4, %c : (tensor<3x200x48xf32>, tensor<3x48x64xf32>) -> tensor<3x200x64xf32>
    %6 = nn.relu %5 : (tensor<3x200x64xf32>) -> tensor<3x200x64xf32>
    nn.yield %6 : tensor<3x200x64xf32>
  }
  return %0 : tensor<3x200x64xf32>
}

// -----

// Sizes known only at run time: as many keys must have values, blocks of keys are corrected,
// and a single query has dot products of vectors along the depth.
// CHECK-LABEL: func.func @unknown
// CHECK: cf.assert {{.*}}the contracted dimensions of a matrix product differ
// CHECK: rt.launch @kernel_attention_0
// CHECK-LABEL: func.func private @kernel_attention_0
// CHECK: %[[ONE:.*]] = arith.cmpi eq, {{.*}}, %c1
// CHECK: scf.if %[[ONE]]
// CHECK: scf.for {{.*}} step %c256
// CHECK: scf.if %[[ONE]]
// CHECK: vector.shuffle
// CHECK: } else {
func.func @unknown(%q: tensor<3x?x64xf32>, %k: tensor<3x?x64xf32>, %v: tensor<3x?x64xf32>) -> tensor<3x?x64xf32> {
  %0 = nn.fusion (%a = %q : tensor<3x?x64xf32>, %b = %k : tensor<3x?x64xf32>, %c = %v : tensor<3x?x64xf32>) -> (tensor<3x?x64xf32>) {
    %t = nn.transpose %b {perm = array<i64: 0, 2, 1>} : (tensor<3x?x64xf32>) -> tensor<3x64x?xf32>
    %1 = nn.matmul %a, %t : (tensor<3x?x64xf32>, tensor<3x64x?xf32>) -> tensor<3x?x?xf32>
    %2 = nn.softmax %1 {axis = -1 : i64} : (tensor<3x?x?xf32>) -> tensor<3x?x?xf32>
    %3 = nn.matmul %2, %c : (tensor<3x?x?xf32>, tensor<3x?x64xf32>) -> tensor<3x?x64xf32>
    nn.yield %3 : tensor<3x?x64xf32>
  }
  return %0 : tensor<3x?x64xf32>
}

// -----

// A group with several anchors that nobody computes is divided before the last one, and what
// is left before the one before.
// CHECK-LABEL: func.func @divided
// CHECK: rt.launch @kernel_matmul_0
// CHECK: rt.launch @kernel_softmax_0
// CHECK: rt.launch @kernel_matmul_0
// CHECK-NOT: rt.launch
// CHECK: return
func.func @divided(%q: tensor<3x7x8xf64>, %k: tensor<3x8x8xf64>, %v: tensor<3x8x8xf64>) -> tensor<3x7x8xf64> {
  %0 = nn.fusion (%a = %q : tensor<3x7x8xf64>, %b = %k : tensor<3x8x8xf64>, %c = %v : tensor<3x8x8xf64>) -> (tensor<3x7x8xf64>) {
    %1 = nn.matmul %a, %b : (tensor<3x7x8xf64>, tensor<3x8x8xf64>) -> tensor<3x7x8xf64>
    %2 = nn.relu %1 : (tensor<3x7x8xf64>) -> tensor<3x7x8xf64>
    %3 = nn.softmax %2 {axis = -1 : i64} : (tensor<3x7x8xf64>) -> tensor<3x7x8xf64>
    %4 = nn.matmul %3, %c : (tensor<3x7x8xf64>, tensor<3x8x8xf64>) -> tensor<3x7x8xf64>
    %5 = nn.relu %4 : (tensor<3x7x8xf64>) -> tensor<3x7x8xf64>
    nn.yield %5 : tensor<3x7x8xf64>
  }
  return %0 : tensor<3x7x8xf64>
}
