// A transposition that a back end cannot read or store through is computed on its own, and a
// remark says why.
//
// RUN: nn-opt %s -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=kernels -split-input-file --remarks-filter=kernels 2> %t.kernels | FileCheck %s
// RUN: FileCheck %s --check-prefix=KERNELS < %t.kernels
// RUN: nn-opt %s -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=onednn -split-input-file --remarks-filter=onednn 2> %t.onednn | FileCheck %s --check-prefix=ONEDNN
// RUN: FileCheck %s --check-prefix=WHY < %t.onednn

// An rhs whose columns are neighbours is read where it lies; along the depth, panels are
// transposed in the kernel, which then computes all rows of a panel.
// CHECK-LABEL: func.func @operands
// CHECK: rt.launch @kernel_matmul_0 ins(%arg0, %arg1 : tensor<2x40x3x16xf32>, tensor<2x16x3x48xf32>) {{.*}} count(%c126
// CHECK: rt.launch @kernel_matmul_1 ins(%arg0, %arg2 : tensor<2x40x3x16xf32>, tensor<2x48x3x16xf32>) {{.*}} count(%c18
// CHECK-NOT: transpose
// CHECK: func.func private @kernel_matmul_1
// CHECK: memref.alloca() {{.*}} : memref<256xf32>
// CHECK: vector.shuffle
// CHECK: scf.for
// CHECK: vector.fma
//
// ONEDNN-LABEL: func.func @operands
// ONEDNN: onednn.matmul src(%arg0 {{.*}} weights(%arg1 {{.*}} {src_permutation = array<i64: 0, 2, 1, 3>, weights_permutation = array<i64: 0, 2, 1, 3>}
// ONEDNN: onednn.matmul src(%arg0 {{.*}} weights(%arg2 {{.*}} {src_permutation = array<i64: 0, 2, 1, 3>, weights_permutation = array<i64: 0, 2, 3, 1>}
func.func @operands(%a: tensor<2x40x3x16xf32>, %b: tensor<2x16x3x48xf32>, %c: tensor<2x48x3x16xf32>) -> (tensor<2x3x40x48xf32>, tensor<2x3x40x48xf32>) {
  %0 = nn.fusion (%x = %a : tensor<2x40x3x16xf32>, %y = %b : tensor<2x16x3x48xf32>) -> (tensor<2x3x40x48xf32>) {
    %2 = nn.transpose %x {perm = array<i64: 0, 2, 1, 3>} : (tensor<2x40x3x16xf32>) -> tensor<2x3x40x16xf32>
    %3 = nn.transpose %y {perm = array<i64: 0, 2, 1, 3>} : (tensor<2x16x3x48xf32>) -> tensor<2x3x16x48xf32>
    %4 = nn.matmul %2, %3 : (tensor<2x3x40x16xf32>, tensor<2x3x16x48xf32>) -> tensor<2x3x40x48xf32>
    nn.yield %4 : tensor<2x3x40x48xf32>
  }
  %1 = nn.fusion (%x = %a : tensor<2x40x3x16xf32>, %y = %c : tensor<2x48x3x16xf32>) -> (tensor<2x3x40x48xf32>) {
    %2 = nn.transpose %x {perm = array<i64: 0, 2, 1, 3>} : (tensor<2x40x3x16xf32>) -> tensor<2x3x40x16xf32>
    %3 = nn.transpose %y {perm = array<i64: 0, 2, 3, 1>} : (tensor<2x48x3x16xf32>) -> tensor<2x3x16x48xf32>
    %4 = nn.matmul %2, %3 : (tensor<2x3x40x16xf32>, tensor<2x3x16x48xf32>) -> tensor<2x3x40x48xf32>
    nn.yield %4 : tensor<2x3x40x48xf32>
  }
  return %0, %1 : tensor<2x3x40x48xf32>, tensor<2x3x40x48xf32>
}

// -----

