// RUN: nn-opt %s --nn-store-small-types --verify-diagnostics

func.func @quantized(%x: tensor<4xi4>, %scale: tensor<f32>) -> tensor<4xf32> {
  // expected-error @below {{'nn.dequantize' op of 'i4' is left; run nn-decompose-quantization before}}
  %0 = nn.dequantize %x, %scale : (tensor<4xi4>, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
