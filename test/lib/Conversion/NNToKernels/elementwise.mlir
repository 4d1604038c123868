// RUN: nn-opt %s -split-input-file -nn-place=only=kernels | FileCheck %s
// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=kernels | FileCheck %s --check-prefix=V256

// The same code is emitted once; small tensors are one block, in wide vectors.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<4x64xf32>, %[[Y:.*]]: tensor<4x64xf32>
// CHECK: %[[OUT:.*]] = tensor.empty() : tensor<4x64xf32>
// CHECK: rt.launch @kernel_elementwise_0 ins(%[[X]] : tensor<4x64xf32>) outs(%[[OUT]] : tensor<4x64xf32>)
// CHECK: rt.launch @kernel_elementwise_0 ins(%[[Y]] : tensor<4x64xf32>)
// CHECK: func.func private @kernel_elementwise_0(%{{.*}}: memref<4x64xf32>, %{{.*}}: memref<4x64xf32>, %{{.*}}: index, %{{.*}}: index) attributes {nn.kernel = "elementwise"}
// CHECK: vector.load {{.*}} vector<64xf32>
// CHECK: arith.maximumf
// CHECK: vector.store
// CHECK-NOT: func.func
// V256: vector.load {{.*}} vector<32xf32>
func.func @main(%x: tensor<4x64xf32>, %y: tensor<4x64xf32>) -> (tensor<4x64xf32>, tensor<4x64xf32>) {
  %0 = nn.relu %x : (tensor<4x64xf32>) -> tensor<4x64xf32>
  %1 = nn.relu %y : (tensor<4x64xf32>) -> tensor<4x64xf32>
  return %0, %1 : tensor<4x64xf32>, tensor<4x64xf32>
}

// -----

// A fusion is one kernel; splats are immediates, no inputs; a channel's value is
// read once a row.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<1x24x35xf32>, %[[BIAS:.*]]: tensor<24x1xf32>
// CHECK: rt.launch @kernel_elementwise_0 ins(%[[X]], %[[BIAS]] : tensor<1x24x35xf32>, tensor<24x1xf32>) outs({{.*}}) scalars() count(%[[COUNT:.*]]) {
// CHECK: func.func private @kernel_elementwise_0(%{{.*}}, %{{.*}}, %{{.*}}, %[[BEGIN:.*]]: index, %[[END:.*]]: index)
// CHECK: scf.for %[[ROW:.*]] = %[[BEGIN]] to %[[END]]
// CHECK: memref.load
// CHECK: vector.load
// CHECK: vector.broadcast
// CHECK: vector.maskedload
// CHECK: arith.mulf
// CHECK: vector.maskedstore
func.func @main(%x: tensor<1x24x35xf32>, %bias: tensor<24x1xf32>) -> tensor<1x24x35xf32> {
  %two = nn.constant dense<2.0> : tensor<f32>
  %0 = nn.fusion (%a = %x : tensor<1x24x35xf32>, %b = %bias : tensor<24x1xf32>, %c = %two : tensor<f32>) -> (tensor<1x24x35xf32>) {
    %1 = nn.add %a, %b : (tensor<1x24x35xf32>, tensor<24x1xf32>) -> tensor<1x24x35xf32>
    %2 = nn.mul %1, %c : (tensor<1x24x35xf32>, tensor<f32>) -> tensor<1x24x35xf32>
    nn.yield %2 : tensor<1x24x35xf32>
  }
  return %0 : tensor<1x24x35xf32>
}

// -----

// Equal names are equal sizes: one dimension, no checks.
// CHECK-LABEL: func.func @main(
// CHECK-NOT: cf.assert
// CHECK: func.func private
// CHECK-NOT: arith.select
func.func @main(%x: tensor<?x?xf32> {nn.dim_names = ["n", "m"]}, %y: tensor<?x?xf32> {nn.dim_names = ["n", "m"]}) -> tensor<?x?xf32> {
  %0 = nn.add %x, %y : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// Otherwise it is known only at run time which operand is broadcast.
// CHECK-LABEL: func.func @main(
// CHECK: cf.assert %{{.*}}, "node 'Add_7': dimension 0 of an operand neither is 1 nor has the size of the result
// CHECK: func.func private
// CHECK: arith.select
// CHECK: scf.if
func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %0 = nn.add %x, %y : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32> loc("Add_7")
  return %0 : tensor<?xf32>
}

