//===- Strings.h - Strings as numbers ---------------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Compiled code has numbers in place of strings, equal ones for equal strings. The
// functions of single strings are those of ONNX; the compiler's interpreter uses them too.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_STRINGS_H
#define NNRT_CORE_STRINGS_H

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace nnrt {

/// The strings that a model knows, by their numbers. Immutable, and used by many threads.
/// Number 0 is the empty string, whether the model has strings or not.
class ModelStrings {
public:
  /// They are UTF-8, none occurs twice, and the first is empty; else isValid() is false.
  explicit ModelStrings(std::vector<std::string> strings = {});
  ModelStrings(const ModelStrings &) = delete;

  bool isValid() const { return valid; }
  int64_t size() const { return static_cast<int64_t>(strings.size()); }
  std::string_view operator[](int64_t number) const { return strings[number]; }
  /// -1 if the model does not know the string.
  int64_t find(std::string_view text) const;

private:
  std::vector<std::string> strings;
  std::unordered_map<std::string_view, int64_t> numbers;
  bool valid = true;
};

/// The model's strings, and those that one run met in addition.
class StringTable {
public:
  explicit StringTable(const ModelStrings &model) : model(&model) {}

  int64_t getNumber(std::string_view text);
  bool contains(int64_t number) const {
    return number >= 0 && number < model->size() + static_cast<int64_t>(added.size());
  }
  /// The string of a number that the table contains, valid until clear().
  std::string_view operator[](int64_t number) const {
    return number < model->size() ? (*model)[number]
                                  : std::string_view(added[number - model->size()]);
  }
  /// Forgets what was added.
  void clear();
  /// The bytes of the strings that were added.
  size_t bytes() const { return addedBytes; }

private:
  const ModelStrings *model;
  std::deque<std::string> added; // whose strings never move
  std::unordered_map<std::string_view, int64_t> numbers; // of `added`
  size_t addedBytes = 0;
};

/// The place of the first byte that is not part of UTF-8, else the size.
size_t findInvalidUtf8(std::string_view text);

/// The text in upper or lower case; false if the system does not know the case of letters.
/// Characters are mapped one by one. The text is UTF-8.
bool changeCase(std::string_view text, bool upper, std::string &result);

/// The pieces of a text, split at most `limit` times if that is not negative, as Python's
/// str.split does. An empty delimiter stands for white space.
void splitText(std::string_view text, std::string_view delimiter, int64_t limit,
               std::vector<std::string_view> &pieces);

/// Whether the text is a number, with white space around it: decimal, with an exponent,
/// "inf" or "nan" in any case. Integers also take what has a fraction, and drop it.
bool parseNumber(std::string_view text, float &number);
bool parseNumber(std::string_view text, double &number);
bool parseNumber(std::string_view text, int64_t &number);
bool parseNumber(std::string_view text, uint64_t &number);

/// As ONNX Runtime writes floats and doubles: 8 digits; "INF", "-INF", "NaN".
std::string formatNumber(double number);

} // namespace nnrt

#endif // NNRT_CORE_STRINGS_H
