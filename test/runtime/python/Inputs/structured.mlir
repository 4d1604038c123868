// Values that are several tensors: a sequence whose elements are doubled, an optional
// that is negated, and an optional sequence that is handed on.
module {
  func.func @main(
      %elements: tensor<?xf32> {nn.name = "xs.elements", nn.value = "xs", nn.part = "elements"},
      %sizes: tensor<?xi64> {nn.name = "xs.sizes", nn.value = "xs", nn.part = "sizes"},
      %items: tensor<?x2xi64> {nn.name = "xs.items", nn.value = "xs", nn.part = "items"},
      %bias: tensor<f32> {nn.name = "bias"},
      %present: tensor<i1> {nn.name = "opt.present", nn.value = "opt", nn.part = "present"},
      %value: tensor<?x3xf32> {nn.name = "opt.value", nn.value = "opt", nn.part = "value"},
      %more: tensor<i1> {nn.name = "more.present", nn.value = "more", nn.part = "present"},
      %more_elements: tensor<?xi64> {nn.name = "more.elements", nn.value = "more", nn.part = "elements"},
      %more_sizes: tensor<?xi64> {nn.name = "more.sizes", nn.value = "more", nn.part = "sizes"},
      %more_items: tensor<?x2xi64> {nn.name = "more.items", nn.value = "more", nn.part = "items"})
      -> (
      tensor<?xf32> {nn.name = "ys.elements", nn.value = "ys", nn.part = "elements"},
      tensor<?xi64> {nn.name = "ys.sizes", nn.value = "ys", nn.part = "sizes"},
      tensor<?x2xi64> {nn.name = "ys.items", nn.value = "ys", nn.part = "items"},
      tensor<i1> {nn.name = "neg.present", nn.value = "neg", nn.part = "present"},
      tensor<?x3xf32> {nn.name = "neg.value", nn.value = "neg", nn.part = "value"},
      tensor<i1> {nn.name = "same.present", nn.value = "same", nn.part = "present"},
      tensor<?xi64> {nn.name = "same.elements", nn.value = "same", nn.part = "elements"},
      tensor<?xi64> {nn.name = "same.sizes", nn.value = "same", nn.part = "sizes"},
      tensor<?x2xi64> {nn.name = "same.items", nn.value = "same", nn.part = "items"}) {
    %twice = nn.add %elements, %elements : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    %sum = nn.add %twice, %bias : (tensor<?xf32>, tensor<f32>) -> tensor<?xf32>
    %neg = nn.neg %value : (tensor<?x3xf32>) -> tensor<?x3xf32>
    return %sum, %sizes, %items, %present, %neg, %more, %more_elements, %more_sizes, %more_items
        : tensor<?xf32>, tensor<?xi64>, tensor<?x2xi64>, tensor<i1>, tensor<?x3xf32>,
          tensor<i1>, tensor<?xi64>, tensor<?xi64>, tensor<?x2xi64>
  }
}
