//===- Strings.cpp - Strings as numbers -----------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Strings.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include <locale.h>
#include <wctype.h>

namespace nnrt {

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

ModelStrings::ModelStrings(std::vector<std::string> known) : strings(std::move(known)) {
  if (strings.empty())
    strings.emplace_back();
  for (size_t i = 0; i < strings.size(); ++i)
    valid &= numbers.try_emplace(strings[i], static_cast<int64_t>(i)).second &&
             findInvalidUtf8(strings[i]) == strings[i].size();
  valid &= strings.front().empty();
}

int64_t ModelStrings::find(std::string_view text) const {
  auto it = numbers.find(text);
  return it == numbers.end() ? -1 : it->second;
}

int64_t StringTable::getNumber(std::string_view text) {
  int64_t known = model->find(text);
  if (known >= 0)
    return known;
  auto it = numbers.find(text);
  if (it != numbers.end())
    return it->second;
  int64_t number = model->size() + static_cast<int64_t>(added.size());
  added.emplace_back(text);
  addedBytes += text.size();
  numbers.emplace(added.back(), number);
  return number;
}

void StringTable::clear() {
  numbers.clear();
  added.clear();
  addedBytes = 0;
}

//===----------------------------------------------------------------------===//
// Characters
//===----------------------------------------------------------------------===//

/// The length of the character at the front, 0 if there is none in UTF-8.
static size_t decode(std::string_view text, uint32_t &character) {
  auto byte = [&](size_t at) { return static_cast<uint8_t>(text[at]); };
  if (text.empty())
    return 0;
  uint8_t first = byte(0);
  character = first;
  if (first < 0x80)
    return 1;
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length)
    return 0;
  character = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
    character = character << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t smallest[] = {0x80, 0x800, 0x10000};
  bool isSurrogate = character >= 0xd800 && character < 0xe000;
  bool isValid = character >= smallest[length - 2] && character <= 0x10ffff;
  return isValid && !isSurrogate ? length : 0;
}

/// The same, where a byte that is no UTF-8 is a character of its own, which is none of
/// Unicode's: a damaged model may have such strings.
static size_t decodeAny(std::string_view text, uint32_t &character) {
  size_t length = decode(text, character);
  if (length == 0 && !text.empty()) {
    character = 0xfffd;
    return 1;
  }
  return length;
}

static void append(std::string &text, uint32_t character) {
  auto add = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (character < 0x80)
    return add(character);
  int following = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  constexpr uint32_t marks[] = {0xc0, 0xe0, 0xf0};
  add(marks[following - 1] | character >> (6 * following));
  while (following-- > 0)
    add(0x80 | (character >> (6 * following) & 0x3f));
}

size_t findInvalidUtf8(std::string_view text) {
  size_t at = 0;
  uint32_t character;
  while (size_t length = decode(text.substr(at), character))
    at += length;
  return at;
}

/// A locale that knows the letters of Unicode, whatever the program's is; null if the
/// system has none.
static locale_t getLocale() {
  static const locale_t locale = [] {
    for (const char *name : {"C.UTF-8", "C.utf8", "en_US.UTF-8"})
      if (locale_t found = newlocale(LC_CTYPE_MASK, name, nullptr))
        return found;
    return static_cast<locale_t>(nullptr);
  }();
  return locale;
}

bool changeCase(std::string_view text, bool upper, std::string &result) {
  result.clear();
  uint32_t character;
  while (size_t length = decodeAny(text, character)) {
    text.remove_prefix(length);
    if (character < 0x80) {
      char letter = static_cast<char>(character);
      if (upper ? letter >= 'a' && letter <= 'z' : letter >= 'A' && letter <= 'Z')
        letter ^= 0x20;
      result += letter;
      continue;
    }
    locale_t locale = getLocale();
    if (!locale)
      return false;
    append(result, upper ? towupper_l(character, locale) : towlower_l(character, locale));
  }
  return true;
}

