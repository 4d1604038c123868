//===- Patterns.cpp - Regular expressions, by RE2 -------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/RE2/Patterns.h"

#include <stdexcept>

#include <re2/re2.h>

using namespace nnrt;

Patterns::Patterns() = default;
Patterns::~Patterns() = default;

const re2::RE2 &Patterns::compile(std::string_view pattern) {
  std::lock_guard<std::mutex> lock(mutex);
  auto it = compiled.find(pattern);
  if (it == compiled.end()) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto expression = std::make_unique<re2::RE2>(
        re2::StringPiece(pattern.data(), pattern.size()), options);
    if (!expression->ok())
      throw std::runtime_error("'" + std::string(pattern) +
                               "' is no regular expression in RE2's syntax: " +
                               expression->error());
    it = compiled.emplace(std::string(pattern), std::move(expression)).first;
  }
  return *it->second;
}

void Patterns::match(std::string_view pattern, const std::string_view *texts,
                     int64_t count, bool *matches) {
  const re2::RE2 &expression = compile(pattern);
  for (int64_t i = 0; i < count; ++i)
    matches[i] = re2::RE2::FullMatch(
        re2::StringPiece(texts[i].data(), texts[i].size()), expression);
}

static bool isContinuation(char byte) { return (byte & 0xc0) == 0x80; }

static int64_t countCharacters(std::string_view text) {
  int64_t count = 0;
  for (char byte : text)
    count += !isContinuation(byte);
  return count;
}

void Patterns::find(std::string_view pattern, std::string_view text, int64_t least,
                    std::vector<std::string_view> &parts) {
  const re2::RE2 &expression = compile(pattern);
  re2::StringPiece whole(text.data(), text.size()), part;
  parts.clear();
  size_t start = 0;
  while (start <= text.size() &&
         expression.Match(whole, start, text.size(), re2::RE2::UNANCHORED, &part, 1)) {
    std::string_view found(part.data(), part.size());
    start = static_cast<size_t>(part.data() - text.data());
    if (!found.empty() && countCharacters(found) >= least) {
      parts.push_back(found);
      start += found.size();
      continue;
    }
    // On from the next character.
    do
      ++start;
    while (start < text.size() && isContinuation(text[start]));
  }
}
