// Each constraint of the operators' documentation, by its name.
//
// RUN: nn-opt %s --split-input-file --verify-diagnostics

func.func @conv_c1(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3xf32>, %d: tensor<1x4x6x6xf32>) {
  // expected-error@+1 {{src, weights and dst must have one rank of at least 3}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3xf32>) dst(%d : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c2(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %d: tensor<1x4x6x6xf32>) {
  // expected-error@+1 {{'strides' has 1 entries, expected 2 or none}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3x3xf32>) dst(%d : tensor<1x4x6x6xf32>) {strides = array<i64: 1>} -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c3(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %d: tensor<1x4x6x6xf32>) {
  // expected-error@+1 {{src has 3 channels, weights take 9}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3x3xf32>) dst(%d : tensor<1x4x6x6xf32>) {groups = 3 : i64} -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c4(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<3xf32>, %d: tensor<1x4x6x6xf32>) {
  // expected-error@+1 {{bias must have rank 1 and 4 elements}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3x3xf32>) bias(%b : tensor<3xf32>) dst(%d : tensor<1x4x6x6xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c5(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %d: tensor<1x4x7x6xf32>) {
  // expected-error@+1 {{dst has size 7 in spatial dimension 0, expected 6}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3x3xf32>) dst(%d : tensor<1x4x7x6xf32>) -> tensor<1x4x7x6xf32>
  return
}

// -----

func.func @post_ops_c1(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %d: tensor<1x4x6x6xf32>) {
  // expected-error@+1 {{post-op names operand 0 of 0}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3x3xf32>) dst(%d : tensor<1x4x6x6xf32>) {post_ops = [#onednn.binary<add, 0>]} -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @post_ops_c1_shape(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %d: tensor<1x4x6x6xf32>, %a: tensor<1x3x1x1xf32>) {
  // expected-error@+1 {{post-op operand 0 of type 'tensor<1x3x1x1xf32>' does not broadcast to dst}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3x3xf32>) post_op_args(%a : tensor<1x3x1x1xf32>) dst(%d : tensor<1x4x6x6xf32>) {post_ops = [#onednn.binary<add, 0>]} -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @deconv_c3(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %d: tensor<1x3x10x10xf32>) {
  // expected-error@+1 {{src has 3 channels, weights take 4}}
  %0 = onednn.deconvolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3x3xf32>) dst(%d : tensor<1x3x10x10xf32>) -> tensor<1x3x10x10xf32>
  return
}

// -----

func.func @matmul_c1(%x: tensor<2x3xf32>, %w: tensor<1x3x4xf32>, %d: tensor<2x4xf32>) {
  // expected-error@+1 {{src, weights and dst must have one rank of at least 2}}
  %0 = onednn.matmul src(%x : tensor<2x3xf32>) weights(%w : tensor<1x3x4xf32>) dst(%d : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @matmul_c3(%x: tensor<2x3xf32>, %w: tensor<4x4xf32>, %d: tensor<2x4xf32>) {
  // expected-error@+1 {{src has 3 columns, weights 4 rows}}
  %0 = onednn.matmul src(%x : tensor<2x3xf32>) weights(%w : tensor<4x4xf32>) dst(%d : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @matmul_c4(%x: tensor<5x2x3xf32>, %w: tensor<4x3x4xf32>, %d: tensor<5x2x4xf32>) {
  // expected-error@+1 {{batch dimension 0 does not broadcast to dst}}
  %0 = onednn.matmul src(%x : tensor<5x2x3xf32>) weights(%w : tensor<4x3x4xf32>) dst(%d : tensor<5x2x4xf32>) -> tensor<5x2x4xf32>
  return
}

// -----

func.func @pool_c1(%x: tensor<1x3x8x8xf32>, %d: tensor<1x4x7x7xf32>) {
  // expected-error@+1 {{src and dst differ in batch or channels}}
  %0 = onednn.pooling max src(%x : tensor<1x3x8x8xf32>) dst(%d : tensor<1x4x7x7xf32>) {kernel = array<i64: 2, 2>} -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @pool_c2(%x: tensor<1x3x8x8xf32>, %d: tensor<1x3x7x7xf32>) {
  // expected-error@+1 {{'kernel' must have 2 positive entries}}
  %0 = onednn.pooling max src(%x : tensor<1x3x8x8xf32>) dst(%d : tensor<1x3x7x7xf32>) {kernel = array<i64: 2>} -> tensor<1x3x7x7xf32>
  return
}

// -----

func.func @pool_c3(%x: tensor<1x3x8x8xf32>, %d: tensor<1x3x8x7xf32>) {
  // expected-error@+1 {{dst has size 8 in spatial dimension 0, expected 7}}
  %0 = onednn.pooling max src(%x : tensor<1x3x8x8xf32>) dst(%d : tensor<1x3x8x7xf32>) {kernel = array<i64: 2, 2>} -> tensor<1x3x8x7xf32>
  return
}

// -----

func.func @lrn_c2(%x: tensor<1x3x8x8xf32>, %d: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{local_size must be positive and odd}}
  %0 = onednn.lrn src(%x : tensor<1x3x8x8xf32>) dst(%d : tensor<1x3x8x8xf32>) {local_size = 4 : i64, alpha = 1.0e-4 : f32, beta = 0.75 : f32, k = 1.0 : f32} -> tensor<1x3x8x8xf32>
  return
}

// -----

func.func @softmax_c2(%x: tensor<2x3xf32>, %d: tensor<2x3xf32>) {
  // expected-error@+1 {{axis 2 does not lie in [0, 2)}}
  %0 = onednn.softmax accurate src(%x : tensor<2x3xf32>) dst(%d : tensor<2x3xf32>) {axis = 2 : i64} -> tensor<2x3xf32>
  return
}

// -----

func.func @types_c1(%x: tensor<1x3x8x8xui8>, %w: tensor<4x3x3x3xui8>, %d: tensor<1x4x6x6xui8>) {
  // expected-error@+1 {{has no such element types: src 'ui8', weights 'ui8', dst 'ui8'}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xui8>) weights(%w : tensor<4x3x3x3xui8>) dst(%d : tensor<1x4x6x6xui8>) -> tensor<1x4x6x6xui8>
  return
}

// -----

func.func @types_c1_matmul(%x: tensor<2x3xui8>, %w: tensor<3x4xi8>, %b: tensor<4xf64>, %d: tensor<2x4xf32>) {
  // expected-error@+1 {{has no such element types: src 'ui8', weights 'i8', bias 'f64', dst 'f32'}}
  %0 = onednn.matmul src(%x : tensor<2x3xui8>) weights(%w : tensor<3x4xi8>) bias(%b : tensor<4xf64>) dst(%d : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @types_c2(%x: tensor<1x3x8x8xi8>, %w: tensor<4x3x3x3xi8>, %d: tensor<1x4x6x6xi8>) {
  // expected-error@+1 {{src_zero_point 128 is no value of 'i8'}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xi8>) weights(%w : tensor<4x3x3x3xi8>) dst(%d : tensor<1x4x6x6xi8>) {src_zero_point = 128 : i64} -> tensor<1x4x6x6xi8>
  return
}

// -----

func.func @types_c2_float(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %d: tensor<1x4x6x6xf32>) {
  // expected-error@+1 {{src_zero_point 1 is no value of 'f32'}}
  %0 = onednn.convolution src(%x : tensor<1x3x8x8xf32>) weights(%w : tensor<4x3x3x3xf32>) dst(%d : tensor<1x4x6x6xf32>) {src_zero_point = 1 : i64} -> tensor<1x4x6x6xf32>
  return
}
