// RUN: nn-opt %s -split-input-file -nn-place=only=kernels | FileCheck %s

// Global average pooling with channels last: an accumulator for each vector of
// channels, several rows at a time.
// CHECK-LABEL: func.func @main(
// CHECK: rt.launch @kernel_reduction_0 ins({{.*}}) outs({{.*}}) scalars() count(
// CHECK: func.func private @kernel_reduction_0
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>
// CHECK: arith.mulf
// CHECK: vector.store
func.func @main(%x: tensor<2x7x5x32xf32>) -> tensor<2x1x1x32xf32> {
  %0 = nn.reduce_mean %x {axes = array<i64: 1, 2>} : (tensor<2x7x5x32xf32>) -> tensor<2x1x1x32xf32>
  return %0 : tensor<2x1x1x32xf32>
}

// -----

// Along the last dimension, with elementwise operators before and after.
// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_reduction_0
// CHECK: vector.load
// CHECK: math.absf
// CHECK: arith.maximumf
// CHECK: vector.shuffle {{.*}} [0] :
// CHECK-NEXT: arith.maximumf {{.*}} : vector<1xf32>
// CHECK: math.sqrt
// CHECK: memref.store
func.func @main(%x: tensor<6x64xf32>) -> tensor<6xf32> {
  %0 = nn.fusion (%a = %x : tensor<6x64xf32>) -> (tensor<6xf32>) {
    %1 = nn.abs %a : (tensor<6x64xf32>) -> tensor<6x64xf32>
    %2 = nn.reduce_max %1 {axes = array<i64: -1>, keepdims = false} : (tensor<6x64xf32>) -> tensor<6xf32>
    %3 = nn.sqrt %2 : (tensor<6xf32>) -> tensor<6xf32>
    nn.yield %3 : tensor<6xf32>
  }
  return %0 : tensor<6xf32>
}

// -----

// Reduced dimensions around a kept one have no template.
// CHECK-LABEL: func.func @main(
// CHECK: nn.reduce_sum
// CHECK-NOT: rt.launch
func.func @main(%x: tensor<6x8x9xf32>) -> tensor<1x8x1xf32> {
  %0 = nn.reduce_sum %x {axes = array<i64: 0, 2>} : (tensor<6x8x9xf32>) -> tensor<1x8x1xf32>
  return %0 : tensor<1x8x1xf32>
}

// -----

// The least number of the type for the lanes behind a row's end.
// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_reduction_0
// CHECK: arith.constant dense<-9223372036854775808> : vector<{{.*}}xi64>
// CHECK: arith.maxsi
func.func @main(%x: tensor<6x67xi64>) -> tensor<6xi64> {
  %0 = nn.reduce_max %x {axes = array<i64: 1>, keepdims = false} : (tensor<6x67xi64>) -> tensor<6xi64>
  return %0 : tensor<6xi64>
}

// -----

// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_reduction_0
// CHECK: arith.constant dense<-1> : vector<{{.*}}xi64>
// CHECK: arith.minui
func.func @main(%x: tensor<6x67xui64>) -> tensor<6xui64> {
  %0 = nn.reduce_min %x {axes = array<i64: 1>, keepdims = false} : (tensor<6x67xui64>) -> tensor<6xui64>
  return %0 : tensor<6xui64>
}

// -----

// Eight rows at a time, added up on the stack, where columns exceed the cache.
// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_reduction_0
// CHECK: memref.alloca() {{.*}} : memref<512xf32>
// CHECK: vector.load
// CHECK-COUNT-8: arith.addf
// CHECK-NOT: arith.addf
// CHECK: vector.store
func.func @main(%x: tensor<512x1024xf32>) -> tensor<1024xf32> {
  %0 = nn.reduce_sum %x {axes = array<i64: 0>, keepdims = false} : (tensor<512x1024xf32>) -> tensor<1024xf32>
  return %0 : tensor<1024xf32>
}

// -----

// As the size shows at run time.
// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_reduction_0
// CHECK: scf.if
// CHECK: else
func.func @main(%x: tensor<?x?xf32>) -> tensor<?xf32> {
  %0 = nn.reduce_sum %x {axes = array<i64: 0>, keepdims = false} : (tensor<?x?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// ArgMax keeps the best elements and their indices, which are joined by both.
// CHECK-LABEL: func.func @main(
// CHECK: rt.launch @kernel_reduction_0
// CHECK: func.func private @kernel_reduction_0
// CHECK: scf.for {{.*}} -> (vector<64xf32>, vector<64xi32>)
// CHECK: %[[BETTER:.*]] = arith.cmpf ogt
// CHECK-DAG: arith.select %[[BETTER]], {{.*}} : vector<64xi1>, vector<64xf32>
// CHECK-DAG: arith.select %[[BETTER]], {{.*}} : vector<64xi1>, vector<64xi32>
// CHECK: arith.cmpi slt
// CHECK: arith.extsi {{.*}} : i32 to i64
func.func @main(%x: tensor<6x130xf32>) -> tensor<6x1xi64> {
  %0 = nn.argmax %x {axis = 1} : (tensor<6x130xf32>) -> tensor<6x1xi64>
  return %0 : tensor<6x1xi64>
}

// -----

// Lengths known at run time may need 64 bits. Of equal elements, the last counts.
// CHECK-LABEL: func.func @main(
// CHECK: func.func private @kernel_reduction_0
// CHECK: -> (vector<64xf32>, vector<64xi64>)
// CHECK: arith.cmpf oge
// CHECK: arith.cmpi sgt
func.func @main(%x: tensor<6x?xf32>) -> tensor<6x1xi64> {
  %0 = nn.argmin %x {axis = 1, select_last_index = true} : (tensor<6x?xf32>) -> tensor<6x1xi64>
  return %0 : tensor<6x1xi64>
}
