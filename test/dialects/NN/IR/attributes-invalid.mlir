// RUN: nn-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{has the attribute 'nn.nonsense', which the nn dialect does not have}}
module attributes {nn.nonsense} {}

// -----

// expected-error@+1 {{'nn.kernel' is a string, not unit}}
func.func private @f() attributes {nn.kernel}

// -----

// expected-error@+1 {{has the attribute 'nn.kernel', which belongs to functions}}
module attributes {nn.kernel = "matmul"} {}

// -----

// expected-error@+1 {{has the attribute 'nn.name', which belongs to arguments and results of functions}}
func.func private @f() attributes {nn.name = "x"}

// -----

// expected-error@+1 {{'nn.dim_names' is a list of strings, not ["N", 1}}
func.func private @f(tensor<?x?xf32> {nn.dim_names = ["N", 1]})

// -----

// expected-error@+1 {{'nn.name' is a string, not 1}}
func.func private @f() -> (tensor<f32> {nn.name = 1 : i32})

// -----

// expected-error@+1 {{'nn.weights' is pairs of constants and integers, not [[}}
module attributes {nn.weights = [[1, 2]]} {}

// -----

func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error@+1 {{'nn.origin' is a list of #nn.origin, not "y"}}
  %0 = nn.relu %x {nn.origin = "y"} : (tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
