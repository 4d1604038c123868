// The back end of test/lib/Target/TestBackend.cpp: asked where the target lists its library,
// it takes the negation of a group, and the rest is placed by others.
//
// RUN: nn-opt %s -nn-place | FileCheck %s --check-prefix=PLACE
// RUN: nn-opt %s -nn-place=only=negate | FileCheck %s --check-prefix=ONLY
// RUN: sed 's/, "negate"//' %s | nn-opt - -nn-place | FileCheck %s --check-prefix=OFF
// RUN: nn-opt %s -compile-to="bufferize from=place" -verify-numeric -verify-numeric-reproducer=%t -o %t.out.mlir
//
// PLACE: func.func @main
// PLACE: rt.launch @kernel_elementwise_0
// PLACE: linalg.map { arith.negf }
// PLACE: rt.launch @kernel_elementwise_1
//
// ONLY: nn.fusion
// ONLY-NEXT: nn.exp
// ONLY: linalg.map { arith.negf }
// ONLY: nn.fusion
// ONLY-NEXT: nn.mul
//
// OFF-NOT: linalg.map
module attributes {nn.target = #nn.target<cpu, processors = ["x86-64-v3"], libraries = ["onednn", "negate"]>} {
  func.func @main(%x: tensor<?x8xf32> {nn.name = "x", nn.dim_names = ["N", ""]}) -> (tensor<?x8xf32> {nn.name = "y", nn.dim_names = ["N", ""]}) {
    %0 = nn.fusion (%a = %x : tensor<?x8xf32>) -> (tensor<?x8xf32>) {
      %1 = nn.exp %a : (tensor<?x8xf32>) -> tensor<?x8xf32> loc("exp")
      %2 = nn.neg %1 : (tensor<?x8xf32>) -> tensor<?x8xf32> loc("neg")
      %3 = nn.mul %2, %a : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> loc("mul")
      nn.yield %3 : tensor<?x8xf32>
    } loc(fused["exp", "neg", "mul"])
    return %0 : tensor<?x8xf32>
  }
}
