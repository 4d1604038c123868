// The axis is the third operand, also where the second is absent.
// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<1x8x1xf32> {nn.name = "x"}, %w: tensor<4xf32> {nn.name = "w"})
    -> (tensor<1x5x2xf32> {nn.name = "frequencies"}, tensor<1x3x3x2xf32> {nn.name = "frames"}) {
  // CHECK: frequencies = DFT <onesided: int = 1> (x, "", "dft/value")
  %0 = nn.dft %x {axis = 1 : i64, onesided = true} : (tensor<1x8x1xf32>) -> tensor<1x5x2xf32>
  %step = nn.constant dense<2> : tensor<i64>
  // CHECK: frames = STFT (x, constant, w)
  %1 = nn.stft %x step %step window %w : (tensor<1x8x1xf32>, tensor<i64>, tensor<4xf32>) -> tensor<1x3x3x2xf32>
  return %0, %1 : tensor<1x5x2xf32>, tensor<1x3x3x2xf32>
}
