// RUN: nn-run %s
// REQUIRES: x86-64-v3

func.func @main() {
  %x = check.input dense<[1.0, -2.5, 3.0e38, 0.125, -0.0]> : tensor<5xbf16> as tensor<?xbf16>
  %0 = nn.neg %x : (tensor<?xbf16>) -> tensor<?xbf16>
  %want = check.input dense<[-1.0, 2.5, -3.0e38, -0.125, 0.0]> : tensor<5xbf16> as tensor<?xbf16>
  check.expect_eq %0, %want : tensor<?xbf16>, tensor<?xbf16>
  return
}
