// RUN: nn-opt %s --split-input-file --verify-diagnostics

// cast_c1
func.func @round_mode(%x: tensor<4xf32>) {
  // expected-error @below {{round_mode is 'sideways', not 'up', 'down' or 'nearest'}}
  %0 = nn.cast %x {to = f8E8M0FNU, round_mode = "sideways"} : (tensor<4xf32>) -> tensor<4xf8E8M0FNU>
  return
}

// -----

// decode_float_c1
func.func @decode(%x: tensor<4xui8>) {
  // expected-error @below {{format is no float of 8 bits or less that ONNX has}}
  // expected-error @below {{failed to infer returned types}}
  %0 = nn.decode_float %x {format = f16} : (tensor<4xui8>) -> tensor<4xf32>
  return
}

// -----

// encode_float_c1
func.func @encode(%x: tensor<4xf32>) {
  // expected-error @below {{format is no float of 8 bits or less that ONNX has}}
  // expected-error @below {{failed to infer returned types}}
  %0 = nn.encode_float %x {format = f8E3M4} : (tensor<4xf32>) -> tensor<4xui8>
  return
}

// -----

// bitcast_c1: types that share bytes in files have their own number of bits.
func.func @bitcast(%x: tensor<4xi4>) {
  // expected-error @below {{cannot read the bits of another size of element}}
  // expected-error @below {{failed to infer returned types}}
  %0 = nn.bitcast %x {to = i8} : (tensor<4xi4>) -> tensor<4xi8>
  return
}

// -----

func.func @arithmetic(%x: tensor<4xi4>) {
  // expected-error @below {{must be ranked tensor of}}
  %0 = nn.add %x, %x : (tensor<4xi4>, tensor<4xi4>) -> tensor<4xi4>
  return
}

// -----

func.func @comparison(%x: tensor<4xf8E5M2>) {
  // expected-error @below {{must be ranked tensor of}}
  %0 = nn.equal %x, %x : (tensor<4xf8E5M2>, tensor<4xf8E5M2>) -> tensor<4xi1>
  return
}
