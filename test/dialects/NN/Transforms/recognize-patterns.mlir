// RUN: nn-opt %s --nn-recognize-patterns --split-input-file | FileCheck %s

// CHECK-LABEL: func @hard_swish
func.func @hard_swish(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: %[[A:.*]] = nn.hard_swish %arg0
  // CHECK: %[[B:.*]] = nn.hard_swish %arg0
  // CHECK: %[[C:.*]] = nn.hard_swish %arg0
  // CHECK: return %[[A]], %[[B]], %[[C]]
  %zero = nn.constant dense<0.0> : tensor<f32>
  %six = nn.constant dense<6.0> : tensor<f32>
  %sixes = nn.constant dense<6.0> : tensor<1xf32>
  %three = nn.constant dense<3.0> : tensor<1xf32>
  %sixth = nn.constant dense<0.16666667> : tensor<f32>
  // x * clip(x + 3, 0, 6) / 6
  %0 = nn.add %x, %three : (tensor<?x4xf32>, tensor<1xf32>) -> tensor<?x4xf32>
  %1 = nn.clip %0 min %zero max %six : (tensor<?x4xf32>, tensor<f32>, tensor<f32>) -> tensor<?x4xf32>
  %2 = nn.mul %x, %1 : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %a = nn.div %2, %sixes : (tensor<?x4xf32>, tensor<1xf32>) -> tensor<?x4xf32>
  // (clip(x + 3, 0, 6) * 1/6) * x
  %3 = nn.mul %1, %sixth : (tensor<?x4xf32>, tensor<f32>) -> tensor<?x4xf32>
  %b = nn.mul %3, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  // x * hard_sigmoid(x)
  %4 = nn.hard_sigmoid %x {alpha = 0.166666701 : f32, beta = 5.0e-1 : f32} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %c = nn.mul %4, %x : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %a, %b, %c : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// With another slope it is not hard swish.
// CHECK-LABEL: func @not_hard_swish
// CHECK-NOT: nn.hard_swish
func.func @not_hard_swish(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nn.hard_sigmoid %x {alpha = 2.0e-1 : f32, beta = 5.0e-1 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  %1 = nn.mul %0, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// CHECK-LABEL: func @hard_sigmoid
// CHECK: nn.hard_sigmoid %arg0 {alpha = 0.166666672 : f32}
func.func @hard_sigmoid(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = nn.constant dense<0.0> : tensor<f32>
  %six = nn.constant dense<6.0> : tensor<f32>
  %three = nn.constant dense<3.0> : tensor<f32>
  %0 = nn.add %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = nn.clip %0 min %zero max %six : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  %2 = nn.div %1, %six : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// CHECK-LABEL: func @swish
// CHECK: nn.swish %arg0 :
// CHECK: nn.swish %arg0 {alpha = 1.702000e+00 : f32}
func.func @swish(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %k = nn.constant dense<1.702> : tensor<f32>
  %0 = nn.sigmoid %x : (tensor<4xf32>) -> tensor<4xf32>
  %1 = nn.mul %x, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %2 = nn.mul %k, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %3 = nn.sigmoid %2 : (tensor<4xf32>) -> tensor<4xf32>
  %4 = nn.mul %3, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1, %4 : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func @gelu
// CHECK: nn.gelu %arg0 :
// CHECK: nn.gelu %arg0 {approximate = "tanh"}
func.func @gelu(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %root2 = nn.constant dense<1.41421354> : tensor<f32>
  %one = nn.constant dense<1.0> : tensor<f32>
  %half = nn.constant dense<0.5> : tensor<f32>
  %cubic = nn.constant dense<0.044715> : tensor<f32>
  %three = nn.constant dense<3.0> : tensor<f32>
  %k = nn.constant dense<0.797884583> : tensor<f32>
  %0 = nn.div %x, %root2 : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = nn.erf %0 : (tensor<4xf32>) -> tensor<4xf32>
  %2 = nn.add %1, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %3 = nn.mul %x, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %4 = nn.mul %3, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %5 = nn.pow %x, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %6 = nn.mul %5, %cubic : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %7 = nn.add %x, %6 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %8 = nn.mul %7, %k : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %9 = nn.tanh %8 : (tensor<4xf32>) -> tensor<4xf32>
  %10 = nn.add %9, %one : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %11 = nn.mul %half, %x : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %12 = nn.mul %11, %10 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %4, %12 : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func @layer_norm
// CHECK: nn.layer_norm %arg0, %arg1, %{{.*}} {epsilon = 9.99999997E-7 : f32}
func.func @layer_norm(%x: tensor<?x?x8xf32>, %scale: tensor<8xf32>) -> tensor<?x?x8xf32> {
  %two = nn.constant dense<2.0> : tensor<f32>
  %epsilon = nn.constant dense<1.0e-6> : tensor<f32>
  %bias = nn.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : tensor<8xf32>
  %mean = nn.reduce_mean %x {axes = array<i64: -1>} : (tensor<?x?x8xf32>) -> tensor<?x?x1xf32>
  %c = nn.sub %x, %mean : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %sq = nn.pow %c, %two : (tensor<?x?x8xf32>, tensor<f32>) -> tensor<?x?x8xf32>
  %var = nn.reduce_mean %sq {axes = array<i64: -1>} : (tensor<?x?x8xf32>) -> tensor<?x?x1xf32>
  %v = nn.add %var, %epsilon : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
  %sd = nn.sqrt %v : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %n = nn.div %c, %sd : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %s = nn.mul %n, %scale : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  %y = nn.add %s, %bias : (tensor<?x?x8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// -----

// Thirds have no exact reciprocal; the square root of -inf is not its power.
// CHECK-LABEL: func @cheaper
// CHECK: nn.pow %arg0
// CHECK: nn.mul {{.*}} -> tensor<4xf32>
// CHECK: nn.div {{.*}} -> tensor<4xf32>
func.func @cheaper(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = nn.constant dense<0.5> : tensor<f32>
  %four = nn.constant dense<4.0> : tensor<f32>
  %three = nn.constant dense<3.0> : tensor<f32>
  %0 = nn.pow %x, %half : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = nn.div %0, %four : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = nn.div %1, %three : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// x * 1e38 overflows; x * 1e38 * 1e-38 does, too.
// CHECK-LABEL: func @huge_factors
// CHECK-NOT: nn.swish
// CHECK: nn.sigmoid
func.func @huge_factors(%x: tensor<4xf32>) -> tensor<4xf32> {
  %large = nn.constant dense<1.0e+38> : tensor<f32>
  %small = nn.constant dense<1.0e-38> : tensor<f32>
  %0 = nn.mul %x, %large : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %1 = nn.mul %0, %small : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %2 = nn.sigmoid %x : (tensor<4xf32>) -> tensor<4xf32>
  %3 = nn.mul %1, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// -----

// CHECK-LABEL: func @global_pool
// CHECK: nn.reduce_mean %arg0 {axes = array<i64: 2, 3>}
func.func @global_pool(%x: tensor<1x8x7x7xf32>) -> tensor<1x8x1x1xf32> {
  %0 = nn.average_pool %x {kernel_shape = array<i64: 7, 7>} : (tensor<1x8x7x7xf32>) -> tensor<1x8x1x1xf32>
  return %0 : tensor<1x8x1x1xf32>
}

// -----

// Attributes are f32: what f64 says to more digits stays.
// CHECK-LABEL: func @f64
// CHECK-NOT: nn.layer_norm
// CHECK-NOT: nn.swish
func.func @f64(%x: tensor<2x8xf64>) -> (tensor<2x8xf64>, tensor<2x8xf64>) {
  %epsilon = nn.constant dense<0.01> : tensor<1xf64>
  %scale = nn.constant dense<2.0> : tensor<8xf64>
  %alpha = nn.constant dense<1.7> : tensor<1xf64>
  %mean = nn.reduce_mean %x {axes = array<i64: 1>, keepdims = true} : (tensor<2x8xf64>) -> tensor<2x1xf64>
  %c = nn.sub %x, %mean : (tensor<2x8xf64>, tensor<2x1xf64>) -> tensor<2x8xf64>
  %s = nn.mul %c, %c : (tensor<2x8xf64>, tensor<2x8xf64>) -> tensor<2x8xf64>
  %v = nn.reduce_mean %s {axes = array<i64: 1>, keepdims = true} : (tensor<2x8xf64>) -> tensor<2x1xf64>
  %e = nn.add %v, %epsilon : (tensor<2x1xf64>, tensor<1xf64>) -> tensor<2x1xf64>
  %r = nn.sqrt %e : (tensor<2x1xf64>) -> tensor<2x1xf64>
  %d = nn.div %c, %r : (tensor<2x8xf64>, tensor<2x1xf64>) -> tensor<2x8xf64>
  %y = nn.mul %d, %scale : (tensor<2x8xf64>, tensor<8xf64>) -> tensor<2x8xf64>
  %a = nn.mul %x, %alpha : (tensor<2x8xf64>, tensor<1xf64>) -> tensor<2x8xf64>
  %g = nn.sigmoid %a : (tensor<2x8xf64>) -> tensor<2x8xf64>
  %z = nn.mul %x, %g : (tensor<2x8xf64>, tensor<2x8xf64>) -> tensor<2x8xf64>
  return %y, %z : tensor<2x8xf64>, tensor<2x8xf64>
}
