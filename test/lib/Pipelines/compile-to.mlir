// The compiler stops where it is told to, and prints what it has.
//
// RUN: nn-opt %s --compile-to=simplify | FileCheck %s --check-prefix=SIMPLIFY
// RUN: nn-opt %s --compile-to=legalize | FileCheck %s --check-prefix=LEGALIZE
// RUN: nn-opt %s --compile-to=fuse | FileCheck %s --check-prefix=FUSE
// RUN: nn-opt %s --compile-to=place | FileCheck %s --check-prefix=PLACE
// RUN: nn-opt %s --compile-to=bufferize | FileCheck %s --check-prefix=BUFFERIZE
// RUN: nn-opt %s --compile-to=emit | FileCheck %s --check-prefix=EMIT
// RUN: nn-opt %s --compile-to="emit target=cpu:x86-64-v3" | FileCheck %s --check-prefix=V3
// RUN: nn-opt %s --compile-to="place target=cpu:x86-64-v4" | FileCheck %s --check-prefix=WIDE
// RUN: nn-opt %s --compile-to="place target=cpu:x86-64-v3" | FileCheck %s --check-prefix=NARROW
// RUN: nn-opt %s --compile-to=fuse > %t.mlir
// RUN: nn-opt %t.mlir --compile-to="place from=place" | FileCheck %s --check-prefix=PLACE
// RUN: not nn-opt %s --compile-to="fuse from=place" 2>&1 | FileCheck %s --check-prefix=FROM
// RUN: not nn-opt %s --compile-to=nowhere 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: not nn-opt %s --compile-to="emit fast" 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: not nn-opt %s --compile-to="emit target=cpu:abacus" 2>&1 | FileCheck %s --check-prefix=CPU

// What the model says, as ONNX has it.
// SIMPLIFY: nn.conv
// SIMPLIFY-NOT: layout = 1
// SIMPLIFY: nn.batch_norm
// SIMPLIFY: nn.softmax

// Batch normalization is part of the weights, which are constants; convolutions are
// channels-last.
// LEGALIZE-NOT: nn.batch_norm
// LEGALIZE-NOT: nn.mul
// LEGALIZE-DAG: %[[W:.*]] = nn.constant dense<{{.*}}> : tensor<4x3x3x3xf32>
// LEGALIZE: nn.conv %{{.*}}, %[[W]], %{{.*}} {layout = 1 : i32
// LEGALIZE: nn.relu
// LEGALIZE: nn.softmax

// FUSE: nn.fusion
// FUSE: nn.conv
// FUSE-NEXT: nn.relu
// FUSE-NEXT: nn.yield

// No operator of nn is left but calls of kernels and constants.
// PLACE-NOT: = nn.conv
// PLACE-NOT: = nn.softmax
// PLACE: rt.launch @kernel_softmax
// PLACE: func.func private @kernel_softmax
// PLACE-SAME: nn.kernel = "softmax"

// A CPU's name says how wide the vectors of kernels are.
// WIDE: vector<16xf32>
// NARROW: vector<8xf32>
// NARROW-NOT: vector<16xf32>

// BUFFERIZE: nn.kernels = [
// BUFFERIZE-SAME: ["packed_conv", "norm + conv + relu"]
// BUFFERIZE-SAME: nn.weights = [
// BUFFERIZE: func.func @main(%{{.*}}: !llvm.ptr, %{{.*}}: memref<?x3x8x8xf32>
// BUFFERIZE-SAME: -> i32
// BUFFERIZE-NOT: memref.alloc
// BUFFERIZE: rt.arena
// BUFFERIZE: rt.output 0(

// EMIT-NOT: = {{(nn|memref|vector|scf|linalg)[.]}}
// EMIT: llvm.func @nnrt_model_run_x86_64_v4
// V3: llvm.func @nnrt_model_run_x86_64_v3
// NOWHERE: error: --compile-to takes a phase: simplify, legalize, fuse, place, bufferize or emit
// FROM: error: --compile-to: from= takes a phase that is not later than the last
// OPTION: error: --compile-to: unknown option 'fast'; there are from=<phase>, target=<target>, prefer=<back end> and tuning=<file>
// CPU: error: unknown CPU 'abacus'
func.func @main(%x: tensor<?x3x8x8xf32> {nn.name = "x", nn.dim_names = ["N", "", "", ""]})
    -> (tensor<?x4xf32> {nn.name = "y", nn.dim_names = ["N", ""]}) {
  %w = nn.constant dense<0.5> : tensor<4x3x3x3xf32>
  %scale = nn.constant dense<2.0> : tensor<4xf32>
  %zero = nn.constant dense<0.0> : tensor<4xf32>
  %0 = nn.conv %x, %w {pads = array<i64: 1, 1, 1, 1>} : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<?x4x8x8xf32> loc("conv")
  %1 = nn.batch_norm %0, %scale, %zero, %zero, %scale : (tensor<?x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<?x4x8x8xf32> loc("norm")
  %2 = nn.relu %1 : (tensor<?x4x8x8xf32>) -> tensor<?x4x8x8xf32> loc("relu")
  %3 = nn.reduce_mean %2 {axes = array<i64: 2, 3>, keepdims = false} : (tensor<?x4x8x8xf32>) -> tensor<?x4xf32> loc("mean")
  %4 = nn.softmax %3 : (tensor<?x4xf32>) -> tensor<?x4xf32> loc("softmax")
  return %4 : tensor<?x4xf32>
}