// The elementwise operators stay in the kernel where the transposition does not.
// CHECK-LABEL: func.func @stored
// CHECK: %[[FIRST:.*]] = rt.launch @kernel_matmul_0 {{.*}} -> tensor<2x9x3x16xf32>
// CHECK: %[[SECOND:.*]] = rt.launch @kernel_matmul_1 {{.*}} -> tensor<2x3x9x16xf32>
// CHECK: %[[TURNED:.*]] = nn.transpose %[[SECOND]] {perm = array<i64: 0, 1, 3, 2>}
// CHECK: return %[[FIRST]], %[[TURNED]]
// KERNELS: remark: [Missed] transposed {{.*}}nn.transpose beside nn.matmul: columns of the stored result would not be neighbours
//
// ONEDNN-LABEL: func.func @stored
// ONEDNN: onednn.matmul {{.*}} dst(%{{.*}} : tensor<2x9x3x16xf32>) {dst_permutation = array<i64: 0, 2, 1, 3>, post_ops = [#onednn.eltwise<relu
// ONEDNN: onednn.matmul {{.*}} dst(%{{.*}} : tensor<2x3x9x16xf32>) {post_ops = [#onednn.eltwise<relu
// ONEDNN: nn.transpose
// WHY: remark: [Missed] transposed {{.*}}nn.transpose beside nn.matmul: columns of the stored result would not be neighbours
func.func @stored(%a: tensor<2x3x9x8xf32>, %b: tensor<2x3x8x16xf32>) -> (tensor<2x9x3x16xf32>, tensor<2x3x16x9xf32>) {
  %0 = nn.fusion (%x = %a : tensor<2x3x9x8xf32>, %y = %b : tensor<2x3x8x16xf32>) -> (tensor<2x9x3x16xf32>) {
    %2 = nn.matmul %x, %y : (tensor<2x3x9x8xf32>, tensor<2x3x8x16xf32>) -> tensor<2x3x9x16xf32>
    %3 = nn.relu %2 : (tensor<2x3x9x16xf32>) -> tensor<2x3x9x16xf32>
    %4 = nn.transpose %3 {perm = array<i64: 0, 2, 1, 3>} : (tensor<2x3x9x16xf32>) -> tensor<2x9x3x16xf32>
    nn.yield %4 : tensor<2x9x3x16xf32>
  }
  %1 = nn.fusion (%x = %a : tensor<2x3x9x8xf32>, %y = %b : tensor<2x3x8x16xf32>) -> (tensor<2x3x16x9xf32>) {
    %2 = nn.matmul %x, %y : (tensor<2x3x9x8xf32>, tensor<2x3x8x16xf32>) -> tensor<2x3x9x16xf32>
    %3 = nn.relu %2 : (tensor<2x3x9x16xf32>) -> tensor<2x3x9x16xf32>
    %4 = nn.transpose %3 {perm = array<i64: 0, 1, 3, 2>} : (tensor<2x3x9x16xf32>) -> tensor<2x3x16x9xf32>
    nn.yield %4 : tensor<2x3x16x9xf32>
  }
  return %0, %1 : tensor<2x9x3x16xf32>, tensor<2x3x16x9xf32>
}

// -----

// Rows of all batches are one dimension where they share a matrix; a depth of unknown size has
// no room on the stack; what comes first in memory cannot be the innermost.
// CHECK-LABEL: func.func @refused
// CHECK: nn.transpose %arg0
// CHECK: rt.launch @kernel_packed_matmul_0
// CHECK: nn.transpose %arg2
// CHECK: rt.launch @kernel_matmul_0
// KERNELS: remark: [Missed] transposed {{.*}}nn.transpose beside nn.matmul: the kernel reads and stores tensors as they lie
// KERNELS: remark: [Missed] transposed {{.*}}nn.transpose beside nn.matmul: neither are columns of the rhs neighbours, nor is there a copy of a panel of them that fits the stack
//
// ONEDNN-LABEL: func.func @refused
// ONEDNN: onednn.matmul src(%arg0
// ONEDNN: nn.transpose %arg2
// ONEDNN: onednn.matmul
// WHY: remark: [Missed] transposed {{.*}}nn.transpose beside nn.matmul: neither the rows nor the columns of a matrix would be neighbours
func.func @refused(%a: tensor<5x2x24xf32>, %b: tensor<2x3x4x8xf32>, %c: tensor<8x16x2x3xf32>) -> (tensor<2x5x16xf32>, tensor<2x3x4x16xf32>) {
  %w = nn.constant dense<1.0> : tensor<24x16xf32>
  %0 = nn.fusion (%x = %a : tensor<5x2x24xf32>, %y = %w : tensor<24x16xf32>) -> (tensor<2x5x16xf32>) {
    %2 = nn.transpose %x {perm = array<i64: 1, 0, 2>} : (tensor<5x2x24xf32>) -> tensor<2x5x24xf32>
    %3 = nn.matmul %2, %y : (tensor<2x5x24xf32>, tensor<24x16xf32>) -> tensor<2x5x16xf32>
    nn.yield %3 : tensor<2x5x16xf32>
  }
  %1 = nn.fusion (%x = %b : tensor<2x3x4x8xf32>, %y = %c : tensor<8x16x2x3xf32>) -> (tensor<2x3x4x16xf32>) {
    %2 = nn.transpose %y {perm = array<i64: 2, 3, 0, 1>} : (tensor<8x16x2x3xf32>) -> tensor<2x3x8x16xf32>
    %3 = nn.matmul %x, %2 : (tensor<2x3x4x8xf32>, tensor<2x3x8x16xf32>) -> tensor<2x3x4x16xf32>
    nn.yield %3 : tensor<2x3x4x16xf32>
  }
  return %0, %1 : tensor<2x5x16xf32>, tensor<2x3x4x16xf32>
}
