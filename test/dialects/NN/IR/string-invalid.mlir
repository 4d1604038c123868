// RUN: nn-opt %s --split-input-file --verify-diagnostics

func.func @map_strings_c1(%x: tensor<2xi64>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{concat takes 2 operands}}
  %0 = nn.map_strings concat %x : (tensor<2xi64>) -> tensor<2xi64>
  return
}

// -----

func.func @map_strings_c2(%x: tensor<2xf32>) {
  // expected-error @+1 {{operand #0 must be strings, but got 'tensor<2xf32>'}}
  %0 = nn.map_strings lower %x : (tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @map_strings_c2_limit(%x: tensor<2xi64>, %n: tensor<i32>) {
  // expected-error @+1 {{operand #2 must be 64-bit integers, but got 'tensor<i32>'}}
  %0 = nn.map_strings count_pieces %x, %x, %n : (tensor<2xi64>, tensor<2xi64>, tensor<i32>) -> tensor<2xi64>
  return
}

// -----

func.func @map_strings_c3(%x: tensor<2xi64>) {
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{parse needs a type 'to'}}
  %0 = nn.map_strings parse %x : (tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @map_strings_c3_format(%x: tensor<2xi64>) {
  // expected-error @+1 {{formats numbers as strings, not as 'f32'}}
  %0 = nn.map_strings format %x {to = f32} : (tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @cast_c2(%x: tensor<2x!nn.string>) {
  // expected-error @+1 {{converts numbers, but got strings}}
  %0 = nn.cast %x {to = i64} : (tensor<2x!nn.string>) -> tensor<2xi64>
  return
}

// -----

func.func @scatter_elements_c2(%x: tensor<2x!nn.string>, %i: tensor<2xi64>) {
  // expected-error @+1 {{reduction combines numbers, but got strings}}
  %0 = nn.scatter_elements %x, %i, %x {reduction = "add"} : (tensor<2x!nn.string>, tensor<2xi64>, tensor<2x!nn.string>) -> tensor<2x!nn.string>
  return
}

// -----

// expected-error @+1 {{'nn.strings'}}
module attributes {nn.strings = [1]} {}
