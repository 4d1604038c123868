// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v4 -nn-place=only=kernels,onednn | FileCheck %s
// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=kernels,onednn | FileCheck %s --check-prefix=AVX2
// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v4+avx512vnni -nn-place=only=kernels,onednn | FileCheck %s --check-prefix=VNNI

// Of 8 blocks of 16 columns two are not zero: rows 1 and 5. They are stored alike for all
// lengths of vectors, with the numbers of their rows and where those of the panel begin.
// CHECK-LABEL: func.func @main(
// CHECK-DAG: nn.constant dense<[1, 5]> : tensor<2xi32>
// CHECK-DAG: nn.constant dense<[0, 2]> : tensor<2xi32>
// CHECK-DAG: nn.constant dense{{.*}} : tensor<32xf32>
// CHECK: rt.launch @kernel_sparse_matmul_0
// CHECK: func.func private @kernel_sparse_matmul_0
// CHECK: %[[ROW:.*]] = memref.load %{{.*}} : memref<?xi32>
// CHECK: arith.index_castui %[[ROW]] : i32 to index
// CHECK: vector.load %{{.*}}, vector<16xf32>
// CHECK-COUNT-12: vector.fma
// CHECK: scf.yield
// CHECK: arith.maximumf
// AVX2-LABEL: func.func @main(
// AVX2-DAG: nn.constant dense<[1, 5]> : tensor<2xi32>
// AVX2-DAG: nn.constant dense{{.*}} : tensor<32xf32>
// AVX2: func.func private @kernel_sparse_matmul_0
// AVX2-COUNT-12: vector.fma {{.*}} : vector<8xf32>
// AVX2: scf.yield
func.func @main(%x: tensor<24x8xf32>) -> tensor<24x16xf32> {
  %w = nn.constant dense<[[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 1.1, 1.2, 1.4, 1.5, 1.6, 1.8, 1.9, 2.0, 2.1, 2.2, 2.4, 2.5, 2.6, 2.8, 2.9], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [5.0, 5.1, 5.2, 5.4, 5.5, 5.6, 5.8, 5.9, 6.0, 6.1, 6.2, 6.4, 6.5, 6.6, 6.8, 6.9], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]> : tensor<8x16xf32>
  %0 = nn.fusion (%a = %x : tensor<24x8xf32>, %b = %w : tensor<8x16xf32>) -> (tensor<24x16xf32>) {
    %1 = nn.matmul %a, %b : (tensor<24x8xf32>, tensor<8x16xf32>) -> tensor<24x16xf32>
    %2 = nn.relu %1 : (tensor<24x16xf32>) -> tensor<24x16xf32>
    nn.yield %2 : tensor<24x16xf32>
  }
  return %0 : tensor<24x16xf32>
}

// -----

// Nothing is zero.
// CHECK-LABEL: func.func @dense(
// CHECK-NOT: sparse
// AVX2-LABEL: func.func @dense(
func.func @dense(%x: tensor<24x8xf32>) -> tensor<24x16xf32> {
  %w = nn.constant dense<0.5> : tensor<8x16xf32>
  %0 = nn.matmul %x, %w : (tensor<24x8xf32>, tensor<8x16xf32>) -> tensor<24x16xf32>
  return %0 : tensor<24x16xf32>
}

// -----

// A block of bytes has four rows, whose products VNNI adds: of three, the one with rows 4 to 7 is
// not zero. Pairs are multiplied as they are.
// CHECK-LABEL: func.func @bytes(
// CHECK: rt.launch @kernel_packed_matmul_0
// AVX2-LABEL: func.func @bytes(
// AVX2: rt.launch @kernel_packed_matmul_0
// VNNI-LABEL: func.func @bytes(
// VNNI-DAG: nn.constant dense<1> : tensor<1xi32>
// VNNI-DAG: nn.constant dense<[0, 1]> : tensor<2xi32>
// VNNI-DAG: nn.constant {{.*}} : tensor<64xi8>
// VNNI: rt.launch @kernel_sparse_matmul_0
// VNNI: func.func private @kernel_sparse_matmul_0
// VNNI: memref.load
// VNNI: vector.load %{{.*}}, vector<64xi8>
// VNNI-COUNT-12: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// VNNI: scf.yield
func.func @bytes(%x: tensor<24x12xui8>) -> tensor<24x16xi32> {
  %w = nn.constant dense<[[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]> : tensor<12x16xi8>
  %0 = nn.matmul %x, %w : (tensor<24x12xui8>, tensor<12x16xi8>) -> tensor<24x16xi32>
  return %0 : tensor<24x16xi32>
}
