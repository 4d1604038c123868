// RUN: nn-run %s

// A cast to a narrow type and back rounds, alone and between other operators.
func.func @main() {
  %x = check.input dense<[1.001, 3.14159274, 65519.0, -0.1]> : tensor<4xf32>
  %0 = nn.cast %x {to = bf16} : (tensor<4xf32>) -> tensor<4xbf16>
  %1 = nn.cast %0 {to = f32} : (tensor<4xbf16>) -> tensor<4xf32>
  %want1 = check.input dense<[1.0, 3.140625, 65536.0, -0.10009765625]> : tensor<4xf32>
  check.expect_close %1, %want1 {rtol = 0.0 : f64, atol = 0.0 : f64} : tensor<4xf32>, tensor<4xf32>
  %2 = nn.neg %x : (tensor<4xf32>) -> tensor<4xf32>
  %3 = nn.cast %2 {to = f16} : (tensor<4xf32>) -> tensor<4xf16>
  %4 = nn.cast %3 {to = f32} : (tensor<4xf16>) -> tensor<4xf32>
  %5 = nn.sub %4, %2 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %want5 = check.input dense<[2.34842300e-05, 9.67741013e-04, 15.0, -2.44155526e-05]> : tensor<4xf32>
  check.expect_close %5, %want5 {rtol = 1.0e-6 : f64, atol = 1.0e-9 : f64} : tensor<4xf32>, tensor<4xf32>
  return
}
