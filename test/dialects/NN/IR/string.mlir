// Shapes and types of functions of strings.
// RUN: nn-opt %s --nn-infer-shapes | FileCheck %s

// CHECK-LABEL: func @functions
func.func @functions(%x: tensor<3x1xi64>, %y: tensor<4xi64>, %f: tensor<2xf64>, %s: tensor<?x!nn.string>, %n: tensor<i64>)
    -> (tensor<?x?xi64>, tensor<?x?xi1>, tensor<?x?xi64>, tensor<?xf32>, tensor<?xi64>, tensor<?x!nn.string>) {
  // CHECK: nn.map_strings concat %{{.*}} -> tensor<3x4xi64>
  %0 = nn.map_strings concat %x, %y : (tensor<3x1xi64>, tensor<4xi64>) -> tensor<?x?xi64>
  // CHECK: nn.map_strings full_match %{{.*}} -> tensor<3x4xi1>
  %1 = nn.map_strings full_match %x, %y : (tensor<3x1xi64>, tensor<4xi64>) -> tensor<?x?xi1>
  // CHECK: nn.map_strings piece %{{.*}} -> tensor<3x4xi64>
  %2 = nn.map_strings piece %x, %n, %n, %y : (tensor<3x1xi64>, tensor<i64>, tensor<i64>, tensor<4xi64>) -> tensor<?x?xi64>
  // CHECK: nn.map_strings parse %{{.*}} {to = f32} : (tensor<4xi64>) -> tensor<4xf32>
  %3 = nn.map_strings parse %y {to = f32} : (tensor<4xi64>) -> tensor<?xf32>
  // CHECK: nn.map_strings format %{{.*}} {to = i64} : (tensor<2xf64>) -> tensor<2xi64>
  %4 = nn.map_strings format %f {to = i64} : (tensor<2xf64>) -> tensor<?xi64>
  // CHECK: nn.map_strings lower %{{.*}} : (tensor<?x!nn.string>) -> tensor<?x!nn.string>
  %5 = nn.map_strings lower %s : (tensor<?x!nn.string>) -> tensor<?x!nn.string>
  return %0, %1, %2, %3, %4, %5 : tensor<?x?xi64>, tensor<?x?xi1>, tensor<?x?xi64>, tensor<?xf32>, tensor<?xi64>, tensor<?x!nn.string>
}
