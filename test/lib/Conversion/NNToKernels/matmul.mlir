// RUN: nn-opt %s -convert-nn-to-kernels="claim=preferred" -split-input-file | FileCheck %s

// 49 rows make eight blocks of 6 and one of a single row, each with all 4 vectors
// of columns, and the elementwise operators come before the store. The single row
// takes two steps of the depth at once.
// CHECK-LABEL: func.func @dense
// CHECK: nn.call_kernel @kernel_matmul_0 ins(%arg2, %arg0, %arg1 : {{.*}}) {{.*}} count(%c9
// CHECK-LABEL: func.func private @kernel_matmul_0
// CHECK-SAME: attributes {nn.kernel = "matmul"}
// CHECK: scf.if
// CHECK: scf.for {{.*}} -> (vector<16xf32>, {{.*}}) {
// CHECK-COUNT-8: vector.fma
// CHECK: scf.yield
// CHECK-COUNT-4: arith.maximumf
// CHECK: } else {
// CHECK-COUNT-24: vector.fma
// CHECK-NOT: vector.fma
func.func @dense(%x: tensor<49x64xf32>, %w: tensor<64x64xf32>, %b: tensor<64xf32>) -> tensor<49x64xf32> {
  %0 = nn.fusion (%a0 = %x : tensor<49x64xf32>, %a1 = %w : tensor<64x64xf32>, %a2 = %b : tensor<64xf32>) -> (tensor<49x64xf32>) {
    %1 = nn.matmul %a0, %a1 : (tensor<49x64xf32>, tensor<64x64xf32>) -> tensor<49x64xf32>
    %2 = nn.add %1, %a2 : (tensor<49x64xf32>, tensor<64xf32>) -> tensor<49x64xf32>
    %3 = nn.relu %2 : (tensor<49x64xf32>) -> tensor<49x64xf32>
    nn.yield %3 : tensor<49x64xf32>
  }
  return %0 : tensor<49x64xf32>
}

// -----

// One row with one vector of columns takes eight steps of the depth at once; the
// last vector is masked where it is read and written.
// CHECK-LABEL: func.func private @kernel_matmul_0
// CHECK: %[[MASK:.*]] = vector.constant_mask [10]
// CHECK: scf.for {{.*}} = %c0{{.*}} to %c1000{{.*}} step %c8
// CHECK-COUNT-8: vector.maskedload {{.*}}, %[[MASK]]
// CHECK: scf.yield
// CHECK-COUNT-7: arith.addf
// CHECK: vector.maskedstore {{.*}}, %[[MASK]]
func.func @row(%x: tensor<1x1000xf32>, %w: tensor<1000x10xf32>) -> tensor<1x10xf32> {
  %0 = nn.matmul %x, %w : (tensor<1x1000xf32>, tensor<1000x10xf32>) -> tensor<1x10xf32>
  return %0 : tensor<1x10xf32>
}

// -----

// A number of rows known only at run time: whole blocks, then single rows.
// CHECK-LABEL: func.func @dynamic
// CHECK: %[[ROWS:.*]] = tensor.dim %arg0, %c0
// CHECK: nn.call_kernel @kernel_matmul_0
// CHECK-LABEL: func.func private @kernel_matmul_0
// CHECK: scf.if
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-2: vector.fma
func.func @dynamic(%x: tensor<?x3xf32>, %w: tensor<3x32xf32>) -> tensor<?x32xf32> {
  %0 = nn.matmul %x, %w : (tensor<?x3xf32>, tensor<3x32xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// -----

// A transposed constant is turned when the kernel is made; products of batches go
// side by side.
// CHECK-LABEL: func.func @turned
// CHECK: %[[TURNED:.*]] = nn.constant dense<{{\[\[}}1.0{{.*}}, 3.0{{.*}}, 5.0{{.*}}], [2.0{{.*}}, 4.0{{.*}}, 6.0{{.*}}]]> : tensor<2x3xf32>
// CHECK: nn.call_kernel @kernel_matmul_0 ins(%arg0, %[[TURNED]]
// CHECK: nn.call_kernel @kernel_matmul_1 {{.*}} count(%c12_
func.func @turned(%x: tensor<4x2xf32>, %a: tensor<3x4x5x6xf32>, %b: tensor<3x4x6x7xf32>) -> (tensor<4x3xf32>, tensor<3x4x5x7xf32>) {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %0 = nn.matmul %x, %w {transpose_rhs} : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32>
  %1 = nn.matmul %a, %b : (tensor<3x4x5x6xf32>, tensor<3x4x6x7xf32>) -> tensor<3x4x5x7xf32>
  return %0, %1 : tensor<4x3xf32>, tensor<3x4x5x7xf32>
}

// -----

// Left to the library: large, of another type, with a transposed tensor, with
// broadcast batches.
// CHECK-LABEL: func.func @left
// CHECK-NOT: nn.call_kernel
func.func @left(%x: tensor<512x512xf32>, %y: tensor<8x8xf64>, %z: tensor<8x8xf32>, %a: tensor<2x5x6xf32>, %b: tensor<1x6x7xf32>)
    -> (tensor<512x512xf32>, tensor<8x8xf64>, tensor<8x8xf32>, tensor<2x5x7xf32>) {
  %0 = nn.matmul %x, %x : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  %1 = nn.matmul %y, %y : (tensor<8x8xf64>, tensor<8x8xf64>) -> tensor<8x8xf64>
  %2 = nn.matmul %z, %z {transpose_rhs} : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %3 = nn.matmul %a, %b : (tensor<2x5x6xf32>, tensor<1x6x7xf32>) -> tensor<2x5x7xf32>
  return %0, %1, %2, %3 : tensor<512x512xf32>, tensor<8x8xf64>, tensor<8x8xf32>, tensor<2x5x7xf32>
}
