//===- Strings.cpp - Functions of strings ---------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "CPU/Reference/Reference.h"
#include "Core/Strings.h"

#include <stdexcept>

using namespace nnrt;

namespace {

/// Why a string has no result.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The elements of an operand, in the order of the result's, to which it broadcasts.
class Operand {
public:
  Operand(const nnrt_abi_tensor &tensor, const nnrt_abi_tensor &result)
      : tensor(tensor), result(result), isSame(tensor.rank == result.rank) {
    for (int32_t d = 0; d < tensor.rank && isSame; ++d)
      isSame = tensor.dims[d] == result.dims[d];
  }
  int64_t getPlace(int64_t index) const {
    if (isSame)
      return index;
    int64_t place = 0, stride = 1;
    for (int32_t d = result.rank - 1, own = tensor.rank - 1; own >= 0; --d, --own) {
      if (tensor.dims[own] != 1)
        place += index % result.dims[d] * stride;
      index /= result.dims[d];
      stride *= tensor.dims[own];
    }
    return place;
  }
  template <typename T> T get(int64_t index) const {
    return static_cast<const T *>(tensor.data)[getPlace(index)];
  }

private:
  const nnrt_abi_tensor &tensor, &result;
  bool isSame;
};

class StringKernel {
public:
  StringKernel(const int64_t *parameters, const nnrt_abi_tensor *args, Services &services)
      : function(static_cast<nnrt_abi_string_function>(parameters[0])),
        type(static_cast<nnrt_abi_type>(parameters[2])), result(args[parameters[1]]),
        strings(*services.strings), services(services) {
    for (int64_t i = 0; i < parameters[1]; ++i)
      operands.emplace_back(args[i], result);
    count = product(result, 0, result.rank);
  }

  void run() {
    switch (function) {
    case NNRT_ABI_CONCAT:
      return mapTexts([&](int64_t i, std::string &text) {
        text = getText(0, i);
        text += getText(1, i);
      });
    case NNRT_ABI_LOWER:
    case NNRT_ABI_UPPER:
      return mapTexts([&](int64_t i, std::string &text) {
        if (!changeCase(getText(0, i), function == NNRT_ABI_UPPER, text))
          throw Failure("the system has no locale C.UTF-8, which knows the case of letters");
      });
    case NNRT_ABI_FULL_MATCH:
      return match();
    case NNRT_ABI_COUNT_MATCHES:
    case NNRT_ABI_COUNT_PIECES:
      return mapNumbers([&](int64_t i) {
        return static_cast<int64_t>(getPieces(i).size());
      });
    case NNRT_ABI_MATCH:
    case NNRT_ABI_PIECE:
      return mapNumbers([&](int64_t i) {
        const auto &pieces = getPieces(i);
        int64_t index = operands[3].get<int64_t>(i);
        bool exists = index >= 0 && index < static_cast<int64_t>(pieces.size());
        return exists ? strings.getNumber(pieces[index]) : 0;
      });
    case NNRT_ABI_PARSE:
      return dispatchType([&](auto number) {
        auto *to = getData<decltype(number)>(result);
        for (int64_t i = 0; i < count; ++i)
          if (!parseNumber(getText(0, i), to[i]))
            throw Failure("'" + std::string(getText(0, i)) + "' is not a number");
      });
    case NNRT_ABI_FORMAT:
      return dispatchType([&](auto number) {
        using T = decltype(number);
        mapTexts([&](int64_t i, std::string &text) {
          T value = operands[0].get<T>(i);
          if constexpr (std::is_integral_v<T>)
            text = std::to_string(value);
          else
            text = formatNumber(value);
        });
      });
    }
    throw Failure("the model calls a function of strings that this runtime does not have; "
                  "use the runtime of the compiler's version");
  }

private:
  /// The numbers that `get` gives.
  template <typename Get> void mapNumbers(Get get) {
    for (int64_t i = 0, *to = getData<int64_t>(result); i < count; ++i)
      to[i] = get(i);
  }
  /// The strings that `make` makes.
  template <typename Make> void mapTexts(Make make) {
    std::string text;
    mapNumbers([&](int64_t i) {
      make(i, text);
      return strings.getNumber(text);
    });
  }
  template <typename Action> void dispatchType(Action action) {
    switch (type) {
    case NNRT_ABI_F32: return action(float());
    case NNRT_ABI_F64: return action(double());
    case NNRT_ABI_S64: return action(int64_t());
    case NNRT_ABI_U64: return action(uint64_t());
    default: throw Failure("the model parses or formats numbers of an unknown type");
    }
  }

  std::string_view getText(size_t operand, int64_t index) const {
    int64_t number = operands[operand].get<int64_t>(index);
    if (!strings.contains(number))
      throw Failure("there is no string of number " + std::to_string(number));
    return strings[number];
  }

  /// Of the text of an element, between delimiters or matched by a pattern. Elements next to each other often ask for those of one.
  const std::vector<std::string_view> &getPieces(int64_t index) {
    std::string_view text = getText(0, index), delimiter = getText(1, index);
    int64_t limit = operands[2].get<int64_t>(index);
    bool isKnown = text.data() == splitOf.data() && text.size() == splitOf.size() &&
                   delimiter.data() == splitBy.data() && limit == splitLimit;
    bool isMatch = function == NNRT_ABI_COUNT_MATCHES || function == NNRT_ABI_MATCH;
    if (!isKnown && isMatch)
      services.find(delimiter, text, limit, pieces);
    else if (!isKnown)
      splitText(text, delimiter, limit, pieces);
    splitOf = text;
    splitBy = delimiter;
    splitLimit = limit;
    return pieces;
  }

  void match() {
    auto *to = getData<bool>(result);
    std::vector<std::string_view> texts;
    for (int64_t i = 0; i < count;) {
      // As many as have one pattern.
      std::string_view pattern = getText(1, i);
      int64_t begin = i;
      for (texts.clear(); i < count && getText(1, i) == pattern; ++i)
        texts.push_back(getText(0, i));
      services.match(pattern, texts.data(), i - begin, to + begin);
    }
  }

  nnrt_abi_string_function function;
  nnrt_abi_type type;
  const nnrt_abi_tensor &result;
  std::vector<Operand> operands;
  StringTable &strings;
  Services &services;
  int64_t count;
  std::vector<std::string_view> pieces;
  std::string_view splitOf, splitBy;
  int64_t splitLimit = 0;
};

} // namespace

const char *nnrt::runMapStrings(const int64_t *parameters, const nnrt_abi_tensor *args,
                                Services &services) {
  if (!services.strings)
    return "there is no table of strings";
  try {
    StringKernel(parameters, args, services).run();
    return nullptr;
  } catch (const std::runtime_error &failure) {
    services.message = failure.what();
    return services.message.c_str();
  }
}
