//===- Patterns.h - Regular expressions, by RE2 -----------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// RE2 takes time that is linear in the text, whatever the pattern, so that a text from
// outside cannot keep a service busy. The compiler's interpreter uses this too.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_LIB_CPU_RE2_PATTERNS_H
#define NNRT_LIB_CPU_RE2_PATTERNS_H

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace nnrt {

/// The compiled patterns of a model. Safe to use from many threads.
class Patterns {
public:
  Patterns();
  ~Patterns();

  /// Whether the pattern matches all of each text. Throws std::runtime_error if it is not
  /// in RE2's syntax.
  void match(std::string_view pattern, const std::string_view *texts, int64_t count,
             bool *matches);
  /// The parts of the text that the pattern matches, from the left, if they have `least`
  /// characters or more; empty ones do not count. As ONNX Runtime's Tokenizer finds them.
  void find(std::string_view pattern, std::string_view text, int64_t least,
            std::vector<std::string_view> &parts);

private:
  const re2::RE2 &compile(std::string_view pattern);

  std::mutex mutex;
  std::map<std::string, std::unique_ptr<re2::RE2>, std::less<>> compiled;
};

} // namespace nnrt

#endif // NNRT_LIB_CPU_RE2_PATTERNS_H
