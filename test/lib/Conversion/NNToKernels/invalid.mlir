// RUN: not nn-opt %s -convert-nn-to-kernels=claim=some 2>&1 | FileCheck %s
// CHECK: claim is 'preferred' or 'all', not 'some'
module {}
