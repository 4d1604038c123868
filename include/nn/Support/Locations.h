//===- Locations.h - ONNX names in locations --------------------*- C++ -*-===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#ifndef NN_SUPPORT_LOCATIONS_H
#define NN_SUPPORT_LOCATIONS_H

#include "mlir/IR/Location.h"
#include <string>

namespace mlir::nn {

/// The names of the ONNX nodes in a location, in order, without duplicates, joined by
/// " + "; "" if there are none. Node names are NameLocs; merged operations have FusedLocs
/// of them.
std::string getONNXNames(Location location);

} // namespace mlir::nn

#endif // NN_SUPPORT_LOCATIONS_H
