// RUN: nn-opt %s -nn-expand-math | FileCheck %s

// CHECK-LABEL: func.func @functions(
// CHECK-NOT: math.{{exp|tanh|erf|log|powf|sinh|cosh|tan|asin|acos|atan|asinh|acosh|atanh|cos|sin}} 
// CHECK: return
func.func @functions(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  %1 = math.tanh %0 : vector<16xf32>
  %2 = math.erf %1 : vector<16xf32>
  %3 = math.log %2 : vector<16xf32>
  %4 = math.powf %3, %x : vector<16xf32>
  %5 = math.sinh %4 : vector<16xf32>
  %6 = math.cosh %5 : vector<16xf32>
  return %6 : vector<16xf32>
}

// f64 has polynomials of its own, f16 is computed in f32.
// CHECK-LABEL: func.func @others(
// CHECK-NOT: math.{{exp|erf|atan|asin|acos}} 
// CHECK: arith.shli {{.*}} : i64
// CHECK-NOT: math.{{exp|erf|atan|asin|acos}} 
// CHECK: arith.extf {{.*}} : f16 to f32
// CHECK-NOT: math.tanh
// CHECK: arith.truncf {{.*}} : f32 to f16
func.func @others(%x: f64, %y: f16) -> (f64, f16) {
  %0 = math.exp %x : f64
  %1 = math.erf %0 : f64
  %2 = math.atan %1 : f64
  %3 = math.asin %2 : f64
  %4 = math.acos %3 : f64
  %5 = math.tanh %y : f16
  return %4, %5 : f64, f16
}

// A remainder would be a call of fmod.
// CHECK-LABEL: func.func @remainder(
// CHECK-NOT: arith.remf
// CHECK: math.fma {{.*}} : f64
// CHECK: arith.truncf {{.*}} : f64 to f32
func.func @remainder(%x: f32, %y: f32) -> f32 {
  %0 = arith.remf %x, %y : f32
  return %0 : f32
}

// What is never positive needs no upper limit, and one factor is constant.
// CHECK-LABEL: func.func @not_positive
// CHECK-DAG: arith.constant dense<-1.040000e+02>
// CHECK-DAG: arith.constant dense<5.42101086E-20>
// CHECK-NOT: dense<8.880000e+01>
// CHECK: return
func.func @not_positive(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x {nn.not_positive} : vector<16xf32>
  return %0 : vector<16xf32>
}
