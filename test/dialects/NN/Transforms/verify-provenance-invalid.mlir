// RUN: not nn-opt %s --nn-verify-provenance=phase=fuse -o /dev/null 2>&1 | FileCheck %s
// RUN: nn-opt %s --nn-verify-provenance=strict=false --remarks-filter=provenance --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s --check-prefix=LENIENT
// RUN: not nn-opt %s --compile-to=legalize -o /dev/null 2>&1 | FileCheck %s --check-prefix=PIPELINE

// CHECK: error: 'nn.relu' op has a location that names no ONNX node at the end of fuse
// LENIENT-NOT: error
// LENIENT: nn.relu has a location that names no ONNX node
// PIPELINE: error: 'nn.relu' op has a location that names no ONNX node at the end of simplify
func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = nn.relu %x {nn.origin = [#nn.origin<0, "y">]} : (tensor<2x3xf32>) -> tensor<2x3xf32> loc(unknown)
  return %0 : tensor<2x3xf32>
}
