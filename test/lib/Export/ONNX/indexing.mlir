// RUN: nn-translate --export-onnx %s | FileCheck %s

func.func @main(%x: tensor<2x3xf32> {nn.name = "x"}, %k: tensor<i64> {nn.name = "k"},
                %i: tensor<2xi64> {nn.name = "i"}, %image: tensor<1x1x4x4xf32> {nn.name = "image"},
                %rois: tensor<2x4xf32> {nn.name = "rois"},
                %points: tensor<1x2x3x2xf32> {nn.name = "points"})
    -> (tensor<2x?xf32> {nn.name = "best"}, tensor<2x?xi64> {nn.name = "places"},
        tensor<2x2xf32> {nn.name = "columns"}, tensor<2x1x1x1xf32> {nn.name = "regions"},
        tensor<1x1x2x3xf32> {nn.name = "samples"}) {
  // In ONNX, k is a list of one.
  // CHECK: ] [[K:.*]] = Reshape (k, "topk/value")
  // CHECK: best, places = TopK <largest: int = 0> (x, [[K]])
  %0:2 = nn.topk %x, %k {largest = false} : (tensor<2x3xf32>, tensor<i64>) -> (tensor<2x?xf32>, tensor<2x?xi64>)
  // CHECK: columns = Gather <axis: int = 1> (x, i)
  %1 = nn.gather %x, %i {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x2xf32>
  // CHECK: regions = RoiAlign <coordinate_transformation_mode: string = "output_half_pixel"> (image, rois, i)
  %2 = nn.roi_align %image, %rois, %i {half_pixel = false}
      : (tensor<1x1x4x4xf32>, tensor<2x4xf32>, tensor<2xi64>) -> tensor<2x1x1x1xf32>
  // In ONNX, coordinates are in [-1, 1].
  // CHECK: ] [[SHAPE:.*]] = Shape <start: int = 2> (image)
  // CHECK: ] [[SIZES:.*]] = Slice ([[SHAPE]],
  // CHECK: ] [[TWICE:.*]] = Mul (points,
  // CHECK: ] [[SHIFTED:.*]] = Add ([[TWICE]],
  // CHECK: ] [[FLOATS:.*]] = Cast <to: int = 1> ([[SIZES]])
  // CHECK: ] [[SCALED:.*]] = Div ([[SHIFTED]], [[FLOATS]])
  // CHECK: ] [[GRID:.*]] = Sub ([[SCALED]],
  // CHECK: samples = GridSample (image, [[GRID]])
  %3 = nn.grid_sample %image, %points {normalized = false}
      : (tensor<1x1x4x4xf32>, tensor<1x2x3x2xf32>) -> tensor<1x1x2x3xf32>
  return %0#0, %0#1, %1, %2, %3
      : tensor<2x?xf32>, tensor<2x?xi64>, tensor<2x2xf32>, tensor<2x1x1x1xf32>, tensor<1x1x2x3xf32>
}
