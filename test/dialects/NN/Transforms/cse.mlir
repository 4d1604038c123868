// RUN: nn-opt %s --nn-cse --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

// CHECK-LABEL: func @merge
func.func @merge(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  // CHECK: %[[R:.*]] = nn.relu %{{.*}} {nn.origin = [#nn.origin<0, "a">, #nn.origin<0, "b">]} {{.*}} loc(fused["first", "second"])
  // CHECK-NEXT: return %[[R]], %[[R]]
  %0 = nn.relu %x {nn.origin = [#nn.origin<0, "a">]} : (tensor<2xf32>) -> tensor<2xf32> loc("first")
  %1 = nn.relu %x {nn.origin = [#nn.origin<0, "b">]} : (tensor<2xf32>) -> tensor<2xf32> loc("second")
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}
