// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=kernels,onednn | FileCheck %s

// Channels first: rows whose window is complete need no loop over it; two square roots are the
// power of 0.75.
// CHECK-LABEL: func.func @first
// CHECK: rt.launch @kernel_lrn_0
// CHECK-LABEL: func.func private @kernel_lrn_0
// CHECK: scf.for %{{.*}} = %arg2 to %arg3
// CHECK: arith.cmpi eq, %{{.*}}, %c3
// CHECK: scf.if
// CHECK: scf.for %{{.*}} step %c32
// CHECK-COUNT-3: vector.fma {{.*}} : vector<32xf32>
// CHECK: vector.load
// CHECK: vector.fma
// CHECK-COUNT-2: math.sqrt
// CHECK: arith.divf
// CHECK: vector.store
// CHECK: } else {
// CHECK: scf.for %{{.*}} step %c32
// CHECK: scf.for {{.*}} iter_args
func.func @first(%x: tensor<1x64x28x28xf32>) -> tensor<1x64x28x28xf32> {
  %0 = nn.lrn %x {size = 3 : i64, alpha = 1.0e-4 : f32, beta = 0.75 : f32, bias = 1.0 : f32} : (tensor<1x64x28x28xf32>) -> tensor<1x64x28x28xf32>
  return %0 : tensor<1x64x28x28xf32>
}

// -----

// Channels last: vectors of those that have all of their window, the others one by one.
// CHECK-LABEL: func.func private @kernel_lrn_0
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c2
// CHECK: math.powf {{.*}} : f32
// CHECK: vector.load {{.*}}, vector<32xf32>
// CHECK: math.powf {{.*}} : vector<32xf32>
// CHECK: scf.for %{{.*}} = %c62{{.*}} to %c64
// CHECK: math.powf {{.*}} : f32
func.func @last(%x: tensor<1x28x28x64xf32>) -> tensor<1x28x28x64xf32> {
  %0 = nn.lrn %x {size = 5 : i64, beta = 0.6 : f32, layout = 1 : i32} : (tensor<1x28x28x64xf32>) -> tensor<1x28x28x64xf32>
  return %0 : tensor<1x28x28x64xf32>
}
