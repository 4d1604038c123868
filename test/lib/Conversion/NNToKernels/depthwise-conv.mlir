// RUN: nn-opt %s -split-input-file -nn-place=only=kernels,onednn | FileCheck %s
// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=kernels,onednn | FileCheck %s --check-prefix=AVX2

// Preferred to oneDNN; the weight is packed to KH x KW x C, with the epilogue inside.
// CHECK-LABEL: func.func @main(
// CHECK: nn.constant {{.*}} : tensor<3x3x16xf32>
// CHECK: rt.launch @kernel_depthwise_conv_0
// CHECK: func.func private @kernel_depthwise_conv_0
// CHECK: scf.for {{.*}} iter_args
// CHECK: vector.fma
// CHECK: arith.maximumf
// CHECK: vector.store
func.func @main(%x: tensor<1x9x30x16xf32>) -> tensor<1x9x30x16xf32> {
  %w = nn.constant dense<0.5> : tensor<16x1x3x3xf32>
  %0 = nn.fusion (%a = %x : tensor<1x9x30x16xf32>, %b = %w : tensor<16x1x3x3xf32>) -> (tensor<1x9x30x16xf32>) {
    %1 = nn.conv %a, %b {group = 16 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x9x30x16xf32>, tensor<16x1x3x3xf32>) -> tensor<1x9x30x16xf32>
    %2 = nn.relu %1 : (tensor<1x9x30x16xf32>) -> tensor<1x9x30x16xf32>
    nn.yield %2 : tensor<1x9x30x16xf32>
  }
  return %0 : tensor<1x9x30x16xf32>
}

// -----

// Other convolutions are those of another template.
// CHECK-LABEL: func.func @main(
// CHECK-NOT: rt.launch @kernel_depthwise
// CHECK: rt.launch @kernel_packed_conv_0
// CHECK-NOT: rt.launch @kernel_depthwise
func.func @main(%x: tensor<1x9x30x16xf32>) -> tensor<1x9x30x8xf32> {
  %w = nn.constant dense<0.5> : tensor<8x16x1x1xf32>
  %0 = nn.conv %x, %w {layout = 1 : i32} : (tensor<1x9x30x16xf32>, tensor<8x16x1x1xf32>) -> tensor<1x9x30x8xf32>
  return %0 : tensor<1x9x30x8xf32>
}

// -----

// Integers are read as 8 bits, multiplied in f32, less the zero point since the padding
// is left out, and stored as 8 bits: sums stay floats until a conversion rounds them. Blocks have
// two rows of the result; each row of the input under them may lie outside.
// CHECK-LABEL: func.func @main(
// CHECK: rt.launch @kernel_depthwise_conv_0
// CHECK: func.func private @kernel_depthwise_conv_0
// CHECK: vector.load {{.*}} vector<16xi8>
// CHECK: arith.uitofp {{.*}} vector<16xi8> to vector<16xf32>
// CHECK: arith.subf
// CHECK: vector.fma
// CHECK-COUNT-3: scf.if
// CHECK-NOT: arith.fptosi
// CHECK: arith.minimumf
// CHECK-NEXT: llvm.call_intrinsic "llvm.lrint"({{.*}}) : (vector<16xf32>) -> vector<16xi32>
// CHECK: arith.maxsi
// CHECK: arith.minsi
// CHECK-NEXT: arith.trunci {{.*}} vector<16xi32> to vector<16xi8>
// CHECK: vector.store {{.*}} vector<16xi8>
func.func @main(%x: tensor<1x9x30x16xui8>) -> tensor<1x9x30x16xui8> {
  %w = nn.constant dense<5> : tensor<16x1x3x3xi8>
  %0 = nn.fusion (%a = %x : tensor<1x9x30x16xui8>, %b = %w : tensor<16x1x3x3xi8>) -> (tensor<1x9x30x16xui8>) {
    %low = nn.constant dense<0.0> : tensor<f32>
    %high = nn.constant dense<255.0> : tensor<f32>
    %1 = nn.conv %a, %b {group = 16 : i64, input_zero_point = 7 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x9x30x16xui8>, tensor<16x1x3x3xi8>) -> tensor<1x9x30x16xi32>
    %2 = nn.cast %1 {to = f32} : (tensor<1x9x30x16xi32>) -> tensor<1x9x30x16xf32>
    %r = nn.round %2 : (tensor<1x9x30x16xf32>) -> tensor<1x9x30x16xf32>
    %3 = nn.clip %r min %low max %high : (tensor<1x9x30x16xf32>, tensor<f32>, tensor<f32>) -> tensor<1x9x30x16xf32>
    %4 = nn.cast %3 {to = ui8} : (tensor<1x9x30x16xf32>) -> tensor<1x9x30x16xui8>
    nn.yield %4 : tensor<1x9x30x16xui8>
  }
  return %0 : tensor<1x9x30x16xui8>
}

