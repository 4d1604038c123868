// RUN: nn-opt %s --nn-verify-provenance --remarks-filter=provenance --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// Names of nodes, alone or fused, and places in a file are known. An output and a
// contraction without an origin only cause remarks.
func.func @main(%x: tensor<2x3xf32>, %w: tensor<3x3xf32>) ->
    (tensor<2x3xf32> {nn.name = "y"}, tensor<2x3xf32> {nn.name = "z"}) {
  %0 = nn.relu %x : (tensor<2x3xf32>) -> tensor<2x3xf32> loc("named")
  // CHECK: nn.matmul is no tensor of the model, but part of 'product'
  %1 = nn.matmul %0, %w : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<2x3xf32> loc(fused["product", unknown])
  // CHECK: output 'y' has no origin; 'last' computes it
  %2 = nn.exp %1 : (tensor<2x3xf32>) -> tensor<2x3xf32> loc("last")
  %3 = nn.neg %2 {nn.origin = [#nn.origin<0, "z">]} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  %unused = nn.constant dense<1.0> : tensor<2x3xf32> loc(unknown)
  // CHECK-NOT: output 'z'
  return %2, %3 : tensor<2x3xf32>, tensor<2x3xf32>
}