// -----

// Bools are bytes in memory, unsigned integers signless.
// CHECK-LABEL: func.func @main(
// CHECK: tensor.bitcast {{.*}} : tensor<40xui8> to tensor<40xi8>
// CHECK: func.func private @kernel_elementwise_0(%{{.*}}: memref<40xi8>, %{{.*}}: memref<40xi8>, %{{.*}}: memref<40xi1>
// CHECK: arith.cmpi ugt
// CHECK: llvm.intr.masked.store {{.*}} vector<64xi8>
func.func @main(%x: tensor<40xui8>, %y: tensor<40xui8>) -> tensor<40xi1> {
  %0 = nn.greater %x, %y : (tensor<40xui8>, tensor<40xui8>) -> tensor<40xi1>
  return %0 : tensor<40xi1>
}

// -----

// Sizes that are computed are compared as expressions: a range from p to p + s has
// as many elements as the other operand has rows, whatever the run brings.
// CHECK-LABEL: func.func @main(
// CHECK-NOT: cf.assert
// CHECK: rt.launch @kernel_elementwise_0
func.func @main(%p: tensor<5x?xf32>, %x: tensor<?x4xf32>, %t: tensor<512x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %past = tensor.dim %p, %c1 : tensor<5x?xf32>
  %rows = tensor.dim %x, %c0 : tensor<?x4xf32>
  %end = arith.addi %rows, %past : index
  %0 = arith.index_cast %past : index to i64
  %1 = arith.index_cast %end : index to i64
  %2 = tensor.from_elements %0 : tensor<i64>
  %3 = tensor.from_elements %1 : tensor<i64>
  %4 = nn.constant dense<1> : tensor<i64>
  %5 = nn.range %2, %3, %4 : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %6 = nn.gather %t, %5 : (tensor<512x4xf32>, tensor<?xi64>) -> tensor<?x4xf32>
  %7 = nn.mul %x, %6 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %7 : tensor<?x4xf32>
}

// -----

// Vectors of integers have no division but that of floats with twice as many digits.
// CHECK-LABEL: func.func private @kernel_elementwise_0
// CHECK: arith.sitofp {{.*}} to vector<{{[0-9]+}}xf64>
// CHECK: arith.divf {{.*}}xf64>
// CHECK: arith.fptosi
// CHECK-LABEL: func.func private @kernel_elementwise_1
// CHECK: arith.uitofp {{.*}} to vector<{{[0-9]+}}xf32>
// CHECK: arith.divf {{.*}}xf32>
// CHECK: arith.muli
// CHECK-LABEL: func.func private @kernel_elementwise_2
// CHECK: arith.divsi {{.*}}xi64>
// CHECK-LABEL: func.func private @kernel_elementwise_3
// CHECK: arith.divsi {{.*}}xi32>
func.func @divisions(%a: tensor<99xi32>, %b: tensor<99xi32>, %c: tensor<99xui8>, %d: tensor<99xui8>, %e: tensor<99xi64>, %f: tensor<99xi64>)
    -> (tensor<99xi32>, tensor<99xui8>, tensor<99xi64>, tensor<99xi32>) {
  %w = nn.constant dense<7> : tensor<i32>
  %0 = nn.div %a, %b : (tensor<99xi32>, tensor<99xi32>) -> tensor<99xi32>
  %1 = nn.mod %c, %d : (tensor<99xui8>, tensor<99xui8>) -> tensor<99xui8>
  %2 = nn.div %e, %f : (tensor<99xi64>, tensor<99xi64>) -> tensor<99xi64>
  %3 = nn.div %a, %w : (tensor<99xi32>, tensor<i32>) -> tensor<99xi32>
  return %0, %1, %2, %3 : tensor<99xi32>, tensor<99xui8>, tensor<99xi64>, tensor<99xi32>
}
