// The cheapest offer is taken; options and measured times say otherwise.
//
// RUN: nn-opt %s -nn-set-target=target=cpu:x86-64-v4 -nn-place --remarks-filter=place 2> %t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: nn-opt %s -nn-set-target=target=cpu:x86-64-v4 -nn-place=prefer=onednn | FileCheck %s --check-prefix=ONEDNN
// RUN: nn-opt %s -nn-set-target=target=cpu:x86-64-v4 -nn-place=only=kernels | FileCheck %s --check-prefix=KERNELS
//
// A group's key is of what it computes, not of how things are called.
//
// RUN: sed -n 's/.*large.*key \([0-9a-f]*\).*/\1 kernels 10 # faster/p' %t.remarks > %t.tuning
// RUN: nn-opt %s -nn-set-target=target=cpu:x86-64-v4 -nn-place=tuning=%t.tuning | FileCheck %s --check-prefix=KERNELS
// RUN: sed 's/"large"/"other"/; s/%%x/%%renamed/g' %s | nn-opt - -nn-set-target=target=cpu:x86-64-v4 -nn-place=tuning=%t.tuning | FileCheck %s --check-prefix=KERNELS
// RUN: nn-opt %s -compile-to="place target=cpu:x86-64-v4 from=place tuning=%t.tuning" | FileCheck %s --check-prefix=KERNELS
//
// A threshold replaces the one that was found by measuring.
//
// RUN: echo 'threshold productWork 8000000' > %t.thresholds
// RUN: nn-opt %s -nn-set-target=target=cpu:x86-64-v4 -nn-place=tuning=%t.thresholds | FileCheck %s --check-prefix=KERNELS
//
// RUN: not nn-opt %s -nn-place=only=some 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not nn-opt %s -nn-place=tuning=%t.absent 2>&1 | FileCheck %s --check-prefix=FILE
// RUN: echo 'a onednn fast' > %t.bad
// RUN: not nn-opt %s -nn-place=tuning=%t.bad 2>&1 | FileCheck %s --check-prefix=LINE
//
// RUN: echo 'threshold productwork 1' > %t.unknown
// RUN: not nn-opt %s -nn-place=tuning=%t.unknown 2>&1 | FileCheck %s --check-prefix=UNKNOWN
//
// NAME: error: nn-place: there is no back end 'some'; there are onednn, kernels, linalg
// FILE: error: cannot read the tuning file '{{.*}}absent': No such file
// LINE: error: {{.*}}bad:1: a line of a tuning file is '<key of the group> <back end> <nanoseconds>'
// UNKNOWN: error: {{.*}}unknown:1: a threshold is 'threshold <name> <number>', with a name of include/nn/Target/Thresholds.def and a positive number
//
// REMARK-DAG: placed {{.*}}onednn.matmul by onednn, {{[0-9]+}} ns, key {{[0-9a-f]+}}
// REMARK-DAG: placed {{.*}}kernel contraction by kernels
// REMARK-DAG: placed {{.*}}kernel softmax by kernels
module {
  // CHECK-LABEL: func.func @main
  // CHECK: onednn.matmul
  // CHECK: rt.launch @kernel_packed_matmul_0
  // CHECK: rt.launch @kernel_softmax_0
  //
  // ONEDNN-LABEL: func.func @main
  // ONEDNN: onednn.matmul
  // ONEDNN: onednn.matmul
  // ONEDNN: onednn.softmax
  //
  // KERNELS-LABEL: func.func @main
  // KERNELS: rt.launch @kernel_matmul_0
  // KERNELS: rt.launch @kernel_packed_matmul_0
  // KERNELS: rt.launch @kernel_softmax_0
  func.func @main(%x: tensor<64x256xf32>, %y: tensor<4x64xf32>, %w: tensor<256x320xf32>) -> (tensor<64x320xf32>, tensor<4x64xf32>) {
    %v = nn.constant dense<1.0> : tensor<64x64xf32>
    %0 = nn.matmul %x, %w : (tensor<64x256xf32>, tensor<256x320xf32>) -> tensor<64x320xf32> loc("large")
    %1 = nn.matmul %y, %v : (tensor<4x64xf32>, tensor<64x64xf32>) -> tensor<4x64xf32> loc("small")
    %2 = nn.softmax %1 : (tensor<4x64xf32>) -> tensor<4x64xf32> loc("softmax")
    return %0, %2 : tensor<64x320xf32>, tensor<4x64xf32>
  }

  // A group that nobody computes as a whole is taken apart: nobody has a kernel for the
  // reduction of log-sum-exp.
  // CHECK-LABEL: func.func @parts
  // CHECK: rt.launch @kernel_elementwise_0
  // CHECK: nn.reduce_log_sum_exp
  // CHECK: rt.launch @kernel_elementwise_1
  func.func @parts(%x: tensor<64x256xf32>) -> tensor<64xf32> {
    %0 = nn.fusion (%a = %x : tensor<64x256xf32>) -> (tensor<64xf32>) {
      %1 = nn.abs %a : (tensor<64x256xf32>) -> tensor<64x256xf32> loc("abs")
      %2 = nn.reduce_log_sum_exp %1 {axes = array<i64: 1>, keepdims = false} : (tensor<64x256xf32>) -> tensor<64xf32> loc("sum")
      %3 = nn.relu %2 : (tensor<64xf32>) -> tensor<64xf32> loc("relu")
      nn.yield %3 : tensor<64xf32>
    } loc(fused["abs", "sum", "relu"])
    return %0 : tensor<64xf32>
  }
}
