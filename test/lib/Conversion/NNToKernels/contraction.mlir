// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v3 -nn-place=only=kernels,onednn | FileCheck %s
// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v4 -nn-place=only=kernels,onednn | FileCheck %s --check-prefix=WIDE
// RUN: nn-opt %s -split-input-file -nn-set-target=target=cpu:x86-64-v4+avx512vnni -nn-place=only=kernels,onednn | FileCheck %s --check-prefix=VNNI

// Padded rows are copied; weights are packed to panels of 16 columns, behind which lie
// zeros. kw and c are one loop.
// CHECK-LABEL: func.func @main(
// CHECK: nn.constant {{.*}} : tensor<2312xf32>
// CHECK: rt.launch @kernel_packed_conv_0
// CHECK: func.func private @kernel_packed_conv_0
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<{{.*}}xf32>
// CHECK: %[[DEPTH:.*]] = arith.constant 24 : index
// CHECK: scf.for {{.*}} to %[[DEPTH]] {{.*}} iter_args
// CHECK-COUNT-12: vector.fma
// CHECK: arith.maximumf
// CHECK: vector.store

// Tiles of eight pixels hide the latency of wide vectors. 30 pixels are 4 x 7 and 2, in
// tiles of about equal size.
// WIDE-LABEL: func.func @main(
// WIDE: rt.launch @kernel_packed_conv_0
// WIDE: func.func private @kernel_packed_conv_0
// WIDE: vector.fma {{.*}} : vector<16xf32>
func.func @main(%x: tensor<1x9x30x8xf32>) -> tensor<1x9x30x20xf32> {
  %w = nn.constant dense<0.5> : tensor<20x8x3x3xf32>
  %0 = nn.fusion (%a = %x : tensor<1x9x30x8xf32>, %b = %w : tensor<20x8x3x3xf32>) -> (tensor<1x9x30x20xf32>) {
    %1 = nn.conv %a, %b {layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x9x30x8xf32>, tensor<20x8x3x3xf32>) -> tensor<1x9x30x20xf32>
    %2 = nn.relu %1 : (tensor<1x9x30x20xf32>) -> tensor<1x9x30x20xf32>
    nn.yield %2 : tensor<1x9x30x20xf32>
  }
  return %0 : tensor<1x9x30x20xf32>
}

// -----

// Groups are gathered: each pixel has a pointer for each tap.
// CHECK-LABEL: func.func @groups(
// CHECK: rt.launch @kernel_packed_conv_0
// CHECK: func.func private @kernel_packed_conv_0
// CHECK-COUNT-6: llvm.inttoptr
// CHECK-NOT: llvm.inttoptr
// CHECK: vector.fma
func.func @groups(%x: tensor<?x9x30x16xf32>) -> tensor<?x9x30x32xf32> {
  %w = nn.constant dense<0.5> : tensor<32x8x3x3xf32>
  %0 = nn.conv %x, %w {group = 2 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<?x9x30x16xf32>, tensor<32x8x3x3xf32>) -> tensor<?x9x30x32xf32>
  return %0 : tensor<?x9x30x32xf32>
}

// -----

// 8-bit integers are copied as 16 bits, as are weights when they are loaded, and multiplied by pairs.
// CHECK-LABEL: func.func @integers(
// CHECK: nn.constant {{.*}} : tensor<{{.*}}xi8>
// CHECK: rt.launch @kernel_packed_conv_0
// CHECK: func.func private @kernel_packed_conv_0
// CHECK: arith.extui {{.*}} : vector<16xi8> to vector<16xi16>
// CHECK: arith.subi {{.*}} : vector<16xi16>
// CHECK: vector.broadcast {{.*}} : i32 to vector<8xi32>
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// WIDE-LABEL: func.func @integers(
// WIDE: llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"
// With VNNI four bytes are multiplied at a time. Inputs keep their zero point, which padding
// has, too, and the sums of each row of taps begin with what it makes too much.
// VNNI-LABEL: func.func @integers(
// VNNI: nn.constant dense<-840> : tensor<3x20xi32>
// VNNI: func.func private @kernel_packed_conv_0
// VNNI: arith.constant dense<7> : vector<64xi8>
// VNNI: vector.load {{.*}} memref<?xi32>, vector<16xi32>
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
func.func @integers(%x: tensor<1x9x30x8xui8>) -> tensor<1x9x30x20xi32> {
  %w = nn.constant dense<5> : tensor<20x8x3x3xi8>
  %0 = nn.conv %x, %w {input_zero_point = 7 : i64, layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x9x30x8xui8>, tensor<20x8x3x3xi8>) -> tensor<1x9x30x20xi32>
  return %0 : tensor<1x9x30x20xi32>
}

