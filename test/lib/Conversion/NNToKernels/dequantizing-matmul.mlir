// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v4 -nn-place=only=kernels,onednn | FileCheck %s
// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=kernels,onednn | FileCheck %s --check-prefix=AVX2

// A row: integers become floats in registers, and sums are scaled, not weights. The weights
// lie alike for all lengths of vectors.
// CHECK-LABEL: func.func @row(
// CHECK-DAG: nn.constant dense<[0, 1, {{.*}}, -112, -120]> : tensor<32xi8>
// CHECK-DAG: nn.constant dense<5.000000e-01> : tensor<16xf32>
// CHECK: rt.launch @kernel_dequantizing_matmul_0
// CHECK: func.func private @kernel_dequantizing_matmul_0
// CHECK: scf.for
// CHECK: memref.prefetch
// CHECK: %[[BYTES:.*]] = vector.load %{{.*}}, vector<16xi8>
// CHECK: %[[WIDE:.*]] = arith.extsi %[[BYTES]]
// CHECK: %[[WEIGHT:.*]] = arith.sitofp %[[WIDE]]
// CHECK: vector.fma %{{.*}}, %[[WEIGHT]]
// CHECK: arith.mulf {{.*}} : vector<16xf32>
// CHECK: arith.maximumf
// AVX2-LABEL: func.func @row(
// AVX2-DAG: nn.constant dense<[0, 1, {{.*}}, -112, -120]> : tensor<32xi8>
// AVX2: func.func private @kernel_dequantizing_matmul_0
// AVX2-COUNT-2: vector.load %{{.*}}, vector<8xi8>
func.func @row(%x: tensor<1x2xf32>) -> tensor<1x16xf32> {
  %w = nn.constant #nn.dequantized<dense<[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, -8, -16, -24, -32, -40, -48, -56, -64, -72, -80, -88, -96, -104, -112, -120]]> : tensor<2x16xi8>, scale = dense<0.5> : tensor<16xf32>, axis = 1, block_size = 0> : tensor<2x16xf32>
  %0 = nn.fusion (%a = %x : tensor<1x2xf32>, %b = %w : tensor<2x16xf32>) -> (tensor<1x16xf32>) {
    %1 = nn.matmul %a, %b : (tensor<1x2xf32>, tensor<2x16xf32>) -> tensor<1x16xf32>
    %2 = nn.relu %1 : (tensor<1x16xf32>) -> tensor<1x16xf32>
    nn.yield %2 : tensor<1x16xf32>
  }
  return %0 : tensor<1x16xf32>
}

// -----

// Numbers that are in a range of 16 are two in a byte.
// Whatever the number of rows is, there is code for it.
// CHECK-LABEL: func.func @nibbles(
// CHECK-DAG: nn.constant {{.*}} : tensor<256xi8>
// CHECK: func.func private @kernel_dequantizing_matmul_0
// CHECK: memref.alloca() {{.*}} : memref<512xf32>
// CHECK: arith.andi
// CHECK: arith.ori
// CHECK: arith.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: arith.subf
// CHECK: arith.mulf
// CHECK: vector.store
func.func @nibbles(%x: tensor<?x16xf32>) -> tensor<?x32xf32> {
  %w = nn.constant #nn.dequantized<dense<3> : tensor<32x16xi8>, scale = dense<0.5> : tensor<32x2xf32>, axis = 1, block_size = 8, zero_point = dense<1> : tensor<32x2xi8>> : tensor<32x16xf32>
  %0 = nn.matmul %x, %w {transpose_rhs} : (tensor<?x16xf32>, tensor<32x16xf32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// -----

// Scales along the depth are no factor of sums: the kernel for floats reads the constant.
// CHECK-LABEL: func.func @depth(
// CHECK-NOT: dequantizing
// CHECK: rt.launch @kernel_packed_matmul_0
func.func @depth(%x: tensor<4x16xf32>) -> tensor<4x32xf32> {
  %w = nn.constant #nn.dequantized<dense<3> : tensor<16x32xi8>, scale = dense<0.5> : tensor<16xf32>, axis = 0, block_size = 0> : tensor<16x32xf32>
  %0 = nn.matmul %x, %w : (tensor<4x16xf32>, tensor<16x32xf32>) -> tensor<4x32xf32>
  return %0 : tensor<4x32xf32>
}
