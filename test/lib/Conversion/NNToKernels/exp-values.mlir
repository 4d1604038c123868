// RUN: nn-run %s

// e^x up to the largest result, what lies beyond, and values that are no numbers.
func.func @main() {
  %x = check.input dense<[0.0, 1.0, -1.0, 0.34657359, 88.0, 88.5, 88.7228, 88.73,
                          1000.0, -86.5, -90.0, -1000.0, 0x7F800000, 0xFF800000,
                          0x7FC00000, 0x7FC00001, 1.0e-20]> : tensor<17xf32>
  %y = nn.exp %x : (tensor<17xf32>) -> tensor<17xf32>
  %want = check.input dense<[1.0, 2.71828175, 0.36787945, 1.41421354, 1.6516363e+38,
                             2.723088e+38, 3.4026946730843054e+38, 0x7F800000, 0x7F800000,
                             2.7134844e-38, 8.194013e-40, 0.0, 0x7F800000, 0.0, 0x7FC00000,
                             0x7FC00000, 1.0]> : tensor<17xf32>
  check.expect_close %y, %want {rtol = 4.0e-7 : f64, atol = 0.0 : f64} : tensor<17xf32>, tensor<17xf32>
  return
}
