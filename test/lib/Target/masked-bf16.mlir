// RUN: nn-translate %s --emit-llvmir --mcpu=x86-64-v4 -o - | FileCheck %s --implicit-check-not=bf16.p0

// The last elements of a row are loaded and stored with a mask, as integers.
// CHECK: call {{.*}} @llvm.masked.load.v{{[0-9]+}}i16
// CHECK: call void @llvm.masked.store.v{{[0-9]+}}i16
func.func @main(%x: tensor<?xbf16> {nn.name = "x", nn.dim_names = ["N"]})
    -> (tensor<?xbf16> {nn.name = "y", nn.dim_names = ["N"]}) {
  %0 = nn.neg %x : (tensor<?xbf16>) -> tensor<?xbf16>
  return %0 : tensor<?xbf16>
}
