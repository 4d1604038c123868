//===- NNFusionOps.cpp - groups of operators that run as one kernel -===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/NN/IR/NN.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::nn;

//===----------------------------------------------------------------------===//
// FusionOp
//===----------------------------------------------------------------------===//

// fusion_c1
LogicalResult FusionOp::verify() {
  Block &body = getBody().front();
  if (body.getArgumentTypes() != getInputs().getTypes())
    return emitOpError("the body's arguments do not have the operands' types");
  auto yield = cast<YieldOp>(body.getTerminator());
  if (yield.getOperandTypes() != getResultTypes())
    return emitOpError("the values yielded do not have the results' types");
  return success();
}

// nn.fusion (%arg = %input : type, ...) -> (types) { body }
void FusionOp::print(OpAsmPrinter &printer) {
  printer << " (";
  llvm::interleaveComma(
      llvm::zip(getBody().getArguments(), getInputs()), printer, [&](auto pair) {
        auto [argument, input] = pair;
        printer << argument << " = " << input << " : " << input.getType();
      });
  printer << ") -> (";
  llvm::interleaveComma(getResultTypes(), printer);
  printer << ")";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs());
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

ParseResult FusionOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> types;
  auto parseOne = [&]() -> ParseResult {
    return failure(parser.parseArgument(arguments.emplace_back()) ||
                   parser.parseEqual() ||
                   parser.parseOperand(operands.emplace_back()) ||
                   parser.parseColonType(arguments.back().type));
  };
  if (parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseOne) ||
      parser.parseArrow() || parser.parseLParen())
    return failure();
  if (parser.parseOptionalRParen()) {
    if (parser.parseTypeList(result.types) || parser.parseRParen())
      return failure();
  }
  for (const OpAsmParser::Argument &argument : arguments)
    types.push_back(argument.type);
  Region *body = result.addRegion();
  return failure(
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*body, arguments) ||
      parser.resolveOperands(operands, types, parser.getNameLoc(),
                             result.operands));
}

namespace {
/// Follows shapes through the body of a fusion: arguments are the operands.
class FusionShapeEnv : public ShapeEnv {
public:
  FusionShapeEnv(FusionOp fusion)
      : ShapeEnv(fusion.getContext(), fusion.getLoc(),
                 fusion->getName().getStringRef()),
        fusion(fusion) {}

  Dims getDims(Value tensor) override {
    if (auto argument = dyn_cast<BlockArgument>(tensor))
      return ShapeEnv::getDims(fusion.getInputs()[argument.getArgNumber()]);
    auto it = known.find(tensor);
    return it != known.end() ? it->second : ShapeEnv::getDims(tensor);
  }

  Contents getContents(Value tensor) override {
    if (auto argument = dyn_cast<BlockArgument>(tensor))
      return ShapeEnv::getContents(fusion.getInputs()[argument.getArgNumber()]);
    return ShapeEnv::getContents(tensor);
  }

  DenseMap<Value, Dims> known;

private:
  FusionOp fusion;
};
} // namespace

LogicalResult
FusionOp::reifyResultShapes(OpBuilder &builder,
                            ReifiedRankedShapedTypeDims &dims) {
  FusionShapeEnv env(*this);
  Block &body = getBody().front();
  for (Operation &op : body.without_terminator()) {
    auto shaped = dyn_cast<ShapeOpInterface>(op);
    SmallVector<InferredTensor> results;
    if (!shaped || failed(shaped.inferResultShapes(env, results)))
      return failure();
    for (auto [value, result] : llvm::zip(op.getResults(), results))
      env.known[value] = result.dims;
  }
  for (Value yielded : body.getTerminator()->getOperands()) {
    auto type = cast<RankedTensorType>(yielded.getType());
    SmallVector<OpFoldResult> sizes;
    for (auto [index, dim] : llvm::enumerate(env.getDims(yielded))) {
      if (!type.isDynamicDim(index)) {
        sizes.push_back(builder.getIndexAttr(type.getDimSize(index)));
        continue;
      }
      FailureOr<OpFoldResult> size = env.materialize(builder, getLoc(), dim);
      if (failed(size))
        return failure();
      sizes.push_back(*size);
    }
    dims.push_back(std::move(sizes));
  }
  return success();
}
