// RUN: nn-opt %s --split-input-file --verify-diagnostics

// custom_c1
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+2 {{has 1 types of results and 2 shapes}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = nn.custom "test:Scale" from "ops.so"(%x) {types = [f32],
    shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// custom_c2
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+2 {{has a shape with dimensions, which only symbols may be}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = nn.custom "test:Scale" from "ops.so"(%x) {types = [f32],
    shapes = [affine_map<(d0) -> (d0)>]} : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// custom_c2
func.func @f(%x: tensor<4xf32>) -> tensor<?xf32> {
  // expected-error @+2 {{has a shape with the size -2}}
  // expected-error @+1 {{failed to infer returned types}}
  %y = nn.custom "test:Scale" from "ops.so"(%x) {types = [f32],
    shapes = [affine_map<() -> (-2)>]} : (tensor<4xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// custom_c3
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{calls 'Scale', which is not DOMAIN:NAME}}
  %y = nn.custom "Scale" from "ops.so"(%x) {types = [f32],
    shapes = [affine_map<()[s0] -> (s0)>]} : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// custom_c3
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{names no library}}
  %y = nn.custom "test:Scale" from ""(%x) {types = [f32],
    shapes = [affine_map<()[s0] -> (s0)>]} : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// custom_c4
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{has an attribute 'alpha' that no ONNX node has: 2.000000e+00 : f64}}
  %y = nn.custom "test:Scale" from "ops.so"(%x) {types = [f32], parameters = {alpha = 2.0 : f64},
    shapes = [affine_map<()[s0] -> (s0)>]} : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// custom_c5
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{lacks operand 1, which is not before the last one, or not in ascending order}}
  %y = nn.custom "test:Scale" from "ops.so"(%x) {types = [f32], absent = array<i64: 1>,
    shapes = [affine_map<()[s0] -> (s0)>]} : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

