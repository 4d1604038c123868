// RUN: nn-opt %s --nn-fold-shapes | FileCheck %s

// The chain that exporters write for x.reshape(x.shape[0], -1).
// CHECK-LABEL: func @shape_chain
func.func @shape_chain(%x: tensor<?x4x?xf32>) -> tensor<?x?xf32> {
  // CHECK-NOT: nn.shape
  // CHECK: %[[SHAPE:.*]] = nn.constant dense<[0, -1]> : tensor<2xi64>
  // CHECK: nn.reshape %{{.*}}, %[[SHAPE]]
  %zero = nn.constant dense<0> : tensor<1xi64>
  %minus_one = nn.constant dense<-1> : tensor<1xi64>
  %s = nn.shape %x : (tensor<?x4x?xf32>) -> tensor<3xi64>
  %n = nn.gather %s, %zero : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %t = nn.concat %n, %minus_one {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %y = nn.reshape %x, %t : (tensor<?x4x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// Sizes that no constant expresses become index arithmetic on the argument.
// CHECK-LABEL: func @expand_by_sizes
// CHECK-SAME: (%[[X:.*]]: tensor<?x3xf32>, %[[Y:.*]]: tensor<1x1xf32>)
func.func @expand_by_sizes(%x: tensor<?x3xf32>, %y: tensor<1x1xf32>) -> tensor<?x3xf32> {
  // CHECK-DAG: %[[DIM:.*]] = tensor.dim %[[X]]
  // CHECK: %[[N:.*]] = arith.index_cast %[[DIM]] : index to i64
  // CHECK: %[[SHAPE:.*]] = tensor.from_elements %[[N]], %{{.*}} : tensor<2xi64>
  // CHECK: nn.expand %[[Y]], %[[SHAPE]]
  %a = nn.relu %x : (tensor<?x3xf32>) -> tensor<?x3xf32>
  %s = nn.shape %a : (tensor<?x3xf32>) -> tensor<2xi64>
  %e = nn.expand %y, %s : (tensor<1x1xf32>, tensor<2xi64>) -> tensor<?x3xf32>
  return %e : tensor<?x3xf32>
}

// CHECK-LABEL: func @expand_to_same
// CHECK-NEXT: return %arg0
func.func @expand_to_same(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %s = nn.shape %x : (tensor<?x3xf32>) -> tensor<2xi64>
  %e = nn.expand %x, %s : (tensor<?x3xf32>, tensor<2xi64>) -> tensor<?x3xf32>
  return %e : tensor<?x3xf32>
}

// CHECK-LABEL: func @flatten_and_back
// CHECK-NEXT: %[[Y:.*]] = nn.relu %arg0
// CHECK-NEXT: return %[[Y]]
func.func @flatten_and_back(%x: tensor<?x4x1x1xf32>) -> tensor<?x4x1x1xf32> {
  %f = nn.flatten %x : (tensor<?x4x1x1xf32>) -> tensor<?x4xf32>
  %u = nn.unsqueeze %f {axes = array<i64: 2, 3>} : (tensor<?x4xf32>) -> tensor<?x4x1x1xf32>
  %y = nn.relu %u : (tensor<?x4x1x1xf32>) -> tensor<?x4x1x1xf32>
  return %y : tensor<?x4x1x1xf32>
}

// A dimension that may not be 1 keeps its squeeze.
// CHECK-LABEL: func @unproven_squeeze
// CHECK: nn.squeeze
func.func @unproven_squeeze(%x: tensor<2x?x4xf32>) -> tensor<8xf32> {
  %shape = nn.constant dense<8> : tensor<1xi64>
  %s = nn.squeeze %x {axes = array<i64: 1>} : (tensor<2x?x4xf32>) -> tensor<2x4xf32>
  %r = nn.reshape %s, %shape : (tensor<2x4xf32>, tensor<1xi64>) -> tensor<8xf32>
  return %r : tensor<8xf32>
}

// CHECK-LABEL: func @resize_to_double
// CHECK: %[[SCALES:.*]] = nn.constant dense<[1.000000e+00, 1.000000e+00, 2.000000e+00, 2.000000e+00]> : tensor<4xf32>
// CHECK: nn.resize %arg0 scales %[[SCALES]]
func.func @resize_to_double(%x: tensor<1x3x?x?xf32>) -> tensor<1x3x?x?xf32> {
  %twice = nn.constant dense<[1, 1, 2, 2]> : tensor<4xi64>
  %s = nn.shape %x : (tensor<1x3x?x?xf32>) -> tensor<4xi64>
  %t = nn.mul %s, %twice : (tensor<4xi64>, tensor<4xi64>) -> tensor<4xi64>
  %y = nn.resize %x sizes %t : (tensor<1x3x?x?xf32>, tensor<4xi64>) -> tensor<1x3x?x?xf32>
  return %y : tensor<1x3x?x?xf32>
}

// -----

// Numbers of a type: true is 1, what overflows wraps or is left to the run.
// CHECK-LABEL: func @ranges
// CHECK-DAG: %[[ONES:.*]] = nn.constant dense<1> : tensor<2xi64>
// CHECK-DAG: %[[LOW:.*]] = nn.constant dense<-2147483648> : tensor<1xi64>
// CHECK: %[[SUM:.*]] = nn.add %arg0
// CHECK: %[[ELEMENT:.*]] = tensor.extract %[[SUM]]
// CHECK: %[[INDEX:.*]] = arith.index_cast %[[ELEMENT]] : i32 to index
// CHECK: %[[NUMBER:.*]] = arith.index_cast %[[INDEX]] : index to i64
// CHECK: %[[WIDE:.*]] = tensor.from_elements %[[NUMBER]]
// CHECK: return %[[ONES]], %[[LOW]], %[[WIDE]]
func.func @ranges(%x: tensor<1xi32>) -> (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>) {
  %true = nn.constant dense<true> : tensor<2xi1>
  %0 = nn.cast %true {to = i64} : (tensor<2xi1>) -> tensor<2xi64>
  %one = nn.constant dense<1> : tensor<1xi32>
  %last = nn.constant dense<2147483647> : tensor<1xi32>
  %1 = nn.add %last, %one : (tensor<1xi32>, tensor<1xi32>) -> tensor<1xi32>
  %2 = nn.cast %1 {to = i64} : (tensor<1xi32>) -> tensor<1xi64>
  %3 = nn.add %x, %one : (tensor<1xi32>, tensor<1xi32>) -> tensor<1xi32>
  %4 = nn.cast %3 {to = i64} : (tensor<1xi32>) -> tensor<1xi64>
  return %0, %2, %4 : tensor<2xi64>, tensor<1xi64>, tensor<1xi64>
}

// -----

// Sizes in 32 bits stay sizes.
// CHECK-LABEL: func @sizes_in_32_bits
// CHECK-NOT: nn.cast
// CHECK: nn.resize %arg0 scales
func.func @sizes_in_32_bits(%x: tensor<1x3x?x?xf32>) -> tensor<1x3x?x?xf32> {
  %two = nn.constant dense<2> : tensor<i32>
  %s = nn.shape %x {start = 2 : i64} : (tensor<1x3x?x?xf32>) -> tensor<2xi64>
  %0 = nn.cast %s {to = i32} : (tensor<2xi64>) -> tensor<2xi32>
  %1 = nn.mul %0, %two : (tensor<2xi32>, tensor<i32>) -> tensor<2xi32>
  %2 = nn.cast %1 {to = i64} : (tensor<2xi32>) -> tensor<2xi64>
  %3 = nn.resize %x sizes %2 {axes = array<i64: 2, 3>, mode = "nearest"} : (tensor<1x3x?x?xf32>, tensor<2xi64>) -> tensor<1x3x?x?xf32>
  return %3 : tensor<1x3x?x?xf32>
}

// -----

// Pads as PyTorch exports them: pairs from the last dimension on, of what is missing to a
// multiple, turned round. The padded sizes are known to be at least those before.
// CHECK-LABEL: func @pads_to_multiple
// CHECK-NOT: nn.mod
// CHECK-NOT: nn.slice
// CHECK-NOT: nn.transpose
// CHECK: %[[ROWS:.*]] = tensor.dim %arg0, %c2
// CHECK: arith.remsi
// CHECK: %[[MISSING:.*]] = arith.index_cast
// CHECK: %[[PADS:.*]] = tensor.from_elements %c0_i64, %c0_i64{{.*}}, %c0_i64{{.*}}, %c0_i64{{.*}}, %c0_i64{{.*}}, %c0_i64{{.*}}, %[[MISSING]], %c0_i64
// CHECK: nn.pad %arg0, %[[PADS]] {{.*}} -> tensor<1x3x?x9xf32>
func.func @pads_to_multiple(%x: tensor<1x3x?x9xf32>) -> tensor<1x3x?x9xf32> {
  %two = nn.constant dense<2> : tensor<i64>
  %seven = nn.constant dense<7> : tensor<1xi64>
  %none = nn.constant dense<0> : tensor<2xi64>
  %rest = nn.constant dense<0> : tensor<4xi64>
  %pairs = nn.constant dense<[-1, 2]> : tensor<2xi64>
  %all = nn.constant dense<-1> : tensor<1xi64>
  %begin = nn.constant dense<-9223372036854775807> : tensor<1xi64>
  %s = nn.shape %x {start = 2 : i64, end = 3 : i64} : (tensor<1x3x?x9xf32>) -> tensor<1xi64>
  %over = nn.mod %s, %seven : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %short = nn.sub %seven, %over : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %missing = nn.mod %short, %seven : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %zero = nn.constant dense<0> : tensor<1xi64>
  %list = nn.concat %none, %zero, %missing, %rest {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>, tensor<4xi64>) -> tensor<8xi64>
  %0 = nn.reshape %list, %pairs : (tensor<8xi64>, tensor<2xi64>) -> tensor<4x2xi64>
  %1 = nn.slice %0, %all, %begin {axes = array<i64: 0>, steps = array<i64: -1>} : (tensor<4x2xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4x2xi64>
  %2 = nn.transpose %1 {perm = array<i64: 1, 0>} : (tensor<4x2xi64>) -> tensor<2x4xi64>
  %3 = nn.reshape %2, %all : (tensor<2x4xi64>, tensor<1xi64>) -> tensor<8xi64>
  %4 = nn.pad %x, %3 : (tensor<1x3x?x9xf32>, tensor<8xi64>) -> tensor<1x3x?x9xf32>
  return %4 : tensor<1x3x?x9xf32>
}

// -----

// Elements of more dimensions: in row-major order, joined and broadcast only where that is
// their order.
// CHECK-LABEL: func @dimensions
// CHECK-DAG: %[[JOINED:.*]] = nn.constant dense<{{\[\[}}1, 2], [3, 4], [5, 6]]> : tensor<3x2xi64>
// CHECK-DAG: %[[CUT:.*]] = nn.constant dense<{{\[\[}}2], [4]]> : tensor<2x1xi64>
// CHECK-DAG: %[[TURNED:.*]] = nn.constant dense<{{\[\[\[}}1], [3]], {{\[\[}}2], [4]]]> : tensor<2x2x1xi64>
// CHECK: %[[BESIDE:.*]] = nn.concat
// CHECK: %[[TABLE:.*]] = nn.add
// CHECK: return %[[JOINED]], %[[CUT]], %[[TURNED]], %[[BESIDE]], %[[TABLE]]
func.func @dimensions() -> (tensor<3x2xi64>, tensor<2x1xi64>, tensor<2x2x1xi64>, tensor<2x3xi64>, tensor<2x2xi64>) {
  %a = nn.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi64>
  %b = nn.constant dense<[[5, 6]]> : tensor<1x2xi64>
  %one = nn.constant dense<1> : tensor<1xi64>
  %nine = nn.constant dense<9> : tensor<1xi64>
  %0 = nn.concat %a, %b {axis = 0 : i64} : (tensor<2x2xi64>, tensor<1x2xi64>) -> tensor<3x2xi64>
  %1 = nn.slice %a, %one, %nine {axes = array<i64: 1>, steps = array<i64: 1>} : (tensor<2x2xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2x1xi64>
  %2 = nn.unsqueeze %a {axes = array<i64: 2>} : (tensor<2x2xi64>) -> tensor<2x2x1xi64>
  %3 = nn.transpose %2 {perm = array<i64: 1, 0, 2>} : (tensor<2x2x1xi64>) -> tensor<2x2x1xi64>
  %4 = nn.concat %a, %1 {axis = 1 : i64} : (tensor<2x2xi64>, tensor<2x1xi64>) -> tensor<2x3xi64>
  %c = nn.constant dense<[1, 2]> : tensor<2xi64>
  %5 = nn.add %1, %c : (tensor<2x1xi64>, tensor<2xi64>) -> tensor<2x2xi64>
  return %0, %1, %3, %4, %5 : tensor<3x2xi64>, tensor<2x1xi64>, tensor<2x2x1xi64>, tensor<2x3xi64>, tensor<2x2xi64>
}

// -----

// Elements of a matrix that is data.
// CHECK-LABEL: func @elements_of_matrix
// CHECK: %[[ELEMENT:.*]] = tensor.extract %arg0[%c1{{.*}}, %c0{{.*}}] : tensor<2x2xi64>
// CHECK: arith.index_cast %[[ELEMENT]]
// CHECK-NOT: nn.slice
// CHECK: nn.reshape
func.func @elements_of_matrix(%m: tensor<2x2xi64>, %x: tensor<?x8xf32>) -> tensor<?x?xf32> {
  %one = nn.constant dense<1> : tensor<1xi64>
  %zero = nn.constant dense<0> : tensor<1xi64>
  %two = nn.constant dense<2> : tensor<1xi64>
  %all = nn.constant dense<-1> : tensor<1xi64>
  %0 = nn.slice %m, %one, %two {axes = array<i64: 0>, steps = array<i64: 1>} : (tensor<2x2xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x2xi64>
  %1 = nn.slice %0, %zero, %one {axes = array<i64: 1>, steps = array<i64: 1>} : (tensor<1x2xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x1xi64>
  %2 = nn.squeeze %1 {axes = array<i64: 0>} : (tensor<1x1xi64>) -> tensor<1xi64>
  %3 = nn.concat %2, %all {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %4 = nn.reshape %x, %3 : (tensor<?x8xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %4 : tensor<?x?xf32>
}

// -----

// No elements, chosen by one condition.
// CHECK-LABEL: func @nothing_to_choose
// CHECK: return
func.func @nothing_to_choose(%x: tensor<2x0xi64>) -> tensor<2x0xi64> {
  %true = nn.constant dense<true> : tensor<1x1xi1>
  %zero = nn.constant dense<0> : tensor<i64>
  %0 = nn.where %true, %x, %zero : (tensor<1x1xi1>, tensor<2x0xi64>, tensor<i64>) -> tensor<2x0xi64>
  return %0 : tensor<2x0xi64>
}
