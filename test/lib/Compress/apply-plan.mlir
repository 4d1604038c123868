// RUN: nn-opt %s --nn-apply-plan=plan=%S/Inputs/plan.json --split-input-file | FileCheck %s --check-prefixes=CHECK,TABLE,SCALES,STORED,EQUAL
// RUN: nn-opt %s --nn-apply-plan=plan=%S/Inputs/plan.json --split-input-file --remarks-filter=nn-apply-plan --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK

// The input is quantized for both of its users. 0 is a number of each range: -1 ... 1.55
// has the step 0.01 and the zero point 100.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<1x2x4x4xf32>
// CHECK-DAG: %[[SX:.*]] = nn.constant dense<0.00999999977> : tensor<f32>
// CHECK-DAG: %[[ZX:.*]] = nn.constant dense<100> : tensor<ui8>
// CHECK: %[[QX:.*]] = nn.quantize %[[X]], %[[SX]], %[[ZX]] {to = ui8}
// CHECK: %[[DX:.*]] = nn.dequantize %[[QX]], %[[SX]], %[[ZX]]
//
// Weights have a scale for each channel of the result: 127 and 254 by their largest.
// CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[\[\[127\]\], \[\[0\]\]\], \[\[\[64\]\], \[\[-127\]\]\]\]}}> : tensor<2x2x1x1xi8>
// CHECK-DAG: %[[SW:.*]] = nn.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: %[[DW:.*]] = nn.dequantize %[[W]], %[[SW]] {axis = 0 : i64}
//
// 127 of the second channel's weight became 128, which adds 0.5 to it on the average: the
// bias of 0.1 becomes -0.4, and -20 in the scale of the sums.
// CHECK-DAG: %[[B:.*]] = nn.constant dense<[0, -20]> : tensor<2xi32>
// CHECK-DAG: %[[SB:.*]] = nn.constant dense<[0.00999999977, 2.000000e-02]> : tensor<2xf32>
// CHECK: %[[DB:.*]] = nn.dequantize %[[B]], %[[SB]] {axis = 0 : i64}
// CHECK: %[[HIDDEN:.*]] = nn.conv %[[DX]], %[[DW]], %[[DB]]
//
// Quantized behind the activation, for the second product.
// CHECK: %[[ACTIVE:.*]] = nn.relu %[[HIDDEN]]
// CHECK: nn.quantize %[[ACTIVE]],
// CHECK: %[[DACTIVE:.*]] = nn.dequantize
// CHECK: nn.conv %[[DACTIVE]],
// CHECK: nn.add %{{.*}}, %[[DX]]
//
// Weights only.
// CHECK: %[[LAST:.*]] = nn.dequantize %{{.*}} {axis = 0 : i64} : (tensor<1x2x1x1xi8>
// CHECK: nn.conv %{{.*}}, %[[LAST]]
// CHECK-NOT: nn.quantize

