// Functions of strings are calls of the runtime, with the function, the number of operands and
// the type of the number as parameters.
// RUN: nn-opt %s --convert-nn-to-linalg | FileCheck %s

// CHECK-LABEL: func @functions
func.func @functions(%x: tensor<?x1xi64>, %y: tensor<4xi64>, %u: tensor<4xui64>)
    -> (tensor<?x4xi64>, tensor<?x4xi1>, tensor<4xf64>, tensor<4xi64>) {
  // CHECK: rt.call map_strings ins(%arg0, %arg1 : tensor<?x1xi64>, tensor<4xi64>) outs(%{{.*}} : tensor<?x4xi64>) {parameters = array<i64: 0, 2, 7>}
  %0 = nn.map_strings concat %x, %y : (tensor<?x1xi64>, tensor<4xi64>) -> tensor<?x4xi64>
  // CHECK: rt.call map_strings ins(%arg0, %arg1 : {{.*}}) outs(%{{.*}} : tensor<?x4xi1>) {parameters = array<i64: 3, 2, 9>}
  %1 = nn.map_strings full_match %x, %y : (tensor<?x1xi64>, tensor<4xi64>) -> tensor<?x4xi1>
  // CHECK: rt.call map_strings ins(%arg1 : tensor<4xi64>) outs(%{{.*}} : tensor<4xf64>) {parameters = array<i64: 6, 1, 11>}
  %2 = nn.map_strings parse %y {to = f64} : (tensor<4xi64>) -> tensor<4xf64>
  // CHECK: rt.call map_strings ins(%{{.*}} : tensor<4xi64>) outs(%{{.*}} : tensor<4xi64>) {parameters = array<i64: 7, 1, 13>}
  %3 = nn.map_strings format %u {to = i64} : (tensor<4xui64>) -> tensor<4xi64>
  return %0, %1, %2, %3 : tensor<?x4xi64>, tensor<?x4xi1>, tensor<4xf64>, tensor<4xi64>
}
