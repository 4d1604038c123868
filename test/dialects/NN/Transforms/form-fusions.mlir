// RUN: nn-opt %s --nn-form-fusions --split-input-file | FileCheck %s
// RUN: nn-opt %s --nn-form-fusions --split-input-file --remarks-filter=fuse 2>&1 | FileCheck %s --check-prefix=REMARK

// An anchor with the elementwise operators after it; the splat moves inside.
// CHECK-LABEL: func.func @tail(
// CHECK-SAME: %[[X:.*]]: tensor<1x3x8x8xf32>, %[[W:.*]]: tensor<4x3x1x1xf32>)
// CHECK: %[[R:.*]] = nn.fusion (%[[A:.*]] = %[[X]] : tensor<1x3x8x8xf32>, %[[B:.*]] = %[[W]] : tensor<4x3x1x1xf32>) -> (tensor<1x4x8x8xf32>)
// CHECK-SAME: nn.origin<0, "y">
// CHECK-DAG: nn.constant dense<2.000000e+00> : tensor<f32>
// CHECK-DAG: %[[CONV:.*]] = nn.conv %[[A]], %[[B]]
// CHECK: nn.mul %[[CONV]]
// CHECK: %[[RELU:.*]] = nn.relu
// CHECK: nn.yield %[[RELU]]
// CHECK: return %[[R]]
func.func @tail(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32> {
  %two = nn.constant dense<2.0> : tensor<f32>
  %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.mul %0, %two : (tensor<1x4x8x8xf32>, tensor<f32>) -> tensor<1x4x8x8xf32>
  %2 = nn.relu %1 {nn.origin = [#nn.origin<0, "y">]} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %2 : tensor<1x4x8x8xf32>
}

// -----

// A value with users outside is a result of its own: what two operators read is one group.
// CHECK-LABEL: func.func @used_twice(
// CHECK: %[[R:.*]]:3 = nn.fusion
// CHECK-SAME: nn.origin<0, "sum">, #nn.origin<1, "relu">
// CHECK-NEXT: %[[CONV:.*]] = nn.conv
// CHECK-NEXT: %[[SUM:.*]] = nn.add %[[CONV]]
// CHECK-NEXT: %[[RELU:.*]] = nn.relu %[[SUM]]
// CHECK-NEXT: %[[SIGMOID:.*]] = nn.sigmoid %[[SUM]]
// CHECK-NEXT: nn.yield %[[SUM]], %[[RELU]], %[[SIGMOID]]
// CHECK: return %[[R]]#1, %[[R]]#2, %[[R]]#0
func.func @used_twice(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>, %y: tensor<1x4x8x8xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) {
  %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.add %0, %y {nn.origin = [#nn.origin<0, "sum">]} : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %2 = nn.relu %1 {nn.origin = [#nn.origin<0, "relu">]} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %3 = nn.sigmoid %1 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %2, %3, %1 : tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>
}

// -----

// What others compute from a group's results does not come back into it: the sum belongs to
// the second convolution.
// CHECK-LABEL: func.func @residual(
// CHECK: %[[FIRST:.*]] = nn.fusion
// CHECK-NEXT: nn.conv
// CHECK-NEXT: nn.relu
// CHECK-NEXT: nn.yield
// CHECK: nn.fusion (%{{.*}} = %[[FIRST]]
// CHECK-NEXT: nn.conv
// CHECK-NEXT: nn.add
// CHECK-NEXT: nn.yield
// REMARK: remark: [Missed] not-fused {{.*}}nn.add with nn.conv: an operand is computed from the group's results by others
func.func @residual(%x: tensor<1x4x8x8xf32>, %w: tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32> {
  %0 = nn.conv %x, %w : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.relu %0 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %2 = nn.conv %1, %w : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %3 = nn.add %1, %2 : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %3 : tensor<1x4x8x8xf32>
}

// -----

// The group stands before all users of its results, and behind all that it reads.
// CHECK-LABEL: func.func @order(
// CHECK: %[[Y:.*]] = nn.transpose
// CHECK: %[[R:.*]]:2 = nn.fusion ({{.*}} = %[[Y]]
// CHECK: %[[POOL:.*]] = nn.max_pool %[[R]]#0
// CHECK: return %[[POOL]], %[[R]]#1
func.func @order(%x: tensor<1x4x8x8xf32>, %w: tensor<4x4x1x1xf32>) -> (tensor<1x4x7x7xf32>, tensor<1x4x8x8xf32>) {
  %0 = nn.conv %x, %w : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %1 = nn.relu %0 : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %2 = nn.max_pool %1 {kernel_shape = array<i64: 2, 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32>
  %3 = nn.transpose %x {perm = array<i64: 0, 1, 3, 2>} : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %4 = nn.mul %1, %3 : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %2, %4 : tensor<1x4x7x7xf32>, tensor<1x4x8x8xf32>
}

// -----

// What reductions and normalizations read is computed where they read it, unless they read
// it several times and it takes long.
// CHECK-LABEL: func.func @prologue(
// CHECK: nn.fusion
// CHECK-NEXT: nn.exp
// CHECK-NEXT: nn.reduce_mean
// CHECK-NEXT: nn.yield
// CHECK: nn.fusion
// CHECK-NEXT: nn.mul
// CHECK-NEXT: nn.add
// CHECK-NEXT: nn.softmax
// CHECK-NEXT: nn.yield
// CHECK: nn.exp
// CHECK-NOT: nn.fusion
// CHECK: nn.softmax
func.func @prologue(%x: tensor<?x8xf32>, %y: tensor<8xf32>) -> (tensor<?xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %0 = nn.exp %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = nn.reduce_mean %0 {axes = array<i64: 1>, keepdims = false} : (tensor<?x8xf32>) -> tensor<?xf32>
  %2 = nn.mul %x, %y : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %3 = nn.add %2, %y : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %4 = nn.softmax %3 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %5 = nn.exp %x : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %6 = nn.softmax %5 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1, %4, %6 : tensor<?xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// Elementwise operators of one shape.
// CHECK-LABEL: func.func @elementwise(
// CHECK: nn.fusion
// CHECK: nn.add
// CHECK-NEXT: nn.exp
// CHECK-NEXT: nn.yield
func.func @elementwise(%x: tensor<?x8xf32>, %y: tensor<8xf32>) -> tensor<?x8xf32> {
  %0 = nn.add %x, %y : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %1 = nn.exp %0 : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// A single operator needs no group; neither do operators that move data.
// CHECK-LABEL: func.func @alone(
// CHECK-NOT: nn.fusion
func.func @alone(%x: tensor<4x8xf32>) -> tensor<8x4xf32> {
  %0 = nn.relu %x : (tensor<4x8xf32>) -> tensor<4x8xf32>
  %1 = nn.transpose %0 {perm = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  return %1 : tensor<8x4xf32>
}

// -----

// Transpositions that only a product reads say where its operands lie, and one behind it where
// the result is stored. What two products read is repeated; what others read is not.
// CHECK-LABEL: func.func @transposes(
// CHECK: nn.fusion
// CHECK-NEXT: nn.transpose %{{.*}} {perm = array<i64: 1, 0>}
// CHECK-NEXT: nn.matmul
// CHECK-NEXT: nn.relu
// CHECK-NEXT: nn.transpose %{{.*}} {perm = array<i64: 1, 0>}
// CHECK-NEXT: nn.yield
// CHECK: nn.fusion
// CHECK-NEXT: nn.transpose
// CHECK-NEXT: nn.matmul
// CHECK-NEXT: nn.yield
// CHECK: nn.transpose %arg1
// CHECK-NEXT: nn.matmul
// CHECK-NEXT: nn.abs
func.func @transposes(%x: tensor<4x8xf32>, %y: tensor<4x8xf32>, %w: tensor<4x4xf32>) -> (tensor<4x8xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>) {
  %0 = nn.transpose %x {perm = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %1 = nn.matmul %0, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %2 = nn.relu %1 : (tensor<8x4xf32>) -> tensor<8x4xf32>
  %3 = nn.transpose %2 {perm = array<i64: 1, 0>} : (tensor<8x4xf32>) -> tensor<4x8xf32>
  %4 = nn.matmul %0, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %5 = nn.transpose %y {perm = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %6 = nn.matmul %5, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %7 = nn.abs %5 : (tensor<8x4xf32>) -> tensor<8x4xf32>
  return %3, %4, %6, %7 : tensor<4x8xf32>, tensor<8x4xf32>, tensor<8x4xf32>, tensor<8x4xf32>
}

// -----

// A transposition between two products says where the second finds its operand.
// CHECK-LABEL: func.func @between(
// CHECK: nn.matmul
// CHECK: nn.fusion
// CHECK-NEXT: nn.transpose
// CHECK-NEXT: nn.matmul
func.func @between(%x: tensor<8x8xf32>, %y: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = nn.matmul %x, %y : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = nn.transpose %0 {perm = array<i64: 1, 0>} : (tensor<8x8xf32>) -> tensor<8x8xf32>
  %2 = nn.matmul %1, %y : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return %2 : tensor<8x8xf32>
}

// -----

// Elementwise operators of numbers come before the transposition that a product then reads
// through; others stay.
// CHECK-LABEL: func.func @scaled(
// CHECK: %[[SCALED:.*]] = nn.fusion (%[[X:.*]] = %arg0
// CHECK: nn.mul {{.*}}tensor<4x8xf32>
// CHECK: nn.abs {{.*}}tensor<4x8xf32>
// CHECK: nn.fusion (%[[Y:.*]] = %[[SCALED]]
// CHECK-SAME: "product"
// CHECK-NEXT: nn.transpose %[[Y]] {nn.origin = [#nn.origin<0, "scaled">], perm = array<i64: 1, 0>}
// CHECK-NEXT: nn.matmul
// CHECK: nn.transpose %arg2
// CHECK-NEXT: nn.mul
// CHECK-NEXT: nn.matmul
func.func @scaled(%x: tensor<4x8xf32>, %w: tensor<4x4xf32>, %y: tensor<4x8xf32>, %z: tensor<4xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %two = nn.constant dense<2.0> : tensor<f32>
  %0 = nn.transpose %x {perm = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %1 = nn.mul %two, %0 : (tensor<f32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  %2 = nn.abs %1 {nn.origin = [#nn.origin<0, "scaled">]} : (tensor<8x4xf32>) -> tensor<8x4xf32>
  %3 = nn.matmul %2, %w {nn.origin = [#nn.origin<0, "product">]} : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %4 = nn.transpose %y {perm = array<i64: 1, 0>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %5 = nn.mul %4, %z : (tensor<8x4xf32>, tensor<4xf32>) -> tensor<8x4xf32>
  %6 = nn.matmul %5, %w : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  return %3, %6 : tensor<8x4xf32>, tensor<8x4xf32>
}

// -----

// A softmax along the last dimension, the product that it reads and the product that reads it
// are one group.
// CHECK-LABEL: func.func @attention(
// CHECK: nn.fusion
// CHECK-NEXT: nn.matmul
// CHECK-NEXT: nn.add
// CHECK-NEXT: nn.softmax
// CHECK-NEXT: nn.matmul
// CHECK-NEXT: nn.relu
// CHECK-NEXT: nn.yield
func.func @attention(%q: tensor<2x8x4xf32>, %k: tensor<2x4x6xf32>, %v: tensor<2x6x5xf32>, %m: tensor<6xf32>) -> tensor<2x8x5xf32> {
  %0 = nn.matmul %q, %k : (tensor<2x8x4xf32>, tensor<2x4x6xf32>) -> tensor<2x8x6xf32>
  %1 = nn.add %0, %m : (tensor<2x8x6xf32>, tensor<6xf32>) -> tensor<2x8x6xf32>
  %2 = nn.softmax %1 {axis = 2 : i64} : (tensor<2x8x6xf32>) -> tensor<2x8x6xf32>
  %3 = nn.matmul %2, %v : (tensor<2x8x6xf32>, tensor<2x6x5xf32>) -> tensor<2x8x5xf32>
  %4 = nn.relu %3 : (tensor<2x8x5xf32>) -> tensor<2x8x5xf32>
  return %4 : tensor<2x8x5xf32>
}

// -----

// Not where somebody else needs the scores, where values are computed from them, where
// weights are the rhs, or along another dimension.
// CHECK-LABEL: func.func @apart(
// CHECK-NOT: nn.fusion
// CHECK: return
func.func @apart(%q: tensor<2x8x8xf32>) -> (tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>) {
  %0 = nn.matmul %q, %q : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %1 = nn.softmax %0 {axis = -1 : i64} : (tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %2 = nn.matmul %1, %q : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %3 = nn.matmul %2, %q : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %4 = nn.softmax %3 {axis = -1 : i64} : (tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %5 = nn.matmul %q, %4 : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %6 = nn.matmul %5, %q : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %7 = nn.softmax %6 {axis = 1 : i64} : (tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %8 = nn.matmul %7, %q : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %9 = nn.matmul %8, %q : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %10 = nn.matmul %9, %9 : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %11 = nn.softmax %9 {axis = 2 : i64} : (tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  %12 = nn.matmul %11, %10 : (tensor<2x8x8xf32>, tensor<2x8x8xf32>) -> tensor<2x8x8xf32>
  return %0, %2, %5, %8, %12 : tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>, tensor<2x8x8xf32>
}

// -----

// A product whose result the group of another reads does not take what is computed from that
// group: each would wait for the other.
// CHECK-LABEL: func.func @mutual(
// CHECK: %[[NARROW:.*]] = nn.matmul {{.*}} -> tensor<4x1xf32>
// CHECK: %[[WIDE:.*]]:2 = nn.fusion
// CHECK: nn.matmul
// CHECK-NEXT: nn.add
// CHECK: nn.fusion (%{{.*}} = %[[WIDE]]#0 : {{.*}}, %{{.*}} = %[[NARROW]] :
// CHECK-NEXT: nn.reduce_max
// CHECK-NEXT: nn.mul
// REMARK: remark: [Missed] not-fused {{.*}}nn.mul with nn.matmul: an operand is computed from the group's results by others
func.func @mutual(%x: tensor<4x8xf32>, %w: tensor<8x8xf32>, %v: tensor<8x1xf32>) -> (tensor<4x8xf32>, tensor<4x1xf32>) {
  %wide = nn.matmul %x, %w : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  %narrow = nn.matmul %x, %v : (tensor<4x8xf32>, tensor<8x1xf32>) -> tensor<4x1xf32>
  %0 = nn.add %wide, %narrow : (tensor<4x8xf32>, tensor<4x1xf32>) -> tensor<4x8xf32>
  %1 = nn.reduce_max %wide {axes = array<i64: 1>} : (tensor<4x8xf32>) -> tensor<4x1xf32>
  %2 = nn.mul %narrow, %1 : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  return %0, %2 : tensor<4x8xf32>, tensor<4x1xf32>
}
