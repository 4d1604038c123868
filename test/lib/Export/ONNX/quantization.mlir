// Quantized tensors are written as QuantizeLinear and DequantizeLinear. The axis is written
// where there is one, the type where no zero point says it.
// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<2x4xf32> {nn.name = "x"}, %s: tensor<f32> {nn.name = "s"},
                %z: tensor<ui8> {nn.name = "z"}, %c: tensor<2xf32> {nn.name = "c"},
                %b: tensor<2x2xf32> {nn.name = "b"})
    -> (tensor<2x4xui8> {nn.name = "tensor"}, tensor<2x4xi8> {nn.name = "rows"},
        tensor<2x4xf32> {nn.name = "real"}, tensor<2x4xf32> {nn.name = "blocked"}) {
  // CHECK: tensor = QuantizeLinear (x, s, z)
  %0 = nn.quantize %x, %s, %z {to = ui8} : (tensor<2x4xf32>, tensor<f32>, tensor<ui8>) -> tensor<2x4xui8>
  // CHECK: rows = QuantizeLinear <axis: int = 0, output_dtype: int = 3> (x, c)
  %1 = nn.quantize %x, %c {to = i8, axis = 0 : i64} : (tensor<2x4xf32>, tensor<2xf32>) -> tensor<2x4xi8>
  // CHECK: real = DequantizeLinear (tensor, s, z)
  %2 = nn.dequantize %0, %s, %z : (tensor<2x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<2x4xf32>
  // CHECK: blocked = DequantizeLinear <block_size: int = 2> (rows, b)
  %3 = nn.dequantize %1, %b {block_size = 2 : i64} : (tensor<2x4xi8>, tensor<2x2xf32>) -> tensor<2x4xf32>
  return %0, %1, %2, %3 : tensor<2x4xui8>, tensor<2x4xi8>, tensor<2x4xf32>, tensor<2x4xf32>
}
