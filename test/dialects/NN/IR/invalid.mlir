// Each constraint of the operators' documentation, by its name.
//
// RUN: nn-opt %s --split-input-file --verify-diagnostics

func.func @elementwise_broadcast(%x: tensor<2x3xf32>, %y: tensor<4xf32>) {
  // expected-error@+2 {{operands do not broadcast: dimension -1 is 3 and 4}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.add %x, %y : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @elementwise_types(%x: tensor<2xf32>, %y: tensor<2xf64>) {
  // expected-error@+2 {{operands have different element types}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.mul %x, %y : (tensor<2xf32>, tensor<2xf64>) -> tensor<2xf32>
  return
}

// -----

func.func @elementwise_float_only(%x: tensor<2xi32>) {
  // expected-error@+1 {{operand #0 must be ranked tensor of floating-point values, but got 'tensor<2xi32>'}}
  %0 = nn.exp %x : (tensor<2xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @elementwise_bool_only(%x: tensor<2xi32>) {
  // expected-error@+1 {{operand #0 must be ranked tensor of 1-bit signless integer values, but got 'tensor<2xi32>'}}
  %0 = nn.not %x : (tensor<2xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @compare_gives_bool(%x: tensor<2xf32>) {
  // expected-error@+1 {{result #0 must be ranked tensor of 1-bit signless integer values, but got 'tensor<2xf32>'}}
  %0 = nn.less %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @gelu_approximate(%x: tensor<2xf32>) {
  // expected-error@+1 {{approximate is 'exact', not 'none' or 'tanh'}}
  %0 = nn.gelu %x {approximate = "exact"} : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @clip_c1(%x: tensor<2xf32>, %m: tensor<2xf32>) {
  // expected-error@+1 {{bounds must have rank 0 and the input's type, not 'tensor<2xf32>'}}
  %0 = nn.clip %x min %m : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @where_condition(%c: tensor<2xf32>, %x: tensor<2xf32>) {
  // expected-error@+1 {{operand #0 must be ranked tensor of 1-bit signless integer values, but got 'tensor<2xf32>'}}
  %0 = nn.where %c, %x, %x : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @unranked(%x: tensor<*xf32>) {
  // expected-error@+1 {{operand #0 must be ranked tensor of floating-point or integer values, but got 'tensor<*xf32>'}}
  %0 = nn.relu %x : (tensor<*xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @matmul_c1(%x: tensor<2x3xf32>, %y: tensor<3x2xf16>) {
  // expected-error@+2 {{operands have different element types}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.matmul %x, %y : (tensor<2x3xf32>, tensor<3x2xf16>) -> tensor<2x2xf32>
  return
}

// -----

func.func @matmul_c2(%x: tensor<3xf32>, %y: tensor<3x2xf32>) {
  // expected-error@+2 {{a transposed operand must have rank 2 or more}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.matmul %x, %y {transpose_lhs} : (tensor<3xf32>, tensor<3x2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @matmul_c3(%x: tensor<2x3xf32>, %y: tensor<4x2xf32>) {
  // expected-error@+2 {{contracted dimensions differ: 3 and 4}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.matmul %x, %y : (tensor<2x3xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @gemm_c1(%x: tensor<1x2x3xf32>, %y: tensor<3x2xf32>) {
  // expected-error@+2 {{lhs and rhs must have rank 2, not 3 and 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.gemm %x, %y : (tensor<1x2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @gemm_c2(%x: tensor<2x3xf32>, %y: tensor<3x2xf32>) {
  // expected-error@+2 {{contracted dimensions differ: 3 and 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.gemm %x, %y {trans_rhs = true} : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @gemm_c3(%x: tensor<2x3xf32>, %y: tensor<3x2xf32>, %b: tensor<3xf32>) {
  // expected-error@+2 {{the bias does not broadcast to the product: 3 and 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.gemm %x, %y, %b : (tensor<2x3xf32>, tensor<3x2xf32>, tensor<3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @conv_c1(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3xf32>) {
  // expected-error@+1 {{input and weight must have one rank >= 3, not 4 and 3}}
  %0 = nn.conv %x, %w : (tensor<1x3x8x8xf32>, tensor<4x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c2(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error@+1 {{strides has 1 entries, not 2}}
  %0 = nn.conv %x, %w {strides = array<i64: 2>} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c2_pads(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error@+1 {{pads has 2 entries, not 4}}
  %0 = nn.conv %x, %w {pads = array<i64: 1, 1>} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c3(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error@+1 {{dilations holds 0, which is out of range}}
  %0 = nn.conv %x, %w {dilations = array<i64: 0, 1>} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c4(%x: tensor<1x4x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error@+1 {{the input has 4 channels, but group * weight's dimension 1 is 3}}
  %0 = nn.conv %x, %w : (tensor<1x4x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c4_group(%x: tensor<1x6x8x8xf32>, %w: tensor<5x3x3x3xf32>) {
  // expected-error@+1 {{the number of filters, 5, is not a multiple of group, 2}}
  %0 = nn.conv %x, %w {group = 2 : i64} : (tensor<1x6x8x8xf32>, tensor<5x3x3x3xf32>) -> tensor<1x5x6x6xf32>
  return
}

// -----

func.func @conv_c5(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<5xf32>) {
  // expected-error@+1 {{the bias must have 4 elements}}
  %0 = nn.conv %x, %w, %b : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<5xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c6(%x: tensor<1x3x1x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error@+2 {{the window does not fit into the padded input in spatial dimension 0: of a size of}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.conv %x, %w : (tensor<1x3x1x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x?x6xf32>
  return
}

// -----

func.func @conv_transpose_c1(%x: tensor<1x3x8x8xf32>, %w: tensor<3x4x3x3xf32>) {
  // expected-error@+2 {{strides, dilations, pads, output_padding and output_shape must fit 2 spatial dimensions}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.conv_transpose %x, %w {output_padding = array<i64: 1>} : (tensor<1x3x8x8xf32>, tensor<3x4x3x3xf32>) -> tensor<1x4x10x10xf32>
  return
}

// -----

func.func @pool_c1(%x: tensor<1x3x8x8xf32>) {
  // expected-error@+2 {{kernel_shape has 1 entries, not 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.max_pool %x {kernel_shape = array<i64: 2>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x7x7xf32>
  return
}

// -----

func.func @pool_c2(%x: tensor<1x3x8x8xf32>) {
  // expected-error@+1 {{pads holds -1, which is out of range}}
  %0 = nn.average_pool %x {kernel_shape = array<i64: 2, 2>, pads = array<i64: -1, 0, 0, 0>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x6x7xf32>
  return
}

// -----

func.func @batch_norm_c1(%x: tensor<1x3x8x8xf32>, %s: tensor<3xf32>, %m: tensor<4xf32>) {
  // expected-error@+1 {{scale, bias, mean and variance must have one entry a channel, not 'tensor<4xf32>'}}
  %0 = nn.batch_norm %x, %s, %s, %m, %s : (tensor<1x3x8x8xf32>, tensor<3xf32>, tensor<3xf32>, tensor<4xf32>, tensor<3xf32>) -> tensor<1x3x8x8xf32>
  return
}

// -----

func.func @instance_norm_c1(%x: tensor<1x3xf32>, %s: tensor<3xf32>) {
  // expected-error@+1 {{the input must have rank 3 or more, not 2}}
  %0 = nn.instance_norm %x, %s, %s : (tensor<1x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @layer_norm_c1(%x: tensor<2x3xf32>, %s: tensor<3xf32>) {
  // expected-error@+1 {{axis 2 is not in [-2, 2)}}
  %0 = nn.layer_norm %x, %s {axis = 2 : i64} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @lrn_c1(%x: tensor<1x3x8xf32>) {
  // expected-error@+1 {{size must be positive}}
  %0 = nn.lrn %x {size = 0 : i64} : (tensor<1x3x8xf32>) -> tensor<1x3x8xf32>
  return
}

// -----

func.func @softmax_c1(%x: tensor<2x3xf32>) {
  // expected-error@+1 {{axis -3 is not in [-2, 2)}}
  %0 = nn.softmax %x {axis = -3 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @reduce_c1(%x: tensor<2x3xf32>) {
  // expected-error@+2 {{axis -2 is given twice}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.reduce_sum %x {axes = array<i64: 0, -2>} : (tensor<2x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @arg_c1(%x: tensor<2x3xf32>) {
  // expected-error@+2 {{axis 2 is not in [-2, 2)}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.argmax %x {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x1xi64>
  return
}

// -----

func.func @concat_c1(%x: tensor<2x3xf32>, %y: tensor<2x3xf16>) {
  // expected-error@+2 {{inputs have different ranks or element types}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.concat %x, %y {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x3xf16>) -> tensor<4x3xf32>
  return
}

// -----

func.func @concat_c2(%x: tensor<2x3xf32>, %y: tensor<2x4xf32>) {
  // expected-error@+2 {{inputs differ in dimension 1: 3 and 4}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.concat %x, %y {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @depth_to_space_c1(%x: tensor<1x6x2x2xf32>) {
  // expected-error@+2 {{6 channels are no multiple of 4}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.depth_to_space %x {blocksize = 2 : i64} : (tensor<1x6x2x2xf32>) -> tensor<1x1x4x4xf32>
  return
}

// -----

func.func @flatten_c1(%x: tensor<2x3xf32>) {
  // expected-error@+2 {{axis 3 is not in [-2, 2]}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.flatten %x {axis = 3 : i64} : (tensor<2x3xf32>) -> tensor<6x1xf32>
  return
}

// -----

func.func @pad_c1(%x: tensor<2x3xf32>, %p: tensor<3xi64>) {
  // expected-error@+2 {{pads must have 4 elements}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.pad %x, %p : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @pad_mode(%x: tensor<2x3xf32>, %p: tensor<4xi64>) {
  // expected-error@+1 {{mode is 'mirror', not one of constant, reflect, edge, wrap}}
  %0 = nn.pad %x, %p {mode = "mirror"} : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @reshape_c2(%x: tensor<2x3xf32>, %s: tensor<?xi64>) {
  // expected-error@+2 {{the length of shape must be known at compile time}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.reshape %x, %s : (tensor<2x3xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @resize_c1(%x: tensor<1x3x4x4xf32>, %s: tensor<4xf32>, %n: tensor<4xi64>) {
  // expected-error@+2 {{exactly one of scales and sizes must be given}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.resize %x scales %s sizes %n : (tensor<1x3x4x4xf32>, tensor<4xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @resize_mode(%x: tensor<1x3x4x4xf32>, %s: tensor<4xf32>) {
  // expected-error@+1 {{mode is 'area', not one of nearest, linear, cubic}}
  %0 = nn.resize %x scales %s {mode = "area"} : (tensor<1x3x4x4xf32>, tensor<4xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @slice_c1(%x: tensor<2x3xf32>, %s: tensor<2xi64>, %e: tensor<1xi64>) {
  // expected-error@+2 {{starts, ends and steps must have an element for each of 1 axes}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.slice %x, %s, %e {axes = array<i64: 0>, steps = array<i64: 1>} : (tensor<2x3xf32>, tensor<2xi64>, tensor<1xi64>) -> tensor<?x3xf32>
  return
}

// -----

func.func @slice_c2(%x: tensor<2x3xf32>, %s: tensor<1xi64>) {
  // expected-error@+2 {{a step is 0}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.slice %x, %s, %s {axes = array<i64: 0>, steps = array<i64: 0>} : (tensor<2x3xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x3xf32>
  return
}

// -----

func.func @space_to_depth_c1(%x: tensor<1x3x5x4xf32>) {
  // expected-error@+2 {{spatial size 5 is no multiple of 2}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.space_to_depth %x {blocksize = 2 : i64} : (tensor<1x3x5x4xf32>) -> tensor<1x12x2x2xf32>
  return
}

// -----

func.func @split_c1(%x: tensor<5x3xf32>) {
  // expected-error@+2 {{sizes sum up to 4, but dimension 0 is 5}}
  // expected-error@+1 {{failed to infer returned types}}
  %0:2 = nn.split %x {sizes = array<i64: 2, 2>} : (tensor<5x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>)
  return
}

// -----

func.func @squeeze_c1(%x: tensor<2x1xf32>) {
  // expected-error@+2 {{dimension 0 is 2, not 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.squeeze %x {axes = array<i64: 0>} : (tensor<2x1xf32>) -> tensor<1xf32>
  return
}

// -----

func.func @tile_c1(%x: tensor<2x3xf32>, %r: tensor<3xi64>) {
  // expected-error@+2 {{repeats must have an element for each of 2 dimensions}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.tile %x, %r : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @transpose_c1(%x: tensor<2x3xf32>) {
  // expected-error@+2 {{perm is not a permutation of 2 dimensions}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.transpose %x {perm = array<i64: 0, 0>} : (tensor<2x3xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @unsqueeze_c1(%x: tensor<2x3xf32>) {
  // expected-error@+2 {{axis -4 is given twice}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.unsqueeze %x {axes = array<i64: 0, -4>} : (tensor<2x3xf32>) -> tensor<1x1x2x3xf32>
  return
}

// -----

func.func @constant_of_shape_c1(%s: tensor<2xi64>) {
  // expected-error@+2 {{value has 2 elements, not 1}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.constant_of_shape %s {value = dense<[1.0, 2.0]> : tensor<2xf32>} : (tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @constant_of_shape_c2(%s: tensor<?xi64>) {
  // expected-error@+2 {{the length of shape must be known at compile time}}
  // expected-error@+1 {{failed to infer returned types}}
  %0 = nn.constant_of_shape %s {value = dense<1.0> : tensor<1xf32>} : (tensor<?xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @quantize_c1(%x: tensor<2x3xf32>, %s: tensor<f32>, %z: tensor<3xi8>) {
  // expected-error@+1 {{zero_point has the shape of 'tensor<3xi8>', scale that of 'tensor<f32>'}}
  %0 = nn.quantize %x, %s, %z {to = i8} : (tensor<2x3xf32>, tensor<f32>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_c2(%x: tensor<2x3xf32>, %s: tensor<3xf32>) {
  // expected-error@+1 {{axis 2 is not in [-2, 2)}}
  %0 = nn.quantize %x, %s {to = i8, axis = 2 : i64} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi8>
  return
}

// -----

func.func @fusion_c1(%x: tensor<2xf32>) {
  // expected-error@+1 {{the values yielded do not have the results' types}}
  %0 = nn.fusion (%a = %x : tensor<2xf32>) -> (tensor<3xf32>) { nn.yield %a : tensor<2xf32> }
  return
}

// -----

func.func @conv_c7(%x: tensor<1x3x8x8xui8>, %w: tensor<4x3x3x3xi8>) {
  // expected-error@+1 {{input_zero_point -1 is no value of 'ui8'}}
  %0 = nn.conv %x, %w {input_zero_point = -1 : i64} : (tensor<1x3x8x8xui8>, tensor<4x3x3x3xi8>) -> tensor<1x4x6x6xi32>
  return
}

// -----

func.func @conv_c7_float(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error@+1 {{input_zero_point 1 is no value of 'f32'}}
  %0 = nn.conv %x, %w {input_zero_point = 1 : i64} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

func.func @conv_c1_integers(%x: tensor<1x3x8x8xi16>, %w: tensor<4x3x3x3xi16>) {
  // expected-error@+1 {{operands must be floats, or integers of 8 bits}}
  %0 = nn.conv %x, %w : (tensor<1x3x8x8xi16>, tensor<4x3x3x3xi16>) -> tensor<1x4x6x6xi16>
  return
}

// -----

func.func @conv_c1_bias(%x: tensor<1x3x8x8xui8>, %w: tensor<4x3x3x3xi8>, %b: tensor<4xf32>) {
  // expected-error@+1 {{the bias has another element type than the sums}}
  %0 = nn.conv %x, %w, %b : (tensor<1x3x8x8xui8>, tensor<4x3x3x3xi8>, tensor<4xf32>) -> tensor<1x4x6x6xi32>
  return
}
