//===- StringsTest.cpp - Strings as numbers -------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Core/Strings.h"
#include "TestModel.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace nnrt;
using namespace nnrt::test;
using namespace std::string_literals;

namespace {

TEST(Strings, NumbersOfATable) {
  ModelStrings model({"", "cat", "dog"});
  ASSERT_TRUE(model.isValid());
  StringTable table(model);
  EXPECT_EQ(table.getNumber("dog"), 2);
  EXPECT_EQ(table.getNumber("bird"), 3);
  EXPECT_EQ(table.getNumber("a\0b"s), 4);
  EXPECT_EQ(table.getNumber("bird"), 3);
  EXPECT_EQ(table[4], "a\0b"s);
  EXPECT_FALSE(table.contains(5));
  EXPECT_FALSE(table.contains(-1));
  table.clear();
  EXPECT_FALSE(table.contains(3));
  EXPECT_EQ(table.getNumber("fish"), 3);
  EXPECT_EQ(table.bytes(), 4u);

  EXPECT_EQ(ModelStrings()[0], "");
  EXPECT_FALSE(ModelStrings({"", "cat", "cat"}).isValid());
  EXPECT_FALSE(ModelStrings({"cat"}).isValid());
  EXPECT_FALSE(ModelStrings({"", "\xff"}).isValid());
}

TEST(Strings, Utf8) {
  for (std::string valid : {"", "abc", "é", "日本", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"})
    EXPECT_EQ(findInvalidUtf8(valid), valid.size()) << valid;
  // A lone continuation, a cut character, overlong forms, a surrogate, too large.
  for (std::string invalid : {"\x80", "\xe6\x97", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                              "\xf4\x90\x80\x80", "\xff"})
    EXPECT_EQ(findInvalidUtf8("ab" + invalid), 2u);
}

TEST(Strings, Case) {
  std::string text;
  ASSERT_TRUE(changeCase("Straße ÄÖ яБ 日9", true, text));
  EXPECT_EQ(text, "STRAßE ÄÖ ЯБ 日9");
  ASSERT_TRUE(changeCase("Straße ÄÖ яБ 日9", false, text));
  EXPECT_EQ(text, "straße äö яб 日9");
}

std::vector<std::string> split(std::string_view text, std::string_view delimiter,
                               int64_t limit = -1) {
  std::vector<std::string_view> pieces;
  splitText(text, delimiter, limit, pieces);
  return std::vector<std::string>(pieces.begin(), pieces.end());
}

// As Python's str.split.
TEST(Strings, Split) {
  using List = std::vector<std::string>;
  EXPECT_EQ(split("a,b,,c", ","), (List{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ","), List{""});
  EXPECT_EQ(split("a,b,c", ",", 1), (List{"a", "b,c"}));
  EXPECT_EQ(split("a,b", ",", 0), List{"a,b"});
  EXPECT_EQ(split(" a \t b\n", ""), (List{"a", "b"}));
  EXPECT_EQ(split("  ", ""), List{});
  EXPECT_EQ(split(" a  b c ", "", 1), (List{"a", "b c "}));
  EXPECT_EQ(split(" a ", "", 0), List{"a "});
  EXPECT_EQ(split("a\u3000b\u00a0c", ""), (List{"a", "b", "c"}));
  EXPECT_EQ(split("\xff \xc3", ""), (List{"\xff", "\xc3"}));
}

TEST(Strings, Parse) {
  float real = 0;
  EXPECT_TRUE(parseNumber(" +1.5e2\n", real));
  EXPECT_EQ(real, 150);
  EXPECT_TRUE(parseNumber("1e99", real));
  EXPECT_TRUE(std::isinf(real));
  EXPECT_TRUE(parseNumber("nAn", real));
  EXPECT_TRUE(std::isnan(real));
  for (const char *wrong : {"", " ", "one", "1x", "1 2", "+-1", "0x10"})
    EXPECT_FALSE(parseNumber(wrong, real)) << wrong;
  int64_t number = 0;
  EXPECT_TRUE(parseNumber("-9223372036854775808", number));
  EXPECT_EQ(number, INT64_MIN);
  EXPECT_TRUE(parseNumber("2.9", number));
  EXPECT_EQ(number, 2);
  EXPECT_FALSE(parseNumber("9223372036854775808", number));
  EXPECT_FALSE(parseNumber("nan", number));
  uint64_t natural = 0;
  EXPECT_TRUE(parseNumber("18446744073709551615", natural));
  EXPECT_EQ(natural, UINT64_MAX);
  EXPECT_FALSE(parseNumber("-1", natural));
}

TEST(Strings, Format) {
  EXPECT_EQ(formatNumber(1.0f), "1");
  EXPECT_EQ(formatNumber(0.1f), "0.1");
  EXPECT_EQ(formatNumber(1e-9f), "9.9999997e-10");
  EXPECT_EQ(formatNumber(1e300 / 3), "3.3333333e+299");
  EXPECT_EQ(formatNumber(-INFINITY), "-INF");
  EXPECT_EQ(formatNumber(NAN), "NaN");
}

/// y = x with "!" behind each string.
class StringSession : public testing::Test {
protected:
  StringSession() {
    Manifest manifest = makeManifest("strings");
    manifest.inputs = {{"x", NNRT_ABI_STRING, {-1}, {"N"}}};
    manifest.outputs = {{"y", NNRT_ABI_STRING, {-1}, {"N"}}};
    manifest.strings = {"", "!"};
    writeModel(file.path, manifest);
    module = open(file.path);
    session = createSession(module.get());
  }
  DLTensor make(std::vector<nnrt_string> &strings) {
    count = static_cast<int64_t>(strings.size());
    DLTensor tensor = {};
    tensor.data = strings.data();
    tensor.device = {kDLCPU, 0};
    tensor.ndim = 1;
    tensor.dtype = {kDLOpaqueHandle, 8 * sizeof(nnrt_string), 1};
    tensor.shape = &count;
    return tensor;
  }
  std::string run(DLTensor input, DLTensor &output, nnrt_status_code expected = NNRT_OK) {
    nnrt_status_code code;
    std::string message =
        text(nnrt_session_run(session.get(), &input, 1, &output, 1, nullptr), &code);
    EXPECT_EQ(code, expected) << message;
    return message;
  }
  static std::string get(const DLTensor &tensor, int64_t index) {
    const nnrt_string &string = static_cast<const nnrt_string *>(tensor.data)[index];
    return std::string(string.data, string.size);
  }

  TemporaryFile file;
  ModulePtr module;
  SessionPtr session;
  int64_t count = 0;
};

TEST_F(StringSession, Runs) {
  nnrt_tensor_info info;
  ASSERT_EQ(text(nnrt_module_input(module.get(), 0, &info)), "");
  EXPECT_EQ(info.onnx_type, 8);
  EXPECT_EQ(info.dtype.code, kDLOpaqueHandle);
  EXPECT_EQ(info.dtype.bits, 8 * sizeof(nnrt_string));

  std::vector<nnrt_string> strings = {{"cat", 3}, {nullptr, 0}, {"a\0b", 3}};
  DLTensor output = {};
  run(make(strings), output);
  EXPECT_EQ(get(output, 0), "cat!");
  EXPECT_EQ(get(output, 1), "!");
  EXPECT_EQ(get(output, 2), "a\0b!"s);
  EXPECT_TRUE(output.dtype.code == kDLOpaqueHandle);
}

TEST_F(StringSession, WritesToTheCallersTensor) {
  std::vector<nnrt_string> strings = {{"cat", 3}}, given = {{nullptr, 0}};
  DLTensor output = make(given);
  run(make(strings), output);
  EXPECT_EQ(std::string(given[0].data, given[0].size), "cat!");
}

TEST_F(StringSession, TakesEverySecondString) {
  std::vector<nnrt_string> strings = {{"a", 1}, {"b", 1}, {"c", 1}};
  DLTensor input = make(strings), output = {};
  int64_t stride = 2;
  count = 2;
  input.strides = &stride;
  run(input, output);
  EXPECT_EQ(get(output, 1), "c!");
}

TEST_F(StringSession, TakesItsOwnOutputs) {
  std::vector<nnrt_string> strings = {{"cat", 3}}, wrong = {{"\xff", 1}};
  DLTensor output = {}, failed = {};
  run(make(strings), output);
  // A run that fails does not disturb what the last one gave.
  for (int i = 0; i < 2; ++i)
    run(make(wrong), failed, NNRT_INVALID_ARGUMENT);
  for (int i = 0; i < 3; ++i) {
    DLTensor input = output;
    run(input, output);
  }
  EXPECT_EQ(get(output, 0), "cat!!!!");
}

TEST_F(StringSession, RefusesWhatIsNoText) {
  std::vector<nnrt_string> strings = {{"cat", 3}, {"ab\xc3", 3}};
  DLTensor output = {};
  EXPECT_EQ(run(make(strings), output, NNRT_INVALID_ARGUMENT),
            "input 'x': string 1 is not UTF-8, at byte 2");
  strings = {{nullptr, 2}};
  EXPECT_EQ(run(make(strings), output, NNRT_INVALID_ARGUMENT),
            "input 'x': string 0 has no data");
  // Numbers that no string has come from a wrong model only.
  strings = {{"!", 1}};
  EXPECT_EQ(run(make(strings), output, NNRT_INTERNAL),
            "output 'y' has a number that no string has");
  int64_t number = 1;
  DLTensor numbers = make(strings);
  numbers.data = &number;
  numbers.dtype = {kDLInt, 64, 1};
  EXPECT_EQ(run(numbers, output, NNRT_INVALID_ARGUMENT),
            "input 'x' has element type int64, the model expects string");
}

TEST(Strings, AWrongTableIsDamage) {
  TemporaryFile file;
  Manifest manifest = makeManifest("strings");
  manifest.strings = {"", "!", "!"};
  writeModel(file.path, manifest);
  nnrt_module *opened = nullptr;
  nnrt_status_code code;
  std::string message = text(nnrt_module_open(file.path.c_str(), &opened), &code);
  EXPECT_EQ(code, NNRT_DATA_LOSS);
  EXPECT_NE(message.find("one of its strings is not UTF-8, or occurs twice"), std::string::npos) << message;
}

} // namespace
