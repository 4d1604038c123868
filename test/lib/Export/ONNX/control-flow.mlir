// Branches and loops are nested graphs, which see the tensors around them. The condition
// of scf.while is computed before the loop and at the end of each iteration.
// RUN: nn-translate --export-onnx %s | FileCheck %s
// RUN: nn-translate --export-onnx %s -o %t.onnx
// RUN: %python -c "import onnx; onnx.checker.check_model('%t.onnx', full_check=True)"
// RUN: nn-translate --import-onnx %t.onnx -o %t.mlir
// RUN: FileCheck %s --check-prefix=AGAIN --input-file %t.mlir
// AGAIN: scf.if
// AGAIN: scf.for
// AGAIN: scf.while

func.func @main(%x: tensor<3xf32> {nn.name = "x"}, %flag: tensor<i1> {nn.name = "flag"},
                %count: tensor<i64> {nn.name = "count"})
    -> (tensor<3xf32> {nn.name = "chosen"}, tensor<3xf32> {nn.name = "power"},
        tensor<3xf32> {nn.name = "halved"}) {
  // CHECK: chosen = If (flag) <then_branch: graph = then_branch ()
  // CHECK: relu = Relu (x)
  // CHECK: else_branch: graph = else_branch ()
  // CHECK: "if/output" = Identity (x)
  %condition = tensor.extract %flag[] : tensor<i1>
  %0 = scf.if %condition -> tensor<3xf32> {
    %r = nn.relu %x : (tensor<3xf32>) -> tensor<3xf32>
    scf.yield %r : tensor<3xf32>
  } else {
    scf.yield %x : tensor<3xf32>
  }
  // CHECK: power = Loop (count, "", x) <body: graph = body (int64 iteration, bool condition, float[3] carried)
  // CHECK: mul = Mul (carried, x)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.extract %count[] : tensor<i64>
  %end = arith.index_cast %n : i64 to index
  %1 = scf.for %i = %c0 to %end step %c1 iter_args(%a = %x) -> tensor<3xf32> {
    %m = nn.mul %a, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    scf.yield %m : tensor<3xf32>
  }
  // CHECK: ] [[LESS:.*]] = Less (
  // CHECK: {{.*}}, halved = Loop ("", [[LESS]], {{.*}}, x)
  // CHECK: Mul (carried{{.*}}, constant)
  // CHECK: Add (
  // CHECK: Less (
  %half = nn.constant dense<0.5> : tensor<3xf32>
  %2:2 = scf.while (%i = %c0, %a = %x) : (index, tensor<3xf32>) -> (index, tensor<3xf32>) {
    %less = arith.cmpi slt, %i, %end : index
    scf.condition(%less) %i, %a : index, tensor<3xf32>
  } do {
  ^bb0(%i: index, %a: tensor<3xf32>):
    %m = nn.mul %a, %half : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
    %next = arith.addi %i, %c1 : index
    scf.yield %next, %m : index, tensor<3xf32>
  }
  return %0, %1, %2#1 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}
