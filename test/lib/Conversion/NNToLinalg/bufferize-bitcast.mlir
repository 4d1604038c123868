// RUN: nn-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" | FileCheck %s

// CHECK-LABEL: func.func @bitcast(%arg0: memref<4xui8>) -> memref<4xi8>
// CHECK-NEXT: %[[CAST:.*]] = builtin.unrealized_conversion_cast %arg0 : memref<4xui8> to memref<4xi8>
// CHECK-NEXT: return %[[CAST]]
func.func @bitcast(%a: tensor<4xui8>) -> tensor<4xi8> {
  %0 = tensor.bitcast %a : tensor<4xui8> to tensor<4xi8>
  return %0 : tensor<4xi8>
}
