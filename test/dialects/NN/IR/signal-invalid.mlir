// RUN: nn-opt %s --split-input-file --verify-diagnostics

func.func @dft_c1(%x: tensor<3x8xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{the last dimension must be 1 (real) or 2 (complex)}}
  %0 = nn.dft %x {axis = 0 : i64} : (tensor<3x8xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @dft_c2(%x: tensor<3x8x1xf32>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{the axis is the dimension of real and imaginary parts}}
  %0 = nn.dft %x {axis = 2 : i64} : (tensor<3x8x1xf32>) -> tensor<3x8x2xf32>
  return
}

// -----

func.func @dft_c3(%x: tensor<3x8x1xf32>) {
  %n = nn.constant dense<0> : tensor<i64>
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{dft_length is 0, not positive}}
  %0 = nn.dft %x, %n : (tensor<3x8x1xf32>, tensor<i64>) -> tensor<3x0x2xf32>
  return
}

// -----

func.func @stft_c1(%x: tensor<3x8xf32>, %n: tensor<i64>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{the signal must have rank 3}}
  %0 = nn.stft %x step %n length %n : (tensor<3x8xf32>, tensor<i64>, tensor<i64>) -> tensor<?x?x?x2xf32>
  return
}

// -----

func.func @stft_c2(%x: tensor<1x8x1xf32>, %n: tensor<i64>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{a window or a frame length must be given}}
  %0 = nn.stft %x step %n : (tensor<1x8x1xf32>, tensor<i64>) -> tensor<?x?x?x2xf32>
  return
}

// -----

func.func @stft_c2_size(%x: tensor<1x8x1xf32>, %w: tensor<6xf32>, %n: tensor<i64>) {
  %five = nn.constant dense<5> : tensor<i64>
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{the window has 6 elements, the frame length is 5}}
  %0 = nn.stft %x step %n window %w length %five : (tensor<1x8x1xf32>, tensor<i64>, tensor<6xf32>, tensor<i64>) -> tensor<?x?x?x2xf32>
  return
}

// -----

func.func @stft_c3(%x: tensor<1x8x1xf32>, %w: tensor<9xf32>, %n: tensor<i64>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{the signal has 8 elements, fewer than a frame of 9}}
  %0 = nn.stft %x step %n window %w : (tensor<1x8x1xf32>, tensor<i64>, tensor<9xf32>) -> tensor<?x?x?x2xf32>
  return
}