// -----

// Inputs without a zero point are read where they lie.
// VNNI-LABEL: func.func @long_sums(
// VNNI: rt.launch @kernel_packed_matmul_0
// VNNI-NOT: memref.alloca() {{.*}}xi8>
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// WIDE-LABEL: func.func @long_sums(
// WIDE: rt.launch @kernel_packed_matmul_0
// WIDE: llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"
func.func @long_sums(%x: tensor<?x600xui8>) -> tensor<?x20xi32> {
  %w = nn.constant dense<5> : tensor<600x20xi8>
  %0 = nn.matmul %x, %w : (tensor<?x600xui8>, tensor<600x20xi8>) -> tensor<?x20xi32>
  return %0 : tensor<?x20xi32>
}

// -----

// A product with more rows and columns than small ones have; what is left of the rows is
// computed by twos and ones.
// CHECK-LABEL: func.func @product(
// CHECK: rt.launch @kernel_packed_matmul_0
// CHECK: func.func private @kernel_packed_matmul_0
// CHECK-COUNT-12: vector.fma
func.func @product(%x: tensor<?x512xf32>) -> tensor<?x512xf32> {
  %w = nn.constant dense<0.5> : tensor<512x512xf32>
  %0 = nn.matmul %x, %w : (tensor<?x512xf32>, tensor<512x512xf32>) -> tensor<?x512xf32>
  return %0 : tensor<?x512xf32>
}

// -----

// Large convolutions with windows are a little faster in oneDNN where vectors are wide.
// CHECK-LABEL: func.func @large(
// CHECK: rt.launch @kernel_packed_conv_0
// WIDE-LABEL: func.func @large(
// WIDE: onednn.convolution
func.func @large(%x: tensor<1x56x56x128xf32>) -> tensor<1x56x56x128xf32> {
  %w = nn.constant dense<0.5> : tensor<128x128x3x3xf32>
  %0 = nn.conv %x, %w {layout = 1 : i32, pads = array<i64: 1, 1, 1, 1>} : (tensor<1x56x56x128xf32>, tensor<128x128x3x3xf32>) -> tensor<1x56x56x128xf32>
  return %0 : tensor<1x56x56x128xf32>
}

// -----

// A transposed convolution has 2 x 2 phases: outputs that read the same taps. A tile writes
// to every second column.
// WIDE-LABEL: func.func @transposed(
// WIDE: rt.launch @kernel_packed_conv_transpose_0
// WIDE: vector<16xf32>
// CHECK-LABEL: func.func @transposed(
// CHECK: rt.launch @kernel_packed_conv_transpose_0
// CHECK: func.func private @kernel_packed_conv_transpose_0
// CHECK: memref.alloca() {{.*}} : memref<6xindex>
// CHECK: arith.constant 4 : index
// CHECK-COUNT-6: llvm.inttoptr
// CHECK-NOT: llvm.inttoptr
// CHECK-COUNT-12: vector.fma
func.func @transposed(%x: tensor<?x9x30x16xf32>) -> tensor<?x18x60x32xf32> {
  %w = nn.constant dense<0.5> : tensor<16x32x4x4xf32>
  %0 = nn.conv_transpose %x, %w {layout = 1 : i32, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : (tensor<?x9x30x16xf32>, tensor<16x32x4x4xf32>) -> tensor<?x18x60x32xf32>
  return %0 : tensor<?x18x60x32xf32>
}

// -----

// Channels first, weights known at run time only.
// CHECK-LABEL: func.func @others(
// CHECK: onednn.convolution
// CHECK: onednn.convolution
// CHECK-NOT: rt.launch
func.func @others(%x: tensor<1x8x9x30xf32>, %y: tensor<1x9x30x8xf32>, %w: tensor<20x8x1x1xf32>) -> (tensor<1x20x9x30xf32>, tensor<1x9x30x20xf32>) {
  %c = nn.constant dense<0.5> : tensor<20x8x1x1xf32>
  %0 = nn.conv %x, %c : (tensor<1x8x9x30xf32>, tensor<20x8x1x1xf32>) -> tensor<1x20x9x30xf32>
  %1 = nn.conv %y, %w {layout = 1 : i32} : (tensor<1x9x30x8xf32>, tensor<20x8x1x1xf32>) -> tensor<1x9x30x20xf32>
  return %0, %1 : tensor<1x20x9x30xf32>, tensor<1x9x30x20xf32>
}
