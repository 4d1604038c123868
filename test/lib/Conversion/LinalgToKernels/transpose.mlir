// RUN: nn-opt %s -convert-linalg-to-kernels -canonicalize -cse -split-input-file | FileCheck %s

// Rows and columns change places in blocks of 64; the last two dimensions stay together.
// CHECK-LABEL: func.func @channels_last
// CHECK: rt.launch @transpose_0 ins(%arg0 : memref<2x16x10x13xf32>) outs(%arg1 : memref<2x10x13x16xf32>) scalars() count(%c6) {grain = 16 : i64}
// CHECK-LABEL: func.func private @transpose_0
// CHECK-SAME: attributes {nn.disjoint, nn.kernel = "linalg.transpose"}
// CHECK: scf.for %[[UNIT:.*]] = %arg2 to %arg3
// CHECK: scf.for %{{.*}} step %c8
// The last tile ends where the matrix does.
// CHECK: arith.minsi %{{.*}}, %c8
// CHECK: scf.for %{{.*}} step %c4
// CHECK: arith.minsi %{{.*}}, %c126
// CHECK-COUNT-8: vector.load %{{.*}}, vector<4xf32>
// CHECK: vector.shuffle %{{.*}} [0, 8, 1, 9, 4, 12, 5, 13] : vector<8xi32>, vector<8xi32>
// CHECK: vector.shuffle %{{.*}} [2, 10, 3, 11, 6, 14, 7, 15] : vector<8xi32>, vector<8xi32>
// CHECK-COUNT-4: vector.store %{{.*}}, vector<8xf32>
func.func @channels_last(%x: memref<2x16x10x13xf32>, %y: memref<2x10x13x16xf32>) {
  linalg.transpose ins(%x : memref<2x16x10x13xf32>)
      outs(%y : memref<2x10x13x16xf32>) permutation = [0, 2, 3, 1]
  return
}

// -----

// As many elements as 128 bits have.
// CHECK-LABEL: func.func private @transpose_0
// CHECK-COUNT-32: vector.load %{{.*}}, vector<16xi8>
// CHECK-COUNT-16: vector.store %{{.*}}, vector<32xi8>
func.func @bytes(%x: memref<40x50xi8>, %y: memref<50x40xi8>) {
  linalg.transpose ins(%x : memref<40x50xi8>) outs(%y : memref<50x40xi8>) permutation = [1, 0]
  return
}

// -----

// Narrow matrices have narrow tiles.
// CHECK-LABEL: func.func private @transpose_0
// CHECK-COUNT-4: vector.load %{{.*}}, vector<4xf32>
// CHECK-NOT: vector.load
// CHECK-COUNT-4: vector.store %{{.*}}, vector<4xf32>
func.func @narrow(%x: memref<4x50xf32>, %y: memref<50x4xf32>) {
  linalg.transpose ins(%x : memref<4x50xf32>) outs(%y : memref<50x4xf32>) permutation = [1, 0]
  return
}

// -----

// What is not known is decided at run time.
// CHECK-LABEL: func.func private @transpose_0
// CHECK: arith.cmpi slt, %[[COLUMNS:.*]], %c4
// CHECK: scf.if
// CHECK: memref.load
// CHECK: } else {
// CHECK: arith.cmpi slt, %[[ROWS:.*]], %c8
// CHECK: scf.if
// CHECK: arith.cmpi slt, %[[ROWS]], %c4
// CHECK: scf.if
// CHECK: memref.load
// CHECK: } else {
// CHECK: vector.store %{{.*}}, vector<4xf32>
// CHECK: } else {
// CHECK: vector.store %{{.*}}, vector<8xf32>
func.func @dynamic(%x: memref<?x?xf32>, %y: memref<?x?xf32>) {
  linalg.transpose ins(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>) permutation = [1, 0]
  return
}

// -----

// Into every other row.
// CHECK-LABEL: func.func private @transpose_0
// CHECK: %{{.*}}, %[[OFFSET:.*]], %{{.*}}:2, %[[STRIDES:.*]]:2 = memref.extract_strided_metadata %arg1
// CHECK: memref.reinterpret_cast %arg1 to offset: [%[[OFFSET]]]
// CHECK: arith.muli %{{.*}}, %[[STRIDES]]#0
func.func @part(%x: memref<40x50xf32>, %y: memref<50x40xf32, strided<[?, 1], offset: ?>>) {
  linalg.transpose ins(%x : memref<40x50xf32>)
      outs(%y : memref<50x40xf32, strided<[?, 1], offset: ?>>) permutation = [1, 0]
  return
}

// -----

// Loops: short rows, short columns, columns that stay, columns apart.
// CHECK-NOT: @transpose
// CHECK: func.func private @loops_3
func.func @loops(%a: memref<3x50xf32>, %b: memref<50x3xf32>, %c: memref<9x8x50xf32>,
                 %d: memref<8x9x50xf32>, %e: memref<50x3xf32, strided<[3, 2]>>) {
  linalg.transpose ins(%a : memref<3x50xf32>) outs(%b : memref<50x3xf32>) permutation = [1, 0]
  linalg.transpose ins(%b : memref<50x3xf32>) outs(%a : memref<3x50xf32>) permutation = [1, 0]
  linalg.transpose ins(%c : memref<9x8x50xf32>) outs(%d : memref<8x9x50xf32>) permutation = [1, 0, 2]
  linalg.transpose ins(%e : memref<50x3xf32, strided<[3, 2]>>) outs(%a : memref<3x50xf32>) permutation = [1, 0]
  return
}
