// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<1x2x4x4xf32> {nn.name = "x"}, %s: tensor<2xf32> {nn.name = "s"},
                %v: tensor<4xf32> {nn.name = "v"})
    -> (tensor<1x2x4x4xf32> {nn.name = "batch"}, tensor<1x2x4x4xf32> {nn.name = "layer"},
        tensor<1x2x4x4xf32> {nn.name = "lrn"}, tensor<1x2x4x4xf32> {nn.name = "soft"}) {
  // CHECK: batch = BatchNormalization <epsilon: float = 0.001> (x, s, s, s, s)
  %0 = nn.batch_norm %x, %s, %s, %s, %s {epsilon = 0.001 : f32} : (tensor<1x2x4x4xf32>,
      tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4x4xf32>
  // CHECK: layer = LayerNormalization (x, v)
  %1 = nn.layer_norm %x, %v : (tensor<1x2x4x4xf32>, tensor<4xf32>) -> tensor<1x2x4x4xf32>
  // CHECK: lrn = LRN <size: int = 3> (x)
  %2 = nn.lrn %x {size = 3 : i64} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  // CHECK: soft = Softmax <axis: int = 1> (x)
  %3 = nn.softmax %x {axis = 1 : i64} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %0, %1, %2, %3 : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>,
      tensor<1x2x4x4xf32>
}
