// What a module is compiled for, and who obeys it.
//
// RUN: nn-opt %s -nn-set-target | FileCheck %s --check-prefix=PORTABLE
// RUN: nn-opt %s -nn-set-target=target=cpu:znver4,x86-64-v3 | FileCheck %s --check-prefix=LIST
// RUN: nn-opt %s -nn-set-target=target=cpu:native | FileCheck %s --check-prefix=NATIVE
// RUN: nn-opt %s -nn-set-target=target=cpu:znver4 -nn-set-target="target=cpu if-missing" | FileCheck %s --check-prefix=KEPT
// RUN: not nn-opt %s -nn-set-target=target=gpu 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not nn-opt %s -nn-set-target=target=cpu:abacus 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not nn-opt %s -nn-set-target=target=cpu:x86-64-v3+abacus 2>&1 | FileCheck %s --check-prefix=FEATURE
// RUN: not nn-opt %s -nn-set-target=target=cpu:znver4,znver4 2>&1 | FileCheck %s --check-prefix=TWICE
//
// PORTABLE: nn.target = #nn.target<cpu, processors = ["x86-64-v4+avx512vnni", "x86-64-v4", "x86-64-v3"], libraries = ["onednn"]>
// LIST: nn.target = #nn.target<cpu, processors = ["znver4", "x86-64-v3"], libraries = ["onednn"]>
// NATIVE: nn.target = #nn.target<cpu, processors = ["
// NATIVE-NOT: native
// KEPT: nn.target = #nn.target<cpu, processors = ["znver4"]
// KIND: error: unknown target 'gpu'; there are cpu and cuda
// CPU: error: unknown CPU 'abacus'; use a name that LLVM knows
// FEATURE: error: CPU 'x86-64-v3+abacus': kernels do not use 'abacus'; there are +avx512vnni and +avxvnni
// TWICE: error: target 'cpu:znver4,znver4' has the processor 'znver4' twice
//
// Code is lowered for the first processor. Without target=, the module's own counts.
//
// RUN: nn-opt %s -nn-set-target=target=cpu:x86-64-v3,x86-64-v4 -compile-to=emit | FileCheck %s --check-prefix=FIRST
// RUN: nn-opt %s -nn-set-target=target=cpu:x86-64-v4 -compile-to="emit target=cpu:x86-64-v3" | FileCheck %s --check-prefix=FIRST
// FIRST: llvm.func @nnrt_model_run_x86_64_v3
//
// A library that the target does not list is not called.
//
// RUN: nn-opt %s -compile-to=place | FileCheck %s --check-prefix=LIBRARY
// RUN: sed 's/^module/module attributes {nn.target = #nn.target<cpu, processors = ["x86-64-v4"]>}/' %s > %t.none.mlir
// RUN: nn-opt %t.none.mlir -compile-to=place | FileCheck %s --check-prefix=NO-LIBRARY
// RUN: sed 's/^module/module attributes {nn.target = #nn.target<cpu, processors = ["x86-64-v4"], libraries = ["other"]>}/' %s > %t.other.mlir
// RUN: not nn-opt %t.other.mlir -compile-to=place 2>&1 | FileCheck %s --check-prefix=OTHER
//
// Modules without anything of nn have a target too.
//
// RUN: echo 'func.func private @f()' > %t.empty.mlir
// RUN: nn-opt %t.empty.mlir -nn-place=only=onednn -nn-place=only=kernels -nn-convert-to-llvm -o %t.out.mlir
// RUN: not nn-translate %t.empty.mlir -o %t.so 2>&1 | FileCheck %s --check-prefix=NO-MAIN
// NO-MAIN: error: there is no function @main to compile
//
// LIBRARY: onednn.matmul
// NO-LIBRARY-NOT: onednn.
// OTHER: error: CPUs have no library 'other'; there is onednn{{$|,}}
module {
  func.func @main(%x: tensor<64x256xf32>, %w: tensor<256x320xf32>) -> tensor<64x320xf32> {
    %0 = nn.matmul %x, %w : (tensor<64x256xf32>, tensor<256x320xf32>) -> tensor<64x320xf32>
    return %0 : tensor<64x320xf32>
  }
}
