// RUN: nn-opt %s -split-input-file -verify-diagnostics

// expected-error@+2 {{expected attribute value}}
// expected-error@+1 {{failed to parse NN_TargetAttr parameter 'processors'}}
module attributes {nn.target = #nn.target<cpu, processors = []>} {}

// -----

// expected-error@+1 {{a target has the processor "znver4" twice}}
module attributes {nn.target = #nn.target<cpu, processors = ["znver4", "znver4"]>} {}

// -----

// expected-error@+1 {{a target has a processor without a name}}
module attributes {nn.target = #nn.target<cpu, processors = [""]>} {}

// -----

// expected-error@+1 {{a target has the library "onednn" twice}}
module attributes {nn.target = #nn.target<cpu, processors = ["znver4"], libraries = ["onednn", "onednn"]>} {}

// -----

// expected-error@+2 {{expected ::mlir::nn::TargetKind to be one of: cpu}}
// expected-error@+1 {{failed to parse NN_TargetAttr parameter 'kind'}}
module attributes {nn.target = #nn.target<abacus, processors = ["beads"]>} {}

// -----

// expected-error@+1 {{'nn.target' is a #nn.target, not "cpu"}}
module attributes {nn.target = "cpu"} {}

// -----

// expected-error@+1 {{has the attribute 'nn.target', which belongs to modules}}
func.func @main() attributes {nn.target = #nn.target<cpu, processors = ["znver4"]>} {
  return
}
