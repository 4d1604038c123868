// RUN: nn-opt %s -split-input-file -nn-verify-legality=phase=legalize -verify-diagnostics
// RUN: not nn-opt %s -split-input-file -nn-verify-legality=phase=place 2>&1 | FileCheck %s --check-prefix=PLACE
// RUN: not nn-opt %s -split-input-file -nn-verify-legality=phase=bufferize 2>&1 | FileCheck %s --check-prefix=BUFFERIZE
// RUN: not nn-opt %s -split-input-file -nn-verify-legality=phase=emit 2>&1 | FileCheck %s --check-prefix=EMIT

// PLACE: error: 'nn.relu' op is left at the end of place: no back end has lowered it
// BUFFERIZE: error: 'nn.relu' op is left at the end of bufferize: tensors have become buffers
// BUFFERIZE: error: 'memref.load' op is left at the end of bufferize: the host uses a buffer of the device
// BUFFERIZE-NOT: memref.subview
// EMIT: error: 'func.func' op is left at the end of emit: everything has become LLVM's dialect
func.func @legal(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nn.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @form(%x: tensor<1x1x4x4xi1>) -> tensor<1x1x8x8xi1> {
  %sizes = nn.constant dense<[1, 1, 8, 8]> : tensor<4xi64>
  // expected-error@+1 {{is left at the end of legalize: elements between which values are interpolated are numbers; seen: mode 'linear' of i1; accepted: mode 'nearest'}}
  %0 = nn.resize %x sizes %sizes {mode = "linear"} : (tensor<1x1x4x4xi1>, tensor<4xi64>) -> tensor<1x1x8x8xi1>
  return %0 : tensor<1x1x8x8xi1>
}

// -----

func.func @device(%x: memref<4xf32, #gpu.address_space<global>>, %i: index) -> f32 {
  %part = memref.subview %x[0] [2] [1] : memref<4xf32, #gpu.address_space<global>>
    to memref<2xf32, strided<[1]>, #gpu.address_space<global>>
  %0 = memref.load %part[%i] : memref<2xf32, strided<[1]>, #gpu.address_space<global>>
  return %0 : f32
}
