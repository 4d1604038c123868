// RUN: nn-opt %s -split-input-file -verify-diagnostics

// dequantized_c1
func.func @shape() {
  // expected-error@+1 {{numbers of type 'tensor<4xf32>' are not those of 'tensor<2xi8>' with scales 'tensor<f32>', which must be f32}}
  %0 = nn.constant #nn.dequantized<dense<1> : tensor<2xi8>, scale = dense<1.0> : tensor<f32>, axis = 0, block_size = 0> : tensor<4xf32>
  return
}

// -----

// dequantized_c2
func.func @scales() {
  // expected-error@+1 {{the scales 'tensor<3xf32>' or the zero points do not fit 'tensor<2x2xi8>' in blocks of 0 along axis 1}}
  %0 = nn.constant #nn.dequantized<dense<1> : tensor<2x2xi8>, scale = dense<1.0> : tensor<3xf32>, axis = 1, block_size = 0> : tensor<2x2xf32>
  return
}

// -----

// dequantized_c2
func.func @axis() {
  // expected-error@+1 {{axis 2 is not in [0, 2), or the block size 0 is negative}}
  %0 = nn.constant #nn.dequantized<dense<1> : tensor<2x2xi8>, scale = dense<1.0> : tensor<2xf32>, axis = 2, block_size = 0> : tensor<2x2xf32>
  return
}
