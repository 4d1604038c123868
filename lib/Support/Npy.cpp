//===- Npy.cpp - numpy's array format -------------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
//
// Format: "\x93NUMPY", version (2 bytes), length of the header (2 or 4 bytes),
// the header, which is a Python dictionary with the keys descr, fortran_order
// and shape, then the elements.
//
//===----------------------------------------------------------------------===//

#include "nn/Support/TensorFiles.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace mlir;
using namespace mlir::nn;
using llvm::createStringError;
using llvm::Expected;

static constexpr llvm::StringLiteral magic = "\x93NUMPY";

namespace {
struct Header {
  std::string descr;
  bool fortranOrder = false;
  SmallVector<int64_t> dims;
};

/// Reads the subset of Python literals that headers use.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : text(text) {}

  Expected<Header> parse() {
    Header header;
    bool hasDescr = false, hasOrder = false, hasShape = false;
    if (!consume('{'))
      return fail();
    while (!consume('}')) {
      std::string key;
      if (!parseString(key) || !consume(':'))
        return fail();
      if (key == "descr")
        hasDescr = parseString(header.descr);
      else if (key == "fortran_order")
        hasOrder = parseBool(header.fortranOrder);
      else if (key == "shape")
        hasShape = parseShape(header.dims);
      else
        return fail();
      if (!consume(',') && !text.ltrim().starts_with("}"))
        return fail();
    }
    if (!hasDescr || !hasOrder || !hasShape)
      return fail();
    return header;
  }

private:
  llvm::Error fail() {
    return createStringError("the header of the array is damaged, or of a kind "
                             "that is not supported (structured arrays)");
  }
  bool consume(char c) {
    text = text.ltrim();
    return text.consume_front(StringRef(&c, 1));
  }
  bool parseString(std::string &value) {
    text = text.ltrim();
    if (text.empty() || (text.front() != '\'' && text.front() != '"'))
      return false;
    size_t end = text.find(text.front(), 1);
    if (end == StringRef::npos)
      return false;
    value = text.substr(1, end - 1).str();
    text = text.drop_front(end + 1);
    return true;
  }
  bool parseBool(bool &value) {
    text = text.ltrim();
    value = text.starts_with("True");
    return text.consume_front("True") || text.consume_front("False");
  }
  bool parseShape(SmallVector<int64_t> &dims) {
    if (!consume('('))
      return false;
    while (!consume(')')) {
      uint64_t dim;
      text = text.ltrim();
      if (text.consumeInteger(10, dim) || dim > uint64_t(INT64_MAX))
        return false;
      text.consume_front("L"); // written by Python 2
      dims.push_back(int64_t(dim));
      if (!consume(',') && !text.ltrim().starts_with(")"))
        return false;
    }
    return true;
  }

  StringRef text;
};
} // namespace

/// Whether numpy has the type; it lacks bfloat16 and small types.
static bool isInNumpy(DataType type) {
  return type != DataType::String && type != DataType::BFloat16 && !isSmall(type);
}

/// numpy's descriptor without byte order ("f4"); of unsigned integers for types that
/// numpy lacks.
static std::string getDescrOf(DataType type) {
  const char *kind = !isInNumpy(type)        ? "u"
                     : isFloat(type)         ? "f"
                     : isSignedInteger(type) ? "i"
                     : isComplex(type)       ? "c"
                     : type == DataType::Bool ? "b"
                                             : "u";
  return kind + llvm::utostr(getByteSize(type));
}

/// The type of a descriptor, or Undefined.
static DataType getTypeOf(StringRef descr) {
  if (descr == "V1" || descr == "V2") // how ml_dtypes' types are saved
    return descr == "V1" ? DataType::UInt8 : DataType::UInt16;
  for (DataType type : getAllDataTypes())
    if (isInNumpy(type) && getDescrOf(type) == descr)
      return type;
  return DataType::Undefined;
}

