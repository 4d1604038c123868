// RUN: nn-opt %s --nn-infer-shapes --split-input-file | FileCheck %s

// CHECK-LABEL: func @refine_function
// CHECK-SAME: -> tensor<1x16xf32>
func.func @refine_function(%x: tensor<1x4x4xf32>) -> tensor<?x?xf32> {
  // CHECK: nn.reshape {{.*}} -> tensor<1x16xf32>
  // CHECK: nn.relu {{.*}} -> tensor<1x16xf32>
  %shape = nn.constant dense<[0, -1]> : tensor<2xi64>
  %0 = nn.reshape %x, %shape : (tensor<1x4x4xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  %1 = nn.relu %0 : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}

// -----

// An equal name of a dimension that another argument gives a size.
// CHECK-LABEL: func @named
// CHECK: nn.relu {{.*}} -> tensor<7xf32>
func.func @named(%x: tensor<?xf32> {nn.dim_names = ["N"]}, %y: tensor<7xf32> {nn.dim_names = ["N"]}) -> tensor<?xf32> {
  %0 = nn.relu %x : (tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// CHECK-LABEL: func @through_fusion
// CHECK: nn.fusion (%[[A:.*]] = %{{.*}} : tensor<2x3xf32>) -> (tensor<2x3xf32>)
func.func @through_fusion(%x: tensor<2x3xf32>) -> tensor<?x3xf32> {
  %0 = nn.relu %x : (tensor<2x3xf32>) -> tensor<?x3xf32>
  %1 = nn.fusion (%a = %0 : tensor<?x3xf32>) -> (tensor<?x3xf32>) {
    %2 = nn.neg %a : (tensor<?x3xf32>) -> tensor<?x3xf32>
    nn.yield %2 : tensor<?x3xf32>
  }
  return %1 : tensor<?x3xf32>
}

// -----

// scf.yield needs the type of the scf.if.
// CHECK-LABEL: func @in_branch
// CHECK: %[[R:.*]] = nn.relu {{.*}} -> tensor<2xf32>
// CHECK: %[[C:.*]] = tensor.cast %[[R]] : tensor<2xf32> to tensor<?xf32>
// CHECK: scf.yield %[[C]] : tensor<?xf32>
func.func @in_branch(%c: i1, %x: tensor<2xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %0 = scf.if %c -> tensor<?xf32> {
    %1 = nn.relu %x : (tensor<2xf32>) -> tensor<?xf32>
    scf.yield %1 : tensor<?xf32>
  } else {
    scf.yield %y : tensor<?xf32>
  }
  return %0 : tensor<?xf32>
}
