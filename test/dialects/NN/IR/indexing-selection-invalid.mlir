// RUN: nn-opt %s --split-input-file --verify-diagnostics

func.func @gather_elements_c1(%x: tensor<2x3xf32>, %i: tensor<2xi64>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{indices have rank 1, the input has rank 2}}
  %0 = nn.gather_elements %x, %i : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @gather_nd_c1(%x: tensor<2x3xf32>, %i: tensor<2x3xi64>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{tuples of 3 indices and 0 batch dimensions do not fit an input of rank 2}}
  %0 = nn.gather_nd %x, %i : (tensor<2x3xf32>, tensor<2x3xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @scatter_elements_c1(%x: tensor<2x3xf32>, %i: tensor<2x3xi64>, %u: tensor<2x3xf64>) {
  // expected-error @+1 {{updates must have the input's element type}}
  %0 = nn.scatter_elements %x, %i, %u : (tensor<2x3xf32>, tensor<2x3xi64>, tensor<2x3xf64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_elements_c2(%x: tensor<2x3xf32>, %i: tensor<2x3xi64>) {
  // expected-error @+1 {{reduction is 'sum', not one of none, add, mul, max, min}}
  %0 = nn.scatter_elements %x, %i, %x {reduction = "sum"} : (tensor<2x3xf32>, tensor<2x3xi64>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_nd_c1(%x: tensor<2x3xf32>, %i: tensor<4x1xi64>, %u: tensor<4xf32>) {
  // expected-error @+1 {{updates must have rank 2, not 1}}
  %0 = nn.scatter_nd %x, %i, %u : (tensor<2x3xf32>, tensor<4x1xi64>, tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @range_c1(%x: tensor<i64>, %y: tensor<i32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{start, limit and delta must have rank 0 and one element type}}
  %0 = nn.range %x, %x, %y : (tensor<i64>, tensor<i64>, tensor<i32>) -> tensor<?xi64>
  return
}

// -----

func.func @topk_c1(%x: tensor<2x3xf32>) {
  %k = nn.constant dense<4> : tensor<1xi64>
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{k is 4, which is not a number of elements of dimension 1}}
  %0:2 = nn.topk %x, %k : (tensor<2x3xf32>, tensor<1xi64>) -> (tensor<2x4xf32>, tensor<2x4xi64>)
  return
}

// -----

func.func @grid_sample_c2(%x: tensor<1x1x2x2xf32>, %g: tensor<1x2x2x2xf32>) {
  // expected-error @+1 {{mode is 'area', not linear, nearest or cubic}}
  %0 = nn.grid_sample %x, %g {mode = "area"} : (tensor<1x1x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x1x2x2xf32>
  return
}

// -----

func.func @bitcast_c1(%x: tensor<2xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{cannot read the bits of another size of element}}
  %0 = nn.bitcast %x {to = i64} : (tensor<2xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @cumulative_c1(%x: tensor<2xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{axis 1 is not in [-1, 1)}}
  %0 = nn.cumsum %x {axis = 1 : i64} : (tensor<2xf32>) -> tensor<2xf32>
  return
}
