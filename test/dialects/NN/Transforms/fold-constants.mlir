// RUN: nn-opt %s --nn-fold-constants --split-input-file | FileCheck %s
// RUN: nn-opt %s --nn-fold-constants=max-growth-bytes=100000 --split-input-file | FileCheck %s --check-prefix=GROW

// CHECK-LABEL: func.func @chain(
// CHECK: %[[SUM:.*]] = nn.constant dense<[1.100000e+01, 2.200000e+01]> : tensor<2xf32>
// CHECK: nn.mul %{{.*}}, %[[SUM]] {nn.origin = [#nn.origin<0, "product">]}
func.func @chain(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = nn.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %0 = nn.add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %1 = nn.mul %x, %0 {nn.origin = [#nn.origin<0, "product">]} : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----

// Splats stay splats, whatever their size, also where shapes differ.
// CHECK-LABEL: func.func @splats(
// CHECK: %[[ROOT:.*]] = nn.constant dense<2.000000e+00> : tensor<1000x1000xf32>
// CHECK: return %[[ROOT]]
func.func @splats() -> tensor<1000x1000xf32> {
  %a = nn.constant dense<3.0> : tensor<1000x1000xf32>
  %b = nn.constant dense<1.0> : tensor<f32>
  %0 = nn.add %a, %b : (tensor<1000x1000xf32>, tensor<f32>) -> tensor<1000x1000xf32>
  %1 = nn.sqrt %0 : (tensor<1000x1000xf32>) -> tensor<1000x1000xf32>
  return %1 : tensor<1000x1000xf32>
}

// -----

// A result that would make the file larger is computed at run time.
// CHECK-LABEL: func.func @grows(
// CHECK: nn.tile
// GROW-LABEL: func.func @grows(
// GROW-NOT: nn.tile
func.func @grows() -> tensor<20000xf32> {
  %a = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %n = nn.constant dense<10000> : tensor<1xi64>
  %0 = nn.tile %a, %n : (tensor<2xf32>, tensor<1xi64>) -> tensor<20000xf32>
  return %0 : tensor<20000xf32>
}

// -----

// Half weights are widened once, however large they are.
// CHECK-LABEL: func.func @widens(
// CHECK-NOT: nn.cast
// Operators with an operand that is not constant, or a result of unknown shape, stay.
// CHECK-LABEL: func.func @argument(
// CHECK: nn.add
func.func @widens() -> tensor<2xf32> {
  %a = nn.constant dense<[1.0, 2.0]> : tensor<2xf16>
  %0 = nn.cast %a {to = f32} : (tensor<2xf16>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func @argument(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = nn.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = nn.add %a, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
