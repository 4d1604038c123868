// RUN: nn-opt %s --split-input-file --nn-prepare-bufferization | FileCheck %s

// What the next iteration finds in another place is copied before that is written.
// CHECK-LABEL: @main
// CHECK: scf.for {{.*}} iter_args(%[[P:.*]] = %{{.*}}, %[[Q:.*]] = %{{.*}})
// CHECK: %[[NEXT:.*]] = tensor.insert
// CHECK-NEXT: %[[Q2:.*]] = bufferization.materialize_in_destination %[[P]] in %[[Q]]
// CHECK-NEXT: %[[SAVED:.*]] = bufferization.alloc_tensor() copy(%[[NEXT]])
// CHECK-NEXT: %[[P2:.*]] = bufferization.materialize_in_destination %[[SAVED]] in %[[P]]
// CHECK-NEXT: scf.yield %[[P2]], %[[Q2]]
func.func @main(%a: tensor<4xf32>, %b: tensor<4xf32>, %n: index, %x: f32) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%p = %a, %q = %b) -> (tensor<4xf32>, tensor<4xf32>) {
    %next = tensor.insert %x into %p[%c0] : tensor<4xf32>
    scf.yield %next, %p : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// Two that change places: one is saved first.
// CHECK-LABEL: @main
// CHECK: scf.for {{.*}} iter_args(%[[P:.*]] = %{{.*}}, %[[Q:.*]] = %{{.*}})
// CHECK-NEXT: %[[SAVED:.*]] = bufferization.alloc_tensor() copy(%[[Q]])
// CHECK-NEXT: %[[Q2:.*]] = bufferization.materialize_in_destination %[[P]] in %[[Q]]
// CHECK-NEXT: %[[P2:.*]] = bufferization.materialize_in_destination %[[SAVED]] in %[[P]]
// CHECK-NEXT: scf.yield %[[P2]], %[[Q2]]
func.func @main(%a: tensor<4xf32>, %b: tensor<4xf32>, %n: index) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%p = %a, %q = %b) -> (tensor<4xf32>, tensor<4xf32>) {
    scf.yield %q, %p : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// What is updated in its own buffer is not copied, nor what stays.
// CHECK-LABEL: @main
// CHECK-NOT: materialize_in_destination
// CHECK-NOT: alloc_tensor
// CHECK: return
func.func @main(%a: tensor<4xf32>, %b: tensor<4xf32>, %n: index, %x: f32) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%p = %a, %q = %b) -> (tensor<4xf32>, tensor<4xf32>) {
    %next = tensor.insert %x into %p[%c0] : tensor<4xf32>
    scf.yield %next, %q : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// One new value for two places is computed once, and copied from the first.
// CHECK-LABEL: @main
// CHECK: scf.for {{.*}} iter_args(%[[P:.*]] = %{{.*}}, %[[Q:.*]] = %{{.*}})
// CHECK: %[[NEXT:.*]] = linalg.fill
// CHECK-NEXT: %[[P2:.*]] = bufferization.materialize_in_destination %[[NEXT]] in %[[P]]
// CHECK-NEXT: %[[Q2:.*]] = bufferization.materialize_in_destination %[[P2]] in %[[Q]]
// CHECK-NEXT: scf.yield %[[P2]], %[[Q2]]
func.func @main(%a: tensor<4xf32>, %b: tensor<4xf32>, %n: index, %x: f32) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%p = %a, %q = %b) -> (tensor<4xf32>, tensor<4xf32>) {
    %empty = tensor.empty() : tensor<4xf32>
    %next = linalg.fill ins(%x : f32) outs(%empty : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %next, %next : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// A while loop passes other values to its body than it starts with.
// CHECK-LABEL: @main
// CHECK: ^bb0(%[[P:.*]]: tensor<4xf32>, %[[Q:.*]]: tensor<4xf32>):
// CHECK: %[[NEXT:.*]] = tensor.insert
// CHECK: %[[Q2:.*]] = bufferization.materialize_in_destination %[[P]] in %[[Q]]
// CHECK-NEXT: %[[SAVED:.*]] = bufferization.alloc_tensor() copy(%[[NEXT]])
// CHECK-NEXT: %[[P2:.*]] = bufferization.materialize_in_destination %[[SAVED]] in %[[P]]
// CHECK-NEXT: scf.yield %{{.*}}, %[[P2]], %[[Q2]]
func.func @main(%a: tensor<4xf32>, %b: tensor<4xf32>, %go: i1, %x: f32) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %r:2 = scf.while (%more = %go, %p = %a, %q = %b) : (i1, tensor<4xf32>, tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
    scf.condition(%more) %p, %q : tensor<4xf32>, tensor<4xf32>
  } do {
  ^bb0(%p: tensor<4xf32>, %q: tensor<4xf32>):
    %next = tensor.insert %x into %p[%c0] : tensor<4xf32>
    %element = tensor.extract %p[%c0] : tensor<4xf32>
    %more = arith.cmpf olt, %element, %x : f32
    scf.yield %more, %next, %p : i1, tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}
