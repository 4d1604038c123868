//===- Check.td - expectations in tests -----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef CHECK_TD
#define CHECK_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Check_Dialect : Dialect {
  let name = "check";
  let cppNamespace = "::mlir::nn::check";
  let summary = "Expectations in numeric tests, executed by nn-run";
  let description = [{
    A numeric test is a function `@main` without arguments: inputs, operators,
    expectations.

    ```mlir
    func.func @main() {
      %x = check.input dense<[-1.0, 2.0]> : tensor<2xf32>
      %y = nn.relu %x : (tensor<2xf32>) -> tensor<2xf32>
      %want = check.input dense<[0.0, 2.0]> : tensor<2xf32>
      check.expect_close %y, %want : tensor<2xf32>, tensor<2xf32>
      return
    }
    ```

    `nn-run test.mlir` compiles and runs it, with the inputs as arguments whose values
    the compiler does not see; `nn-run --interpret test.mlir` interprets it. A failed
    expectation is reported with its worst element, and nn-run then exits with 1.
  }];
}

class Check_Op<string mnemonic, list<Trait> traits = []>
    : Op<Check_Dialect, mnemonic, traits>;

def Check_InputOp : Check_Op<"input"> {
  let summary = "A value that the compiler does not see";
  let description = [{
    The tensor `value`. Not pure, so that nothing is folded. Sizes of the result may
    be unknown: `check.input dense<1.0> : tensor<2xf32> as tensor<?xf32>`.

    Constraints:
     - `input_c1`: the result has the value's element type, rank and known sizes.
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs AnyRankedTensor:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

class Check_ExpectOp<string mnemonic> : Check_Op<mnemonic> {
  // Shapes are compared when the test runs; here they must only be compatible.
  let hasVerifier = 1;
}

def Check_ExpectCloseOp : Check_ExpectOp<"expect_close"> {
  let summary = "Expects equal shapes and close elements";
  let description = [{
    Elements are close if `|got - want| <= atol * max(0.01, M) + rtol * |want|`, where
    M is the largest finite |want|. NaN and infinities must be at the same positions.
    (nn-run compares outputs by the same rule.)

    Constraints:
     - `expect_c1`: both tensors have the same element type and compatible shapes.
  }];
  let arguments = (ins AnyRankedTensor:$got, AnyRankedTensor:$want,
                       DefaultValuedAttr<F64Attr, "1.0e-5">:$rtol,
                       DefaultValuedAttr<F64Attr, "1.0e-6">:$atol);
  let assemblyFormat = "$got `,` $want attr-dict `:` type($got) `,` type($want)";
}

def Check_ExpectEqOp : Check_ExpectOp<"expect_eq"> {
  let summary = "Expects equal shapes and equal elements";
  let description = [{
    NaN equals NaN. Constraint `expect_c1` as for `check.expect_close`.
  }];
  let arguments = (ins AnyRankedTensor:$got, AnyRankedTensor:$want);
  let assemblyFormat = "$got `,` $want attr-dict `:` type($got) `,` type($want)";
}

#endif // CHECK_TD