// -----

// The bias of 8-bit integers is added in i32: f32 need not hold it.
// CHECK-LABEL: func.func @integer_bias(
// CHECK: func.func private @kernel_depthwise_conv
// CHECK: %[[SUM:.*]] = arith.fptosi {{.*}} to vector<16xi32>
// CHECK: %[[BIAS:.*]] = vector.load {{.*}} vector<16xi32>
// CHECK: arith.addi %[[SUM]], %[[BIAS]] : vector<16xi32>
func.func @integer_bias(%x: tensor<1x9x30x16xui8>, %b: tensor<16xi32>) -> tensor<1x9x30x16xi32> {
  %w = nn.constant dense<1> : tensor<16x1x3x3xi8>
  %0 = nn.conv %x, %w, %b {group = 16 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x9x30x16xui8>, tensor<16x1x3x3xi8>, tensor<16xi32>) -> tensor<1x9x30x16xi32>
  return %0 : tensor<1x9x30x16xi32>
}

// -----

// Small groups. Weights are packed to KH x KW x D x C, each vector of the input
// is shuffled once for each of the two channels of its groups.
// CHECK-LABEL: func.func @groups(
// CHECK: func.func private @kernel_depthwise_conv_0
// CHECK: vector.shuffle {{.*}} [0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14]
// AVX2-LABEL: func.func @groups(
// AVX2: nn.constant {{.*}} : tensor<3x3x2x16xf32>
// AVX2: rt.launch @kernel_depthwise_conv_0
// AVX2: func.func private @kernel_depthwise_conv_0
// AVX2: vector.shuffle {{.*}} [0, 0, 2, 2, 4, 4, 6, 6]
// AVX2: vector.shuffle {{.*}} [1, 1, 3, 3, 5, 5, 7, 7]
func.func @groups(%x: tensor<1x9x30x16xf32>) -> tensor<1x9x30x16xf32> {
  %w = nn.constant dense<0.5> : tensor<16x2x3x3xf32>
  %0 = nn.conv %x, %w {group = 8 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x9x30x16xf32>, tensor<16x2x3x3xf32>) -> tensor<1x9x30x16xf32>
  return %0 : tensor<1x9x30x16xf32>
}

// -----

// Several filters a channel: a vector holds two whole groups of three filters.
// AVX2-LABEL: func.func @multiplier(
// AVX2: func.func private @kernel_depthwise_conv_0
// AVX2: vector.shuffle {{.*}} [0, 0, 0, 1, 1, 1] : vector<2xf32>, vector<2xf32>
func.func @multiplier(%x: tensor<1x9x30x8xf32>) -> tensor<1x9x30x24xf32> {
  %w = nn.constant dense<0.5> : tensor<24x1x3x3xf32>
  %0 = nn.conv %x, %w {group = 8 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x9x30x8xf32>, tensor<24x1x3x3xf32>) -> tensor<1x9x30x24xf32>
  return %0 : tensor<1x9x30x24xf32>
}

// -----

// Rows of many taps are a loop of four taps at a time and three more. Inputs outside are
// replaced by zeros at the border.
// CHECK-LABEL: func.func @long_rows(
// CHECK: rt.launch @kernel_depthwise_conv_0
// AVX2-LABEL: func.func @long_rows(
// AVX2: func.func private @kernel_depthwise_conv_0
// AVX2-DAG: %[[STEP:.*]] = arith.constant 4 : index
// AVX2-DAG: %[[END:.*]] = arith.constant 28 : index
// AVX2: scf.for {{.*}} to %[[END]] step %[[STEP]] iter_args
// AVX2: arith.select {{.*}} : vector<8xf32>
// AVX2-COUNT-24: vector.fma
// AVX2: scf.yield
// AVX2-COUNT-18: vector.fma
func.func @long_rows(%x: tensor<1x300x16xf32>) -> tensor<1x300x16xf32> {
  %w = nn.constant dense<0.5> : tensor<16x1x31xf32>
  %0 = nn.conv %x, %w {group = 16 : i64, layout = 1 : i32, pads = array<i64: 15, 15>} : (tensor<1x300x16xf32>, tensor<16x1x31xf32>) -> tensor<1x300x16xf32>
  return %0 : tensor<1x300x16xf32>
}
