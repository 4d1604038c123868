//===- CustomNode.h - Nodes that users' libraries compute -------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_CUSTOMNODE_H
#define NNRT_CORE_CUSTOMNODE_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nnrt {

/// An attribute; `kind` is a nnrt_custom_attribute_kind, which says what is used.
struct CustomAttribute {
  std::string name;
  int32_t kind = 0;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
  // Of a tensor: type, sizes and elements.
  int32_t type = 0;
  std::vector<int64_t> dims;
  std::string bytes;
};

/// What a library of a user's needs to know of a node, apart from its operands.
struct CustomNode {
  std::string function; // DOMAIN:NAME
  std::string library;  // a file, by its name, or with a path where it is looked for too
  std::vector<CustomAttribute> attributes; // sorted by name

  /// DOMAIN and NAME.
  std::pair<std::string, std::string> getDomainAndName() const {
    size_t colon = function.rfind(':');
    return {function.substr(0, colon), function.substr(colon + 1)};
  }
};

} // namespace nnrt

#endif // NNRT_CORE_CUSTOMNODE_H
