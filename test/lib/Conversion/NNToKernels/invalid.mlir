// RUN: not nn-opt %s -convert-nn-to-kernels=claim=some 2>&1 | FileCheck %s --check-prefix=CLAIM
// RUN: not nn-opt %s -convert-nn-to-kernels=vector-bits=100 2>&1 | FileCheck %s --check-prefix=BITS
// CLAIM: claim is 'preferred' or 'all', not 'some'
// BITS: vector-bits is 512 or 256, not 100
module {}
