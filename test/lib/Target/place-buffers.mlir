// RUN: nn-opt %s -split-input-file -nn-set-target=target=cuda -nn-place-buffers | FileCheck %s
// RUN: nn-opt %s -split-input-file -nn-place-buffers | FileCheck %s --check-prefix=CPU

// CPU-NOT: #gpu.address_space

// Inputs are copied to the device, results from it; the kernel's parameters are there.

// CHECK-LABEL: func.func @main
// CHECK-SAME: %{{.*}}: !llvm.ptr, %[[X:.*]]: memref<4xf32>
// CHECK: %[[XD:.*]] = memref.alloc() : memref<4xf32, #gpu.address_space<global>>
// CHECK: rt.copy %[[X]] to %[[XD]]
// CHECK: %[[OUT:.*]] = rt.output 0() : memref<4xf32>
// CHECK: %[[OD:.*]] = memref.alloc() : memref<4xf32, #gpu.address_space<global>>
// CHECK: rt.launch @k ins(%[[XD]] : {{.*}}) outs(%[[OD]]
// CHECK: rt.copy %[[OD]] to %[[OUT]]
// CHECK: func.func private @k(%{{.*}}: memref<4xf32, #gpu.address_space<global>>, %{{.*}}: memref<4xf32, #gpu.address_space<global>>
func.func @main(%ctx: !llvm.ptr, %x: memref<4xf32>) -> i32 {
  %c4 = arith.constant 4 : index
  %y = rt.output 0() : memref<4xf32>
  rt.launch @k ins(%x : memref<4xf32>) outs(%y : memref<4xf32>) scalars() count(%c4)
  %ok = arith.constant 0 : i32
  return %ok : i32
}
func.func private @k(%x: memref<4xf32>, %y: memref<4xf32>, %b: index, %e: index)
    attributes {nn.kernel = "loop"} {
  scf.for %i = %b to %e step %b {
    %v = memref.load %x[%i] : memref<4xf32>
    memref.store %v, %y[%i] : memref<4xf32>
  }
  return
}

// -----

// What only the host uses stays there. What it reads and writes of the device's is copied.

// CHECK-LABEL: func.func @main
// CHECK: %[[SIZES:.*]] = memref.alloc() : memref<2xi64>
// CHECK: memref.store %{{.*}}, %[[SIZES]]
// CHECK: rt.launch @k ins(%{{.*}}) outs(%[[V:.*]] : memref<8xf32, #gpu.address_space<global>>)
// CHECK: %[[E:.*]] = memref.subview %[[V]]
// CHECK: %[[H:.*]] = memref.alloc() : memref<f32>
// CHECK: rt.copy %[[E]] to %[[H]]
// CHECK: %[[READ:.*]] = memref.load %[[H]][] : memref<f32>
// CHECK: %[[F:.*]] = memref.subview %[[V]]
// CHECK: %[[G:.*]] = memref.alloc() : memref<f32>
// CHECK: memref.store %[[READ]], %[[G]][] : memref<f32>
// CHECK: rt.copy %[[G]] to %[[F]]
func.func @main(%ctx: !llvm.ptr, %x: memref<8xf32>) -> i32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %n = arith.constant 3 : i64
  %sizes = memref.alloc() : memref<2xi64>
  memref.store %n, %sizes[%c1] : memref<2xi64>
  %v = memref.alloc() : memref<8xf32>
  rt.launch @k ins(%x : memref<8xf32>) outs(%v : memref<8xf32>) scalars() count(%c8)
  %r = memref.load %v[%c1] : memref<8xf32>
  memref.store %r, %v[%c0] : memref<8xf32>
  %y = rt.output 0() : memref<8xf32>
  memref.copy %v, %y : memref<8xf32> to memref<8xf32>
  %ok = arith.constant 0 : i32
  return %ok : i32
}
func.func private @k(%x: memref<8xf32>, %y: memref<8xf32>, %b: index, %e: index)
    attributes {nn.kernel = "loop"} {
  return
}

// -----

// A kernel of the runtime works on copies; views are on the device with their buffer.

// CHECK-LABEL: func.func @main
// CHECK: rt.launch @k ins(%{{.*}}) outs(%[[V:.*]] : memref<2x4xf32, #gpu.address_space<global>>)
// CHECK: %[[FLAT:.*]] = memref.collapse_shape %[[V]] {{.*}} into memref<8xf32, #gpu.address_space<global>>
// CHECK: %[[FH:.*]] = memref.alloc() : memref<8xf32>
// CHECK: rt.copy %[[FLAT]] to %[[FH]]
// CHECK: rt.call topk ins(%[[FH]]
func.func @main(%ctx: !llvm.ptr, %x: memref<2x4xf32>) -> i32 {
  %c8 = arith.constant 8 : index
  %v = memref.alloc() : memref<2x4xf32>
  rt.launch @k ins(%x : memref<2x4xf32>) outs(%v : memref<2x4xf32>) scalars() count(%c8)
  %flat = memref.collapse_shape %v [[0, 1]] : memref<2x4xf32> into memref<8xf32>
  %values = rt.output 0() : memref<2xf32>
  %indices = rt.output 1 () : memref<2xi64>
  %scratch = memref.alloc() : memref<8xi64>
  rt.call topk ins(%flat : memref<8xf32>)
    outs(%values, %indices, %scratch : memref<2xf32>, memref<2xi64>, memref<8xi64>)
    {parameters = array<i64: 1, 0, 1>}
  %ok = arith.constant 0 : i32
  return %ok : i32
}
func.func private @k(%x: memref<2x4xf32>, %y: memref<2x4xf32>, %b: index, %e: index)
    attributes {nn.kernel = "loop"} {
  return
}
