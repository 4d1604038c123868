// Operators by name, attributes only where they are not ONNX's defaults, and operands that
// are absent.
// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<2x3xf32> {nn.name = "x"}, %y: tensor<3xf32> {nn.name = "y"},
                %n: tensor<2x3xui8> {nn.name = "n"})
    -> (tensor<2x3xf32> {nn.name = "elu"}, tensor<2x3xf32> {nn.name = "leaky"},
        tensor<2x3xf32> {nn.name = "clip"}, tensor<2x3xi1> {nn.name = "inf"},
        tensor<2x3xui8> {nn.name = "shift"}, tensor<2x3xf16> {nn.name = "cast"},
        tensor<2x3xf32> {nn.name = "mod"}, tensor<2x3xf32> {nn.name = "where"},
        tensor<2x3xf32> {nn.name = "decoded"}, tensor<2x3xui8> {nn.name = "encoded"}) {
  // CHECK: elu = Elu <alpha: float = 2> (x)
  %0 = nn.elu %x {alpha = 2.0 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: leaky = LeakyRelu (x)
  %1 = nn.leaky_relu %x {alpha = 0.01 : f32} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %max = nn.constant dense<6.0> : tensor<f32>
  // CHECK: clip = Clip (x, "", constant)
  %2 = nn.clip %x max %max : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  // CHECK: inf = IsInf <detect_negative: int = 0> (x)
  %3 = nn.isinf %x {detect_negative = false} : (tensor<2x3xf32>) -> tensor<2x3xi1>
  // CHECK: shift = BitShift <direction: string = "RIGHT"> (n, n)
  %4 = nn.bit_shift %n, %n {left = false} : (tensor<2x3xui8>, tensor<2x3xui8>) -> tensor<2x3xui8>
  // CHECK: cast = Cast <to: int = 10> (x)
  %5 = nn.cast %x {to = f16} : (tensor<2x3xf32>) -> tensor<2x3xf16>
  // CHECK: mod = Mod <fmod: int = 1> (x, y)
  %6 = nn.mod %x, %y {fmod = true} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: where = Where (inf, x, y)
  %7 = nn.where %3, %x, %y : (tensor<2x3xi1>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // Numbers of 8-bit floats are looked up.
  // CHECK: ] [[PLACES:.*]] = Cast <to: int = 6> (n)
  // CHECK: decoded = Gather ("decode_float/value", [[PLACES]])
  %8 = nn.decode_float %n {format = f8E4M3FN} : (tensor<2x3xui8>) -> tensor<2x3xf32>
  // CHECK: ] [[SMALL:.*]] = Cast <to: int = 19> (x)
  // CHECK: encoded = BitCast <to: int = 2> ([[SMALL]])
  %9 = nn.encode_float %x {format = f8E5M2} : (tensor<2x3xf32>) -> tensor<2x3xui8>
  return %0, %1, %2, %3, %4, %5, %6, %7, %8, %9 : tensor<2x3xf32>, tensor<2x3xf32>,
      tensor<2x3xf32>, tensor<2x3xi1>, tensor<2x3xui8>, tensor<2x3xf16>, tensor<2x3xf32>,
      tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xui8>
}