static bool isSpace(uint32_t character) {
  if (character < 0x80)
    return character == ' ' || (character >= '\t' && character <= '\r');
  constexpr uint32_t noBreak[] = {0x85, 0xa0, 0x2007, 0x202f}; // not spaces for C
  for (uint32_t space : noBreak)
    if (character == space)
      return true;
  locale_t locale = getLocale();
  return locale && iswspace_l(character, locale);
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

/// The number of bytes at the front whose characters are spaces, or are none.
static size_t findSpan(std::string_view text, bool ofSpaces) {
  size_t at = 0;
  uint32_t character;
  while (size_t length = decodeAny(text.substr(at), character)) {
    if (isSpace(character) != ofSpaces)
      break;
    at += length;
  }
  return at;
}

static void splitAtSpaces(std::string_view text, int64_t limit,
                          std::vector<std::string_view> &pieces) {
  text.remove_prefix(findSpan(text, true));
  while (!text.empty()) {
    bool isLast = limit >= 0 && static_cast<int64_t>(pieces.size()) == limit;
    size_t size = isLast ? text.size() : findSpan(text, false);
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(size);
    text.remove_prefix(findSpan(text, true));
  }
}

void splitText(std::string_view text, std::string_view delimiter, int64_t limit,
               std::vector<std::string_view> &pieces) {
  pieces.clear();
  if (delimiter.empty())
    return splitAtSpaces(text, limit, pieces);
  while (limit < 0 || static_cast<int64_t>(pieces.size()) < limit) {
    size_t end = text.find(delimiter);
    if (end == std::string_view::npos)
      break;
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end + delimiter.size());
  }
  pieces.push_back(text);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// Without spaces around it and a plus sign.
static std::string_view trim(std::string_view text) {
  while (!text.empty() && isSpace(static_cast<uint8_t>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && static_cast<uint8_t>(text.back()) < 0x80 &&
         isSpace(static_cast<uint8_t>(text.back())))
    text.remove_suffix(1);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-')
    text.remove_prefix(1);
  return text;
}

template <typename T> static bool parseWhole(std::string_view text, T &number) {
  const char *end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end || text.empty())
    return false;
  // As strtod has it: what is too large is infinite, what is too small is 0.
  if constexpr (std::is_floating_point_v<T>)
    if (error == std::errc::result_out_of_range) {
      std::string terminated(text);
      number = static_cast<T>(std::strtod(terminated.c_str(), nullptr));
      return true;
    }
  return error == std::errc();
}

bool parseNumber(std::string_view text, float &number) {
  return parseWhole(trim(text), number);
}

bool parseNumber(std::string_view text, double &number) {
  return parseWhole(trim(text), number);
}

template <typename T> static bool parseInteger(std::string_view text, T &number) {
  text = trim(text);
  if (parseWhole(text, number))
    return true;
  double real;
  if (!parseWhole(text, real))
    return false;
  // 2^63 and 2^64 are the first numbers that are too large.
  constexpr double end = std::is_signed_v<T> ? 0x1p63 : 0x1p64;
  if (!(real < end && real > (std::is_signed_v<T> ? -0x1p63 - 1025 : -1.0)))
    return false;
  number = static_cast<T>(real);
  return true;
}

bool parseNumber(std::string_view text, int64_t &number) {
  return parseInteger(text, number);
}

bool parseNumber(std::string_view text, uint64_t &number) {
  return parseInteger(text, number);
}

std::string formatNumber(double number) {
  if (std::isnan(number))
    return "NaN";
  if (std::isinf(number))
    return number < 0 ? "-INF" : "INF";
  char text[64];
  int length = std::snprintf(text, sizeof(text), "%.8g", number);
  // The program's locale may have another decimal point.
  for (int i = 0; i < length; ++i)
    if (text[i] == ',')
      text[i] = '.';
  return std::string(text, static_cast<size_t>(length));
}

} // namespace nnrt
