// RUN: nn-opt %s -split-input-file -nn-check-sizes | FileCheck %s

// A dimension of an input times a constant fits 64 bits, and so does a sum with it; a product
// of two dimensions may not.
// CHECK-LABEL: func.func @main(
// CHECK: %[[H:.*]] = memref.dim %arg0, %c0
// CHECK: %[[W:.*]] = memref.dim %arg0, %c1
// CHECK: %[[ROW:.*]] = arith.muli %[[W]], %c64
// CHECK-NOT: arith.mulf
// CHECK: %[[PLUS:.*]] = arith.addi %[[ROW]], %c64
// CHECK-NOT: arith.mulf
// CHECK: arith.muli %[[H]], %[[PLUS]]
// CHECK: %[[PRODUCT:.*]] = arith.mulf {{.*}} : f64
// CHECK: %[[FAILS:.*]] = arith.cmpf ogt, %[[PRODUCT]]
// CHECK-NOT: arith.mulf
// CHECK: %[[HOLDS:.*]] = arith.xori %[[FAILS]], %true
// CHECK: cf.assert %[[HOLDS]], "the values of the model would be larger than any memory"
// CHECK: rt.arena
func.func @main(%x: memref<?x?xf32>) -> memref<?xi8> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %h = memref.dim %x, %c0 : memref<?x?xf32>
  %w = memref.dim %x, %c1 : memref<?x?xf32>
  %row = arith.muli %w, %c64 : index
  %plus = arith.addi %row, %c64 : index
  %area = arith.muli %h, %plus : index
  %bytes = arith.muli %area, %c4 : index
  %arena = rt.arena %bytes : memref<?xi8>
  return %arena : memref<?xi8>
}

// -----

// Integers that are data may be anything.
// CHECK-LABEL: func.func @main(
// CHECK: %[[N:.*]] = arith.index_cast
// CHECK: arith.addi %[[N]], %c1
// CHECK: arith.xori
// CHECK: cf.assert
func.func @main(%x: memref<1xi64>) -> memref<?xi8> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %data = memref.load %x[%c0] : memref<1xi64>
  %n = arith.index_cast %data : i64 to index
  %more = arith.addi %n, %c1 : index
  %arena = rt.arena %more : memref<?xi8>
  return %arena : memref<?xi8>
}

// -----

// What arithmetic made of a selection between sizes is one again, which cannot overflow. Other
// products with a flag cannot either.
// CHECK-LABEL: func.func @main(
// CHECK: %[[SMALLER:.*]] = arith.select
// CHECK-NOT: arith.mulf
// CHECK-NOT: arith.xori
// CHECK-NOT: cf.assert
// CHECK: rt.arena %[[SMALLER]]
// CHECK: arith.muli
// CHECK-NOT: arith.mulf
// CHECK: rt.arena
func.func @main(%x: memref<2xi64>) -> memref<?xi8> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = memref.load %x[%c0] : memref<2xi64>
  %1 = memref.load %x[%c1] : memref<2xi64>
  %a = arith.index_cast %0 : i64 to index
  %b = arith.index_cast %1 : i64 to index
  %less = arith.cmpi slt, %a, %b : index
  %flag = arith.index_castui %less : i1 to index
  %difference = arith.subi %a, %b : index
  %added = arith.muli %flag, %difference : index
  %smaller = arith.addi %b, %added : index
  %arena = rt.arena %smaller : memref<?xi8>
  %some = arith.muli %a, %flag : index
  %other = rt.arena %some : memref<?xi8>
  return %arena : memref<?xi8>
}
