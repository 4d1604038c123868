// RUN: nn-opt %s --nn-store-small-types | FileCheck %s

// CHECK-LABEL: @casts
// CHECK-SAME: %[[X:.*]]: tensor<4xui8> {nn.stored_type = f8E5M2}
// CHECK-SAME: -> (tensor<4xi8> {nn.name = "y", nn.stored_type = i4})
func.func @casts(%x: tensor<4xf8E5M2>) -> (tensor<4xi4> {nn.name = "y"}) {
  // CHECK: %[[F:.*]] = nn.decode_float %[[X]] {format = f8E5M2} : (tensor<4xui8>) -> tensor<4xf32>
  // CHECK: %[[I:.*]] = nn.cast %[[F]] {to = i8} : (tensor<4xf32>) -> tensor<4xi8>
  // CHECK: %[[FOUR:.*]] = nn.constant dense<4> : tensor<i8>
  // CHECK: %[[HIGH:.*]] = nn.bit_shift %[[I]], %[[FOUR]] : (tensor<4xi8>, tensor<i8>) -> tensor<4xi8>
  // CHECK: %[[LOW:.*]] = nn.bit_shift %[[HIGH]], %[[FOUR]] {left = false
  // CHECK: return %[[LOW]] : tensor<4xi8>
  %0 = nn.cast %x {to = i4} : (tensor<4xf8E5M2>) -> tensor<4xi4>
  return %0 : tensor<4xi4>
}

// The attributes of the cast are kept, and so is the origin of its result.
// CHECK-LABEL: @floats
func.func @floats(%x: tensor<4xi32>) -> (tensor<4xf8E4M3FN>, tensor<4xf8E8M0FNU>) {
  // CHECK: %[[F:.*]] = nn.cast %{{.*}} {to = f32} : (tensor<4xi32>) -> tensor<4xf32>
  // CHECK: nn.encode_float %[[F]] {format = f8E4M3FN, nn.origin = [#nn.origin<0, "q">], saturate = false} : (tensor<4xf32>) -> tensor<4xui8>
  %0 = nn.cast %x {to = f8E4M3FN, saturate = false, nn.origin = [#nn.origin<0, "q">]} : (tensor<4xi32>) -> tensor<4xf8E4M3FN>
  // CHECK: nn.encode_float %{{.*}} {format = f8E8M0FNU, round_mode = "down"}
  %1 = nn.cast %x {to = f8E8M0FNU, round_mode = "down"} : (tensor<4xi32>) -> tensor<4xf8E8M0FNU>
  return %0, %1 : tensor<4xf8E4M3FN>, tensor<4xf8E8M0FNU>
}

// Widening small integers takes no work.
// CHECK-LABEL: @widens
// CHECK-NEXT: return %arg0 : tensor<4xi8>
func.func @widens(%x: tensor<4xi4>) -> tensor<4xi8> {
  %0 = nn.cast %x {to = i8} : (tensor<4xi4>) -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// Operators that move elements move bytes.
// CHECK-LABEL: @movement
func.func @movement(%x: tensor<2x3xui4>, %shape: tensor<2xi64>) -> (tensor<4x3xui4>, tensor<?x?xf4E2M1FN>) {
  // CHECK: nn.constant dense<{{\[\[}}1, 15, 0], [7, 8, 9]]> : tensor<2x3xui8>
  %c = nn.constant dense<[[1, 15, 0], [7, 8, 9]]> : tensor<2x3xui4>
  // CHECK: nn.concat {{.*}} (tensor<2x3xui8>, tensor<2x3xui8>) -> tensor<4x3xui8>
  %0 = nn.concat %x, %c {axis = 0} : (tensor<2x3xui4>, tensor<2x3xui4>) -> tensor<4x3xui4>
  // CHECK: nn.constant_of_shape %{{.*}} {value = dense<13> : tensor<1xui8>}
  %1 = nn.constant_of_shape %shape {value = dense<-3.0> : tensor<1xf4E2M1FN>} : (tensor<2xi64>) -> tensor<?x?xf4E2M1FN>
  return %0, %1 : tensor<4x3xui4>, tensor<?x?xf4E2M1FN>
}

// CHECK-LABEL: @regions
func.func @regions(%condition: i1, %x: tensor<4xi2>) -> tensor<4xi2> {
  // CHECK: scf.if %{{.*}} -> (tensor<4xi8>)
  %0 = scf.if %condition -> (tensor<4xi2>) {
    // CHECK: nn.constant dense<-2> : tensor<4xi8>
    %c = nn.constant dense<-2> : tensor<4xi2>
    scf.yield %c : tensor<4xi2>
  } else {
    scf.yield %x : tensor<4xi2>
  }
  return %0 : tensor<4xi2>
}

// The sign fills the byte in one type, and not in the other.
// CHECK-LABEL: @bits
func.func @bits(%x: tensor<4xi4>, %y: tensor<4xf8E5M2>) -> (tensor<4xf4E2M1FN>, tensor<4xi8>) {
  // CHECK: %[[B:.*]] = nn.bitcast %arg0 {to = ui8}
  // CHECK: nn.bitwise_and %[[B]], %{{.*}} : (tensor<4xui8>, tensor<ui8>) -> tensor<4xui8>
  %0 = nn.bitcast %x {to = f4E2M1FN} : (tensor<4xi4>) -> tensor<4xf4E2M1FN>
  // CHECK: nn.bitcast %arg1 {to = i8} : (tensor<4xui8>) -> tensor<4xi8>
  %1 = nn.bitcast %y {to = i8} : (tensor<4xf8E5M2>) -> tensor<4xi8>
  return %0, %1 : tensor<4xf4E2M1FN>, tensor<4xi8>
}
