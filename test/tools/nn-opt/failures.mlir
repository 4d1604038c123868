// A pass that fails says so, even if nothing in it does.
//
// RUN: not nn-opt %s --test-bug-silence 2>&1 | FileCheck %s
// RUN: not nn-opt %s --pass-pipeline="builtin.module(func.func(test-bug-silence))" 2>&1 | FileCheck %s
// CHECK: error: pass 'test-bug-silence' failed without saying why
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
