// RUN: nn-opt %s -nn-set-target=target=cuda -nn-outline-device-code | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK: rt.launch_device "k_threads"(%{{.*}}, %{{.*}}, %{{.*}} : {{.*}}, {{.*}}, index) count(%{{.*}})
func.func @main(%ctx: !llvm.ptr, %x: memref<?xf32, #gpu.address_space<global>>, %n: index) {
  rt.launch @k ins(%x : memref<?xf32, #gpu.address_space<global>>)
    outs(%x : memref<?xf32, #gpu.address_space<global>>) scalars(%n) count(%n)
  return
}

// CHECK: gpu.module @device
// CHECK: func.func private @k(
// CHECK: gpu.func @k_threads(%[[X:.*]]: memref<?xf32, {{.*}}>, %[[Y:.*]]: memref<?xf32, {{.*}}>, %[[N:.*]]: index, %[[COUNT:.*]]: index) kernel
// CHECK-SAME: ["nn-buffers", "1x4,1x4"]
// CHECK: %[[FIRST:.*]] = arith.muli %block_id_x, %block_dim_x
// CHECK: %[[I:.*]] = arith.addi %[[FIRST]], %thread_id_x
// CHECK: %[[IN:.*]] = arith.cmpi ult, %[[I]], %[[COUNT]]
// CHECK: scf.if %[[IN]]
// CHECK: %[[END:.*]] = arith.addi %[[I]]
// CHECK: func.call @k(%[[X]], %[[Y]], %[[N]], %[[I]], %[[END]])
func.func private @k(%x: memref<?xf32, #gpu.address_space<global>>,
                     %y: memref<?xf32, #gpu.address_space<global>>, %n: index, %b: index,
                     %e: index) attributes {nn.kernel = "loop"} {
  return
}
