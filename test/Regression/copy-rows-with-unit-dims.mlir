// A unit dimension between rows and their elements does not
// make the rows contiguous.
// RUN: nn-opt %s --nn-convert-copies | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: memref.collapse_shape {{.*}} {{\[\[}}0, 1, 2], [3]]
// CHECK: rt.launch
func.func @main(%from: memref<1x8x1x33xf32, strided<[528, 33, 33, 1]>>,
                %to: memref<1x8x1x33xf32, strided<[280, 35, 35, 1], offset: 1>>) {
  memref.copy %from, %to : memref<1x8x1x33xf32, strided<[528, 33, 33, 1]>>
      to memref<1x8x1x33xf32, strided<[280, 35, 35, 1], offset: 1>>
  return
}
