// The opset is the oldest in which all nodes mean what they mean in the newest, from opset
// 21 on. Element types and attributes decide it too.
// RUN: sed s/TYPE/f32/ %s > %t.mlir
// RUN: nn-translate --export-onnx %t.mlir | FileCheck %s --check-prefix=FLOAT
// RUN: sed s/TYPE/bf16/ %s > %t.mlir
// RUN: nn-translate --export-onnx %t.mlir | FileCheck %s --check-prefix=BFLOAT
// RUN: sed -e s/TYPE/f32/ -e s/nn.cos/nn.swish/ %s > %t.mlir
// RUN: nn-translate --export-onnx %t.mlir | FileCheck %s --check-prefix=SWISH
// FLOAT: ir_version: 8,
// FLOAT: opset_import: ["" : 7],
// BFLOAT: ir_version: 10,
// BFLOAT: opset_import: ["" : 22],
// SWISH: ir_version: 12,
// SWISH: opset_import: ["" : 24],

!t = tensor<2xTYPE>
func.func @main(%x: !t {nn.name = "x"}) -> (!t {nn.name = "y"}) {
  %0 = nn.cos %x : (!t) -> !t
  return %0 : !t
}
