// RUN: nn-opt %s --split-input-file --verify-diagnostics

func.func @c1_weight(%x: tensor<5x2x3xf32>, %w: tensor<4x7xf32>, %r: tensor<4x4xf32>) {
  // expected-error @+1 {{weight is 'tensor<4x7xf32>', must have the shape 4x3}}
  %y:2 = nn.rnn(%x, %w, %r) {activations = ["Relu"], alpha = array<f32: 0.0>, beta = array<f32: 0.0>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>} : (tensor<5x2x3xf32>, tensor<4x7xf32>, tensor<4x4xf32>) -> (tensor<5x2x4xf32>, tensor<2x4xf32>)
  return
}

// -----

func.func @c1_hidden(%x: tensor<5x2x3xf32>, %w: tensor<?x3xf32>, %r: tensor<?x?xf32>) {
  // expected-error @+1 {{the number of hidden units must be known}}
  %y:2 = nn.rnn(%x, %w, %r) {activations = ["Relu"], alpha = array<f32: 0.0>, beta = array<f32: 0.0>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>} : (tensor<5x2x3xf32>, tensor<?x3xf32>, tensor<?x?xf32>) -> (tensor<5x2x?xf32>, tensor<2x?xf32>)
  return
}

// -----

func.func @c1_types(%x: tensor<5x2x3xf32>, %w: tensor<4x3xf32>, %r: tensor<4x4xf16>) {
  // expected-error @+1 {{operands have different element types}}
  %y:2 = nn.rnn(%x, %w, %r) {activations = ["Relu"], alpha = array<f32: 0.0>, beta = array<f32: 0.0>, operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>} : (tensor<5x2x3xf32>, tensor<4x3xf32>, tensor<4x4xf16>) -> (tensor<5x2x4xf32>, tensor<2x4xf32>)
  return
}

// -----

func.func @c2(%x: tensor<5x2x4xf32>, %r: tensor<4x4xf32>) {
  // expected-error @+1 {{weight is given, or the form is prepared}}
  %y:2 = nn.rnn(%x, %r) {activations = ["Relu"], alpha = array<f32: 0.0>, beta = array<f32: 0.0>, operandSegmentSizes = array<i32: 1, 0, 1, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<4x4xf32>) -> (tensor<5x2x4xf32>, tensor<2x4xf32>)
  return
}

// -----

func.func @c3_name(%x: tensor<5x2x4xf32>, %r: tensor<4x4xf32>) {
  // expected-error @+1 {{activation 'Cosine' is unknown (known: Affine, Elu,}}
  %y:2 = nn.rnn(%x, %r) {activations = ["Cosine"], alpha = array<f32: 0.0>, beta = array<f32: 0.0>, prepared, operandSegmentSizes = array<i32: 1, 0, 1, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<4x4xf32>) -> (tensor<5x2x4xf32>, tensor<2x4xf32>)
  return
}

// -----

func.func @c3_number(%x: tensor<5x2x4xf32>, %r: tensor<4x4xf32>) {
  // expected-error @+1 {{has 1 activations, 0 alphas and 1 betas, must have 1 of each}}
  %y:2 = nn.rnn(%x, %r) {activations = ["Relu"], alpha = array<f32>, beta = array<f32: 0.0>, prepared, operandSegmentSizes = array<i32: 1, 0, 1, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<4x4xf32>) -> (tensor<5x2x4xf32>, tensor<2x4xf32>)
  return
}
