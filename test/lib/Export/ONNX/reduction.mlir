// Axes are operands in ONNX's newest opset; all of them are no operand. Those behind the
// channels are pooling.
// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<2x3xf32> {nn.name = "x"}, %i: tensor<1x2x4x4xf32> {nn.name = "i"})
    -> (tensor<2xf32> {nn.name = "mean"}, tensor<1x1xf32> {nn.name = "sum"},
        tensor<2x1xi64> {nn.name = "best"}, tensor<2x3xf32> {nn.name = "running"},
        tensor<1x2x1x1xf32> {nn.name = "pool"}) {
  // CHECK-DAG: int64[1] "reduce_mean/value" = {{ *}}{1}
  // CHECK-DAG: int64 "cumsum/value" = {{ *}}{1}
  // CHECK: mean = ReduceMean <keepdims: int = 0> (x, "reduce_mean/value")
  %0 = nn.reduce_mean %x {axes = array<i64: 1>, keepdims = false} : (tensor<2x3xf32>) -> tensor<2xf32>
  // CHECK: sum = ReduceSum (x)
  %1 = nn.reduce_sum %x : (tensor<2x3xf32>) -> tensor<1x1xf32>
  // CHECK: best = ArgMax <axis: int = 1, select_last_index: int = 1> (x)
  %2 = nn.argmax %x {axis = 1 : i64, select_last_index = true} : (tensor<2x3xf32>) -> tensor<2x1xi64>
  // CHECK: running = CumSum <reverse: int = 1> (x, "cumsum/value")
  %3 = nn.cumsum %x {axis = 1 : i64, reverse = true} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: pool = GlobalMaxPool (i)
  %4 = nn.reduce_max %i {axes = array<i64: 3, -2>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x1x1xf32>
  return %0, %1, %2, %3, %4 : tensor<2xf32>, tensor<1x1xf32>, tensor<2x1xi64>, tensor<2x3xf32>,
      tensor<1x2x1x1xf32>
}