// REMARK: 'blind' is not quantized: the plan has no range of its input 'z'
// REMARK: the model has no product or lookup 'absent' with constant weights
func.func @main(%x: tensor<1x2x4x4xf32> {nn.name = "x"}) -> (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) {
  %w = nn.constant dense<[[[[127.0]], [[0.0]]], [[[127.0]], [[-254.0]]]]> : tensor<2x2x1x1xf32>
  %b = nn.constant dense<[0.0, 0.1]> : tensor<2xf32>
  %0 = nn.conv %x, %w, %b {nn.origin = [#nn.origin<0, "hidden">]} : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  %1 = nn.relu %0 {nn.origin = [#nn.origin<0, "active">]} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %2 = nn.conv %1, %w {nn.origin = [#nn.origin<0, "sum">]} : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %3 = nn.add %2, %x {nn.origin = [#nn.origin<0, "z">]} : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %w1 = nn.constant dense<[[[[1.0]], [[2.0]]]]> : tensor<1x2x1x1xf32>
  %4 = nn.conv %3, %w1 {nn.origin = [#nn.origin<0, "last">]} : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x4x4xf32>
  %5 = nn.conv %3, %w1 {nn.origin = [#nn.origin<0, "blind">]} : (tensor<1x2x4x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x4x4xf32>
  return %4, %5 : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
}

// -----

// Rows of a table have a scale each. 508 are 127 steps of 4.
// TABLE-LABEL: func.func @main(
// TABLE-SAME: %[[IDS:[a-z0-9]*]]: tensor<?xi64>
// TABLE-DAG: %[[ROWS:.*]] = nn.constant dense<127> : tensor<64x64xi8>
// TABLE-DAG: %[[SCALES:.*]] = nn.constant dense<4.000000e+00> : tensor<64x1xf32>
// TABLE-DAG: %[[ROW:.*]] = nn.gather %[[ROWS]], %[[IDS]]
// TABLE-DAG: %[[FLOAT:.*]] = nn.cast %[[ROW]] {to = f32}
// TABLE-DAG: %[[SCALE:.*]] = nn.gather %[[SCALES]], %[[IDS]]
// TABLE: %[[RESULT:.*]] = nn.mul %[[FLOAT]], %[[SCALE]] {nn.origin = [#nn.origin<0, "rows">]}
// TABLE: return %[[RESULT]]
func.func @main(%ids: tensor<?xi64> {nn.name = "ids"}) -> tensor<?x64xf32> {
  %table = nn.constant dense<508.0> : tensor<64x64xf32>
  %0 = nn.gather %table, %ids {nn.origin = [#nn.origin<0, "rows">]} : (tensor<64x64xf32>, tensor<?xi64>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// The second channel of the input is divided by 4, its weights are multiplied with it.
// SCALES-LABEL: func.func @main(
// SCALES-SAME: %[[X:[a-z0-9]*]]: tensor<2x2xf32>
// SCALES: %[[FACTORS:.*]] = nn.constant dense<[1.000000e+00, 2.500000e-01]> : tensor<2xf32>
// SCALES: %[[SCALED:.*]] = nn.mul %[[X]], %[[FACTORS]] {nn.origin = [#nn.origin<0, "rows_in.scaled">]}
// SCALES: %[[Q:.*]] = nn.quantize %[[SCALED]],
// SCALES: %[[D:.*]] = nn.dequantize %[[Q]],
// SCALES: %[[W:.*]] = nn.constant dense<{{\[\[64\], \[127\]\]}}> : tensor<2x1xi8>
// SCALES: nn.matmul %[[D]],
func.func @main(%x: tensor<2x2xf32> {nn.name = "rows_in"}) -> tensor<2x1xf32> {
  %w = nn.constant dense<[[2.0], [1.0]]> : tensor<2x1xf32>
  %0 = nn.matmul %x, %w {nn.origin = [#nn.origin<0, "product">]} : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  return %0 : tensor<2x1xf32>
}

// -----

// Weights that the model stores in 8 bits, of one scale, stay the integers that they are. They
// are transposed for good.
// STORED-LABEL: func.func @main(
// STORED-DAG: %[[X:.*]] = nn.dequantize %{{.*}} : (tensor<2x2xui8>
// STORED-DAG: %[[W:.*]] = nn.constant dense<{{\[\[10, -128, 2\], \[3, 4, 5\]\]}}> : tensor<2x3xi8>
// STORED-DAG: %[[S:.*]] = nn.constant dense<5.000000e-01> : tensor<3xf32>
// STORED: %[[D:.*]] = nn.dequantize %[[W]], %[[S]] : (tensor<2x3xi8>
// STORED: nn.matmul %[[X]], %[[D]] {nn.origin = [#nn.origin<0, "product">]}
//
// In a product that is computed in float they are left alone, also in blocks of 4 bits.
// STORED: %[[BLOCKS:.*]] = nn.dequantize %{{.*}} {axis = 0 : i64, block_size = 2 : i64} : (tensor<2x2xi4>
// STORED: nn.matmul %{{.*}}, %[[BLOCKS]] {nn.origin = [#nn.origin<0, "last">]}
func.func @main(%x: tensor<2x2xf32> {nn.name = "stored_in"}) -> (tensor<2x3xf32>, tensor<2x2xf32>) {
  %w = nn.constant dense<[[10, 3], [-128, 4], [2, 5]]> : tensor<3x2xi8>
  %s = nn.constant dense<0.5> : tensor<f32>
  %z = nn.constant dense<0> : tensor<i8>
  %0 = nn.dequantize %w, %s, %z : (tensor<3x2xi8>, tensor<f32>, tensor<i8>) -> tensor<3x2xf32>
  %1 = nn.matmul %x, %0 {nn.origin = [#nn.origin<0, "product">], transpose_rhs} : (tensor<2x2xf32>, tensor<3x2xf32>) -> tensor<2x3xf32>
  %2 = nn.sigmoid %x {nn.origin = [#nn.origin<0, "other">]} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %w4 = nn.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi4>
  %s4 = nn.constant dense<[[0.5, 0.25]]> : tensor<1x2xf32>
  %3 = nn.dequantize %w4, %s4 {axis = 0 : i64, block_size = 2 : i64} : (tensor<2x2xi4>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %4 = nn.matmul %2, %3 {nn.origin = [#nn.origin<0, "last">]} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %1, %4 : tensor<2x3xf32>, tensor<2x2xf32>
}

// -----

// The product before divides the channels: its weights and its bias.
// EQUAL-LABEL: func.func @main(
// EQUAL-SAME: %[[X:[a-z0-9]*]]: tensor<1x1x2x2xf32>
// EQUAL-DAG: %[[W:.*]] = nn.constant dense<{{\[\[\[\[2.000000e\+00\]\]\], \[\[\[6.000000e\+00\]\]\]\]}}> : tensor<2x1x1x1xf32>
// EQUAL-DAG: %[[B:.*]] = nn.constant dense<[1.000000e+00, 1.000000e+01]> : tensor<2xf32>
// EQUAL: %[[FIRST:.*]] = nn.conv %[[X]], %[[W]], %[[B]] {nn.origin = [#nn.origin<0, "first">]}
// EQUAL: %[[BETWEEN:.*]] = nn.relu %[[FIRST]] {nn.origin = [#nn.origin<0, "between.scaled">]}
// EQUAL: %[[Q:.*]] = nn.quantize %[[BETWEEN]],
// EQUAL: %[[D:.*]] = nn.dequantize %[[Q]],
// EQUAL-DAG: %[[W1:.*]] = nn.constant dense<{{\[\[\[\[127\]\], \[\[64\]\]\]\]}}> : tensor<1x2x1x1xi8>
// EQUAL: nn.conv %[[D]],
func.func @main(%x: tensor<1x1x2x2xf32> {nn.name = "pixels"}) -> tensor<1x1x2x2xf32> {
  %w = nn.constant dense<[[[[8.0]]], [[[3.0]]]]> : tensor<2x1x1x1xf32>
  %b = nn.constant dense<[4.0, 5.0]> : tensor<2xf32>
  %0 = nn.conv %x, %w, %b {nn.origin = [#nn.origin<0, "first">]} : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  %1 = nn.relu %0 {nn.origin = [#nn.origin<0, "between">]} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %w1 = nn.constant dense<[[[[1.0]], [[4.0]]]]> : tensor<1x2x1x1xf32>
  %2 = nn.conv %1, %w1 {nn.origin = [#nn.origin<0, "second">]} : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x2x2xf32>
  return %2 : tensor<1x1x2x2xf32>
}
