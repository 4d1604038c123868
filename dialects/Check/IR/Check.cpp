//===- Check.cpp - the check dialect --------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "dialects/Check/IR/Check.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::nn::check;

#include "dialects/Check/IR/CheckDialect.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Check/IR/CheckOps.cpp.inc"

void CheckDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Check/IR/CheckOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Input: check.input <elements> (as <type>)?
//===----------------------------------------------------------------------===//

ParseResult InputOp::parse(OpAsmParser &parser, OperationState &result) {
  Attribute value;
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseAttribute(value))
    return failure();
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements)
    return parser.emitError(location, "expected the elements of a tensor");
  result.addAttribute("value", elements);
  Type type = elements.getShapedType();
  if (succeeded(parser.parseOptionalKeyword("as")) && parser.parseType(type))
    return failure();
  result.addTypes(type);
  return success();
}

void InputOp::print(OpAsmPrinter &printer) {
  printer.printOptionalAttrDict((*this)->getAttrs(), {"value"});
  printer << ' ' << getValue();
  if (getType() != getValue().getShapedType())
    printer << " as " << getType();
}

LogicalResult InputOp::verify() {
  // input_c1
  ShapedType type = getValue().getShapedType();
  if (type.getElementType() != getType().getElementType() ||
      failed(verifyCompatibleShape(type, getType())))
    return emitOpError() << "cannot be " << getType() << " with a value of the type "
                         << type;
  return success();
}

//===----------------------------------------------------------------------===//
// Expectations
//===----------------------------------------------------------------------===//

static LogicalResult verifyExpectation(Operation *op, Value got, Value want) {
  // expect_c1
  if (getElementTypeOrSelf(got) == getElementTypeOrSelf(want) &&
      succeeded(verifyCompatibleShape(got.getType(), want.getType())))
    return success();
  return op->emitOpError() << "compares " << got.getType() << " with "
                           << want.getType();
}

LogicalResult ExpectCloseOp::verify() {
  return verifyExpectation(*this, getGot(), getWant());
}
LogicalResult ExpectEqOp::verify() {
  return verifyExpectation(*this, getGot(), getWant());
}