static Expected<HostTensor> readStrings(StringRef bytes, ArrayRef<int64_t> dims,
                                        uint64_t length) {
  HostTensor tensor = HostTensor::allocate(DataType::String, dims);
  for (std::string &target : tensor.getMutableStrings()) {
    llvm::SmallVector<llvm::UTF32> codes(length);
    std::memcpy(codes.data(), bytes.data(), length * 4);
    bytes = bytes.drop_front(length * 4);
    while (!codes.empty() && codes.back() == 0)
      codes.pop_back();
    if (!llvm::convertUTF32ToUTF8String(codes, target) && !codes.empty())
      return createStringError("a string of the array is not valid Unicode");
  }
  return tensor;
}

/// Elements in column-major order to row-major order.
static HostTensor fromFortranOrder(const HostTensor &tensor) {
  HostTensor result = HostTensor::allocate(tensor.getType(), tensor.getDims());
  int64_t rank = tensor.getRank();
  SmallVector<int64_t> index(rank, 0), strides(rank, 1);
  for (int64_t d = 1; d < rank; ++d)
    strides[d] = strides[d - 1] * tensor.getDim(d - 1);
  bool isString = tensor.getType() == DataType::String;
  size_t size = getByteSize(tensor.getType());
  for (int64_t to = 0; to < tensor.getNumElements(); ++to) {
    int64_t from = 0;
    for (int64_t d = 0; d < rank; ++d)
      from += index[d] * strides[d];
    if (isString)
      result.getMutableStrings()[to] = tensor.getStrings()[from];
    else
      std::memcpy(static_cast<char *>(result.getMutableData()) + to * size,
                  static_cast<const char *>(tensor.getData()) + from * size, size);
    for (int64_t d = rank - 1; d >= 0 && ++index[d] == tensor.getDim(d); --d)
      index[d] = 0;
  }
  return result;
}

