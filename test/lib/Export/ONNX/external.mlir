// Tensors of at least so many bytes lie in a file beside the model, smaller ones in it.
// RUN: rm -rf %t && mkdir %t
// RUN: nn-translate %s -o %t/model.onnx --external-data=64
// RUN: nn-translate --import-onnx %t/model.onnx | FileCheck %s --check-prefix=AGAIN
// RUN: nn-translate %s -o %t/model.onnxtxt --external-data=64
// RUN: %python -c "import onnx; onnx.checker.check_model('%t/model.onnx', full_check=True); print(onnx.load('%t/model.onnx', load_external_data=False))" | FileCheck %s
// RUN: not nn-translate --export-onnx %s --external-data=64 2>&1 | FileCheck %s --check-prefix=TERMINAL
// RUN: not nn-translate %s -o %t/none/model.onnx 2>&1 | FileCheck %s --check-prefix=NONE
// CHECK: name: "small"
// CHECK: raw_data:
// CHECK: name: "large"
// CHECK: key: "location"
// CHECK-NEXT: value: "model.onnx.data"
// CHECK: key: "offset"
// CHECK-NEXT: value: "0"
// CHECK: key: "length"
// CHECK-NEXT: value: "96"
// CHECK: data_location: EXTERNAL
// AGAIN: nn.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// AGAIN: nn.constant dense<2.500000e-01> : tensor<12x2xf32>
// TERMINAL: error: {{.*}}-o OUT.onnx
// NONE: error: {{.*}}cannot write '{{.*}}none/model.onnx'

func.func @main(%x: tensor<12x2xf32> {nn.name = "x"}) -> (tensor<12x2xf32> {nn.name = "y"}) {
  %small = nn.constant dense<[1.0, 2.0]> : tensor<2xf32> loc("small")
  %large = nn.constant dense<0.25> : tensor<12x2xf32> loc("large")
  %0 = nn.mul %x, %small : (tensor<12x2xf32>, tensor<2xf32>) -> tensor<12x2xf32>
  %1 = nn.add %0, %large : (tensor<12x2xf32>, tensor<12x2xf32>) -> tensor<12x2xf32>
  return %1 : tensor<12x2xf32>
}
