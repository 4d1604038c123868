// RUN: nn-opt %s -nn-place=only=kernels,onednn -split-input-file | FileCheck %s

// 49 rows make eight blocks of 6 and one of a single row, each with all 4 vectors
// of columns, and the elementwise operators come before the store. The single row
// takes two steps of the depth at once.
// CHECK-LABEL: func.func @dense
// CHECK: rt.launch @kernel_matmul_0 ins(%arg2, %arg0, %arg1 : {{.*}}) {{.*}} count(%c9
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
// CHECK: rt.launch @kernel_matmul_0
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
// CHECK: rt.launch @kernel_matmul_0 ins(%arg0, %[[TURNED]]
// CHECK: rt.launch @kernel_matmul_1 {{.*}} count(%c12_
func.func @turned(%x: tensor<4x2xf32>, %a: tensor<3x4x5x6xf32>, %b: tensor<3x4x6x7xf32>) -> (tensor<4x3xf32>, tensor<3x4x5x7xf32>) {
  %w = nn.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %0 = nn.matmul %x, %w {transpose_rhs} : (tensor<4x2xf32>, tensor<3x2xf32>) -> tensor<4x3xf32>
  %1 = nn.matmul %a, %b : (tensor<3x4x5x6xf32>, tensor<3x4x6x7xf32>) -> tensor<3x4x5x7xf32>
  return %0, %1 : tensor<4x3xf32>, tensor<3x4x5x7xf32>
}

// -----

// f64 has no library: the rows, the depth and the columns may be dynamic. Vectors of a
// panel that only the run finds to be the last are masked; steps left over by pairs of the
// depth take a loop.
// CHECK-LABEL: func.func @doubles
// CHECK: rt.launch @kernel_matmul_0
// CHECK-LABEL: func.func private @kernel_matmul_0
// CHECK: vector.create_mask
// CHECK: vector.maskedload {{.*}}vector<8xf64>
// CHECK: vector.fma {{.*}} : vector<8xf64>
// CHECK: vector.maskedstore
func.func @doubles(%x: tensor<?x?xf64>, %y: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %0 = nn.matmul %x, %y : (tensor<?x?xf64>, tensor<?x?xf64>) -> tensor<?x?xf64>
  return %0 : tensor<?x?xf64>
}

// -----

// A constant on the left, and a depth known only at run time for a single row.
// CHECK-LABEL: func.func @operands
// CHECK: rt.launch @kernel_matmul_0
// CHECK: cf.assert {{.*}}the contracted dimensions of a matrix product differ
// CHECK: rt.launch @kernel_matmul_1
func.func @operands(%x: tensor<8x9xf32>, %y: tensor<1x?xf32>, %z: tensor<?x9xf32>) -> (tensor<2x9xf32>, tensor<1x9xf32>) {
  %w = nn.constant dense<1.0> : tensor<2x8xf32>
  %0 = nn.matmul %w, %x : (tensor<2x8xf32>, tensor<8x9xf32>) -> tensor<2x9xf32>
  %1 = nn.matmul %y, %z : (tensor<1x?xf32>, tensor<?x9xf32>) -> tensor<1x9xf32>
  return %0, %1 : tensor<2x9xf32>, tensor<1x9xf32>
}

// -----

// One row times a transposition reads what was transposed: 8 columns at a time, whose sums
// are joined by fours; vectors lie along the depth.
// CHECK-LABEL: func.func @query
// CHECK: rt.launch @kernel_dot_products_0 ins(%arg0, %arg1 : tensor<2x1x64xf32>, tensor<2x?x64xf32>)
// CHECK-LABEL: func.func private @kernel_dot_products_0
// CHECK: scf.for {{.*}} -> (vector<16xf32>, {{.*}}) {
// CHECK-COUNT-8: vector.fma
// CHECK: scf.yield
// CHECK-COUNT-6: vector.shuffle
// CHECK: vector.store {{.*}}vector<4xf32>
func.func @query(%q: tensor<2x1x64xf32>, %k: tensor<2x?x64xf32>) -> tensor<2x1x?xf32> {
  %0 = nn.fusion (%a = %q : tensor<2x1x64xf32>, %b = %k : tensor<2x?x64xf32>) -> (tensor<2x1x?xf32>) {
    %1 = nn.transpose %b {perm = array<i64: 0, 2, 1>} : (tensor<2x?x64xf32>) -> tensor<2x64x?xf32>
    %2 = nn.matmul %a, %1 : (tensor<2x1x64xf32>, tensor<2x64x?xf32>) -> tensor<2x1x?xf32>
    nn.yield %2 : tensor<2x1x?xf32>
  }
  return %0 : tensor<2x1x?xf32>
}

// -----

// One column: vectors of results lie along the rows, of all batches where they share it.
// CHECK-LABEL: func.func @column
// CHECK: rt.launch @kernel_dot_products_0 {{.*}} count(%[[N:.*]])
// CHECK: rt.launch @kernel_dot_products_1
// CHECK-LABEL: func.func private @kernel_dot_products_0
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK: vector.store {{.*}}vector<4xf32>
// CHECK-LABEL: func.func private @kernel_dot_products_1
// CHECK: vector.fma {{.*}} : vector<8xf64>
// CHECK: vector.store {{.*}}vector<2xf64>
func.func @column(%x: tensor<3x9x40xf32>, %y: tensor<40xf32>, %z: tensor<3x9x40xf64>, %u: tensor<3x40x1xf64>) -> (tensor<3x9xf32>, tensor<3x9x1xf64>) {
  %0 = nn.matmul %x, %y : (tensor<3x9x40xf32>, tensor<40xf32>) -> tensor<3x9xf32>
  %1 = nn.matmul %z, %u : (tensor<3x9x40xf64>, tensor<3x40x1xf64>) -> tensor<3x9x1xf64>
  return %0, %1 : tensor<3x9xf32>, tensor<3x9x1xf64>
}

// -----

// Left to the library: large, with broadcast batches, with columns known only at run time.
// CHECK-LABEL: func.func @left
// CHECK-NOT: rt.launch
func.func @left(%x: tensor<512x512xf32>, %y: tensor<?x8xf32>, %z: tensor<8x8xf32>, %a: tensor<2x5x6xf32>, %b: tensor<1x6x7xf32>)
    -> (tensor<512x512xf32>, tensor<8x?xf32>, tensor<2x5x7xf32>) {
  %0 = nn.matmul %x, %x : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  %1 = nn.matmul %z, %y {transpose_rhs} : (tensor<8x8xf32>, tensor<?x8xf32>) -> tensor<8x?xf32>
  %2 = nn.matmul %a, %b : (tensor<2x5x6xf32>, tensor<1x6x7xf32>) -> tensor<2x5x7xf32>
  return %0, %1, %2 : tensor<512x512xf32>, tensor<8x?xf32>, tensor<2x5x7xf32>
}