Expected<HostTensor> nn::parseNpy(StringRef bytes) {
  if (!bytes.consume_front(magic) || bytes.size() < 4)
    return createStringError("this is not an array in numpy's format");
  unsigned version = uint8_t(bytes[0]);
  size_t lengthSize = version == 1 ? 2 : 4;
  bytes = bytes.drop_front(2);
  if (version < 1 || version > 3 || bytes.size() < lengthSize)
    return createStringError("the array has a version of numpy's format that is "
                             "not supported");
  size_t length = version == 1
                      ? llvm::support::endian::read16le(bytes.data())
                      : llvm::support::endian::read32le(bytes.data());
  bytes = bytes.drop_front(lengthSize);
  if (bytes.size() < length)
    return createStringError("the array ends within its header");
  Expected<Header> header = HeaderParser(bytes.take_front(length)).parse();
  if (!header)
    return header.takeError();
  bytes = bytes.drop_front(length);

  StringRef kind = header->descr;
  if (kind.consume_front(">"))
    return createStringError("the array is big-endian; convert it, e.g. with "
                             "array.astype(array.dtype.newbyteorder('<'))");
  if (kind.starts_with("<") || kind.starts_with("|") || kind.starts_with("="))
    kind = kind.drop_front();
  uint64_t numChars = 0;
  bool isString = kind.starts_with("U");
  if (isString && kind.drop_front().getAsInteger(10, numChars))
    return createStringError("the type '" + header->descr + "' is damaged");
  DataType type = isString ? DataType::String : getTypeOf(kind);
  if (type == DataType::Undefined)
    return createStringError("arrays of numpy's type '" + header->descr +
                             "' are not supported");

  // Sizes are not trusted: no more is allocated than the bytes can fill.
  uint64_t size = isString ? llvm::SaturatingMultiply<uint64_t>(numChars, 4)
                           : getByteSize(type);
  uint64_t needed = size, count = 1;
  bool overflow = false, empty = false;
  for (int64_t dim : header->dims) {
    empty |= dim == 0;
    if (dim != 0) {
      bool carry = false;
      count = llvm::SaturatingMultiply<uint64_t>(count, dim, &carry);
      overflow |= carry;
    }
  }
  needed = llvm::SaturatingMultiply<uint64_t>(empty ? 0 : count, size);
  if (overflow || count > uint64_t(INT64_MAX) || needed != bytes.size() ||
      (size == 0 && count > (1u << 20)))
    return createStringError(
        "the array has " + Twine(bytes.size()) + " bytes of elements, but its "
        "header (type '" + header->descr + "', shape " +
        formatDims(header->dims) + ") needs another number");

  HostTensor tensor;
  if (isString) {
    Expected<HostTensor> strings = readStrings(bytes, header->dims, numChars);
    if (!strings)
      return strings.takeError();
    tensor = *strings;
  } else {
    tensor = HostTensor::allocate(type, header->dims);
    std::memcpy(tensor.getMutableData(), bytes.data(), bytes.size());
  }
  return header->fortranOrder ? fromFortranOrder(tensor) : tensor;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

std::string nn::formatNpy(const HostTensor &tensor) {
  std::string elements, descr;
  if (tensor.getType() == DataType::String) {
    // Each string is padded to the longest.
    std::vector<std::vector<llvm::UTF32>> all;
    size_t longest = 1;
    for (const std::string &text : tensor.getStrings()) {
      std::vector<llvm::UTF32> codes(text.size());
      const auto *from = reinterpret_cast<const llvm::UTF8 *>(text.data());
      llvm::UTF32 *to = codes.data();
      llvm::ConvertUTF8toUTF32(&from, from + text.size(), &to,
                               codes.data() + codes.size(),
                               llvm::lenientConversion);
      codes.resize(to - codes.data());
      longest = std::max(longest, codes.size());
      all.push_back(std::move(codes));
    }
    for (std::vector<llvm::UTF32> &codes : all) {
      codes.resize(longest, 0);
      elements.append(reinterpret_cast<const char *>(codes.data()), longest * 4);
    }
    descr = "<U" + llvm::utostr(longest);
  } else {
    elements.assign(static_cast<const char *>(tensor.getData()), tensor.getNumBytes());
    if (isPacked(tensor.getType()))
      for (char &element : elements)
        element &= (1 << getBitWidth(tensor.getType())) - 1;
    bool isByte = getByteSize(tensor.getType()) == 1;
    descr = (isByte ? "|" : "<") + getDescrOf(tensor.getType());
  }
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (int64_t dim : tensor.getDims())
    header += llvm::itostr(dim) + (tensor.getRank() == 1 ? "," : ", ");
  if (tensor.getRank() > 1)
    header.resize(header.size() - 2);
  header += "), }";
  // Elements begin at a multiple of 64 bytes.
  size_t prefix = magic.size() + 4;
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes = magic.str() + std::string("\x01\x00", 2);
  bytes += char(header.size() & 255);
  bytes += char(header.size() >> 8);
  return bytes + header + elements;
}

Expected<HostTensor> nn::reinterpretAs(const HostTensor &tensor,
                                       DataType wanted) {
  DataType type = tensor.getType();
  if (type == wanted)
    return tensor;
  bool isBits = type == DataType::UInt8 || type == DataType::UInt16;
  bool lacking = !isInNumpy(wanted);
  if (!isBits || !lacking || getByteSize(type) != getByteSize(wanted))
    return createStringError("is " + Twine(getName(type)) + ", but must be " +
                             getName(wanted) +
                             (lacking ? (getByteSize(wanted) == 2
                                             ? " (its bits as uint16)"
                                             : " (its bits as uint8)")
                                      : ""));
  if (!isPacked(wanted))
    return tensor.withType(wanted);
  // Negative numbers may be sign-extended to a byte, as in ml_dtypes.
  unsigned width = getBitWidth(wanted), largest = (1 << width) - 1;
  unsigned negative = isSignedInteger(wanted) ? 256 - (1 << (width - 1)) : 256;
  HostTensor result = HostTensor::allocate(wanted, tensor.getDims());
  for (auto [i, element] : llvm::enumerate(tensor.get<uint8_t>())) {
    if (element > largest && element < negative)
      return createStringError("holds " + Twine(unsigned(element)) +
                               ", which is not the bits of a " + getName(wanted) +
                               " (0 to " + Twine(largest) + ")");
    result.getMutable<uint8_t>()[i] = element & largest;
  }
  return unpackElements(wanted, result.getDims(), packElements(result).data());
}
