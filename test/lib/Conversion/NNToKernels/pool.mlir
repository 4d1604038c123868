// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=kernels,onednn | FileCheck %s

// Channels first, vectors lie along the line. Outer taps of four lines are reduced into scratch
// memory, with padding around them; of three taps that are two apart, elements are picked.
// CHECK-LABEL: func.func private @kernel_pool_0
// CHECK-SAME: nn.kernel = "pool"
// CHECK: %[[SCRATCH:.*]] = memref.alloca() {alignment = 64 : i64} : memref<292xf32>
// CHECK: scf.for %[[BEGIN:.*]] = %arg2 to %arg3 step %c4
// CHECK: scf.for %[[ROW:.*]] = %[[BEGIN]] to
// CHECK: %[[LINE:.*]] = arith.subi %[[ROW]], %[[BEGIN]]
// CHECK: %[[PLACE:.*]] = arith.muli %[[LINE]], %c73
// CHECK: vector.load %{{.*}} : memref<{{.*}}>, vector<32xf32>
// CHECK: vector.store %{{.*}}, %[[SCRATCH]][%{{.*}}] : memref<292xf32>, vector<32xf32>
// CHECK: memref.store %{{.*}}, %[[SCRATCH]][%[[PLACE]]]
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to
// CHECK: vector.load %[[SCRATCH]][{{.*}}] : memref<292xf32>, vector<8xf32>
// CHECK: vector.shuffle {{.*}} [0, 2, 4, 6, 8, 10, 12, 14] : vector<8xf32>, vector<8xf32>
// CHECK: arith.maximumf {{.*}} fastmath<nsz>
// The epilogue.
// CHECK: arith.negf
// CHECK: vector.store {{.*}} : memref<{{.*}}>, vector<8xf32>
func.func @first(%x: tensor<1x64x56x56xf32>) -> tensor<1x64x28x28xf32> {
  %0 = nn.fusion (%a = %x : tensor<1x64x56x56xf32>) -> (tensor<1x64x28x28xf32>) {
    %1 = nn.max_pool %a {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x64x56x56xf32>) -> tensor<1x64x28x28xf32>
    %2 = nn.neg %1 : (tensor<1x64x28x28xf32>) -> tensor<1x64x28x28xf32>
    nn.yield %2 : tensor<1x64x28x28xf32>
  }
  return %0 : tensor<1x64x28x28xf32>
}

// -----

// Channels last, columns are vectors of channels. All taps are inside: no loops over them.
// CHECK-LABEL: func.func private @kernel_pool_0
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<448xf32>
// CHECK: scf.for %{{.*}} to %c40{{.*}} step %c8
// CHECK: scf.for %{{.*}} to %c56
// CHECK-COUNT-3: vector.load %{{.*}}, vector<8xf32>
// CHECK: vector.store
// CHECK: scf.for %{{.*}} to %c54
// CHECK-NOT: scf.for
// CHECK: arith.divf
// CHECK: vector.store
func.func @last(%x: tensor<1x56x56x40xf32>) -> tensor<1x54x54x40xf32> {
  %0 = nn.average_pool %x {kernel_shape = array<i64: 3, 3>, layout = 1 : i32} : (tensor<1x56x56x40xf32>) -> tensor<1x54x54x40xf32>
  return %0 : tensor<1x54x54x40xf32>
}

// -----

// Windows that do not overlap need no scratch memory.
// CHECK-LABEL: func.func private @kernel_pool_0
// CHECK-NOT: memref.alloca
// CHECK-COUNT-4: vector.load %{{.*}}, vector<64xi8>
// CHECK: arith.maxui
// CHECK: vector.store
func.func @apart(%x: tensor<1x56x56x64xui8>) -> tensor<1x28x28x64xui8> {
  %0 = nn.max_pool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>, layout = 1 : i32} : (tensor<1x56x56x64xui8>) -> tensor<1x28x28x64xui8>
  return %0 : tensor<1x28x28x64xui8>
}

// -----

// Sizes known only at run time: part of a register, one at a time, or four. What counts of a
// padded window depends on its place.
// CHECK-LABEL: func.func private @kernel_pool_0
// CHECK: memref.alloca
// CHECK: vector.maskedload {{.*}} vector<8xf32>
// CHECK: vector.load %{{.*}}, vector<8xf32>
// CHECK: vector.load %{{.*}}, vector<32xf32>
// CHECK: arith.sitofp
// CHECK: arith.divf
// CHECK: vector.maskedstore
// CHECK: vector.store %{{.*}}, vector<32xf32>
func.func @dynamic(%x: tensor<?x?x?xf32>) -> tensor<?x?x?xf32> {
  %0 = nn.average_pool %x {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>} : (tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// -----

// Not: taps too far apart for the scratch memory, other types.
// CHECK-LABEL: func.func @others
// CHECK: onednn.pooling
// CHECK: nn.max_pool
// CHECK-NOT: rt.launch
func.func @others(%x: tensor<1x1x20000xf32>, %y: tensor<1x1x20xi32>) -> (tensor<1x1x10000xf32>, tensor<1x1x19xi32>) {
  %0 = nn.max_pool %x {kernel_shape = array<i64: 2>, dilations = array<i64: 10000>} : (tensor<1x1x20000xf32>) -> tensor<1x1x10000xf32>
  %1 = nn.max_pool %y {kernel_shape = array<i64: 2>} : (tensor<1x1x20xi32>) -> tensor<1x1x19xi32>
  return %0, %1 : tensor<1x1x10000xf32>, tensor<1x1x19xi32>
}
