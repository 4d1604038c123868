//===- Coding.h - Weights in few bits ---------------------------*- C++ -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// Weights that were pruned or clustered have few distinct values, or many zeros. A section
// of kind CodedWeights has them without loss in about as many bits as they have
// information; the runtime decodes them to memory when it loads the model. All numbers are
// little-endian:
//
//   u64 image     bytes that ctx->weights has
//   u64 count
//   count times:  u64 offset and u64 size in the image
//                 u64 offset in this section, and u64 size, of what is coded
//                 u32 coding, u32 bytes of an element
//   the coded tensors
//
// A tensor is coded in the way that takes the fewest bytes:
//
//   Stored    as it is
//   Codebook  u32 number of distinct values (up to 256), u32 lanes; the values; a u16
//             frequency of each, in 4096ths; for each 2^17 elements: u32 size, and the
//             numbers of their values, entropy-coded
//   Differences
//             of 4-byte integers, each from the one before (the first from 0), as a Codebook:
//             lists of places ascend in few steps
//   Zeros     u64 size, and so many bytes: the bits of which elements are not zero, as a
//             Codebook of bytes; then these elements, as they are
//   SignedZeros
//             the same where an element is zero if it is so but for its highest bit, as -0 is,
//             which pruning by a mask leaves: before these elements, u64 size, and so many bytes:
//             that bit of each zero, as a Codebook of bytes
//
// The entropy coder is rANS (Duda 2014, arXiv:1311.2540) of order 0 with frequencies of 12
// bits: states of 32 bits, which are refilled with words of 16 bits. Element i belongs to
// state i % lanes; the states come first, then the words of all of them in the order in
// which decoding takes them.
//
//===----------------------------------------------------------------------===//

#ifndef NNRT_CORE_CODING_H
#define NNRT_CORE_CODING_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nnrt {

enum class Coding : uint32_t { Stored = 0, Codebook = 1, Zeros = 2, Differences = 3, SignedZeros = 4 };

/// A tensor of the weights section.
struct WeightBlob;

/// The content of a section CodedWeights for an image of `imageSize` bytes.
std::string encodeWeights(const std::vector<WeightBlob> &blobs, uint64_t imageSize);

/// The bytes of the image. False if `bytes` are no such section.
bool readImageSize(const uint8_t *bytes, size_t size, uint64_t &image);

/// Decodes to `image`, which has as many bytes as readImageSize says, all zero. Large sections are decoded
/// by several threads. False if the bytes are damaged; safe for any bytes.
bool decodeWeights(const uint8_t *bytes, size_t size, uint8_t *image);

} // namespace nnrt

#endif // NNRT_CORE_CODING_H
