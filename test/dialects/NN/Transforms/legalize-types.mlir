// RUN: nn-opt %s --nn-legalize-types | FileCheck %s
// RUN: nn-opt %s --nn-legalize-types=storage=bf16 | FileCheck %s --check-prefix=BF16

// CHECK-LABEL: func @f16
// CHECK-SAME: (%[[X:.*]]: tensor<2xf16>) -> tensor<2xf16>
// BF16-LABEL: func @f16
// BF16: nn.relu {{.*}} : (tensor<2xf16>) -> tensor<2xf16>
func.func @f16(%x: tensor<2xf16>) -> tensor<2xf16> {
  // CHECK: %[[WIDE:.*]] = nn.cast %[[X]] {to = f32}
  // CHECK: %[[C:.*]] = nn.cast %{{.*}} {to = f32} : (tensor<2xf16>) -> tensor<2xf32>
  // CHECK: %[[SUM:.*]] = nn.add %[[WIDE]], %[[C]] : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  // CHECK: %[[RELU:.*]] = nn.relu %[[SUM]] {nn.origin = [#nn.origin<0, "y">]}
  // CHECK: %[[RESULT:.*]] = nn.cast %[[RELU]] {nn.origin = [#nn.origin<0, "y">], to = f16}
  // CHECK: return %[[RESULT]]
  %c = nn.constant dense<[1.0, 2.0]> : tensor<2xf16>
  %0 = nn.add %x, %c : (tensor<2xf16>, tensor<2xf16>) -> tensor<2xf16>
  %1 = nn.relu %0 {nn.origin = [#nn.origin<0, "y">]} : (tensor<2xf16>) -> tensor<2xf16>
  return %1 : tensor<2xf16>
}

// Rounding in the model itself stays; small integers are exact anyway.
// CHECK-LABEL: func @casts
// CHECK-SAME: (%[[X:.*]]: tensor<2xf32>, %[[I:.*]]: tensor<2xi8>)
// CHECK: %[[NARROW:.*]] = nn.cast %[[X]] {nn.origin = [#nn.origin<0, "narrow">], to = bf16}
// CHECK: %[[WIDE:.*]] = nn.cast %[[NARROW]] {nn.origin = [#nn.origin<0, "narrow">], to = f32}
// CHECK: %[[EXACT:.*]] = nn.cast %[[I]] {to = f32} : (tensor<2xi8>) -> tensor<2xf32>
// CHECK: nn.add %[[WIDE]], %[[EXACT]] : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
func.func @casts(%x: tensor<2xf32>, %i: tensor<2xi8>) -> tensor<2xf32> {
  %0 = nn.cast %x {nn.origin = [#nn.origin<0, "narrow">], to = bf16} : (tensor<2xf32>) -> tensor<2xbf16>
  %1 = nn.cast %i {to = bf16} : (tensor<2xi8>) -> tensor<2xbf16>
  %2 = nn.add %0, %1 : (tensor<2xbf16>, tensor<2xbf16>) -> tensor<2xbf16>
  %3 = nn.cast %2 {to = f32} : (tensor<2xbf16>) -> tensor<2xf32>
  return %3 : tensor<2xf32>
}

// A bitcast reads and gives the bits of the narrow numbers.
// CHECK-LABEL: func @bits
// CHECK-SAME: (%[[X:.*]]: tensor<2xf16>)
// CHECK: %[[WIDE:.*]] = nn.cast %[[X]] {to = f32}
// CHECK: %[[NARROW:.*]] = nn.cast %[[WIDE]] {to = f16}
// CHECK: %[[BITS:.*]] = nn.bitcast %[[NARROW]] {nn.origin = [#nn.origin<0, "b">]{{.*}}} : (tensor<2xf16>) -> tensor<2xbf16>
// CHECK: %[[READ:.*]] = nn.cast %[[BITS]] {nn.origin = [#nn.origin<0, "b">], to = f32}
// CHECK: nn.relu %[[READ]]
func.func @bits(%x: tensor<2xf16>) -> tensor<2xbf16> {
  %0 = nn.bitcast %x {nn.origin = [#nn.origin<0, "b">], to = bf16} : (tensor<2xf16>) -> tensor<2xbf16>
  %1 = nn.relu %0 : (tensor<2xbf16>) -> tensor<2xbf16>
  return %1 : tensor<2xbf16>
}

// What is only moved stays narrow.
// CHECK-LABEL: func @moves
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf16>)
// CHECK: %[[T:.*]] = nn.transpose %[[X]] {nn.origin = [#nn.origin<0, "t">], perm = array<i64: 1, 0>} : (tensor<2x3xf16>) -> tensor<3x2xf16>
// CHECK: %[[U:.*]] = nn.unsqueeze %[[T]]
// CHECK: return %[[U]]
func.func @moves(%x: tensor<2x3xf16>) -> tensor<1x3x2xf16> {
  %0 = nn.transpose %x {nn.origin = [#nn.origin<0, "t">], perm = array<i64: 1, 0>} : (tensor<2x3xf16>) -> tensor<3x2xf16>
  %1 = nn.unsqueeze %0 {axes = array<i64: 0>, nn.origin = [#nn.origin<0, "u">]} : (tensor<3x2xf16>) -> tensor<1x3x2xf16>
  return %1 : tensor<1x3x2xf16>
}
