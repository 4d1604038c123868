// RUN: nn-opt %s | nn-opt | FileCheck %s

// CHECK: nn.target = #nn.target<cpu, processors = ["znver4", "x86-64-v3"], libraries = ["onednn"]>
module @all attributes {nn.target = #nn.target<cpu, processors = ["znver4", "x86-64-v3"],
                                               libraries = ["onednn"]>} {}

// CHECK: nn.target = #nn.target<cpu, processors = ["x86-64-v3"]>
module @generated attributes {nn.target = #nn.target<cpu, processors = ["x86-64-v3"]>} {}
