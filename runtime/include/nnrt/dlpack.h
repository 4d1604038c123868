//===- dlpack.h - DLPack's tensor structure ---------------------*- C -*-===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
// The part of DLPack 1.x that nnrt.h needs: DLTensor and what it is made of.
// The layout and the numbers are those of DLPack's dlpack.h
// (https://github.com/dmlc/dlpack, Apache License 2.0), with which this header
// is binary compatible; comments are ours. A program that also wants DLPack's
// managed tensors includes the original header first: this one then steps aside.
//
//===----------------------------------------------------------------------===//

#ifndef DLPACK_DLPACK_H_
#define DLPACK_DLPACK_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Where the memory of a tensor is. nnrt takes kDLCPU.
#ifdef __cplusplus
typedef enum : int32_t {
#else
typedef enum {
#endif
  kDLCPU = 1,
  kDLCUDA = 2,
  kDLCUDAHost = 3,
  kDLOpenCL = 4,
  kDLVulkan = 7,
  kDLMetal = 8,
  kDLVPI = 9,
  kDLROCM = 10,
  kDLROCMHost = 11,
  kDLExtDev = 12,
  kDLCUDAManaged = 13,
  kDLOneAPI = 14,
  kDLWebGPU = 15,
  kDLHexagon = 16,
  kDLMAIA = 17
} DLDeviceType;

typedef struct {
  DLDeviceType device_type;
  int32_t device_id;
} DLDevice;

/// The meaning of an element's bits. A type of 4 (2) bits has 4 (2) in
/// DLDataType::bits, and two (four) elements lie in a byte, the first in its lowest
/// bits; the last byte is filled up with zeros. Such tensors have no gaps: their
/// strides must be row-major.
typedef enum {
  kDLInt = 0U,
  kDLUInt = 1U,
  kDLFloat = 2U,
  kDLOpaqueHandle = 3U,
  kDLBfloat = 4U,
  kDLComplex = 5U,
  kDLBool = 6U,
  kDLFloat8_e3m4 = 7U,
  kDLFloat8_e4m3 = 8U,
  kDLFloat8_e4m3b11fnuz = 9U,
  kDLFloat8_e4m3fn = 10U,
  kDLFloat8_e4m3fnuz = 11U,
  kDLFloat8_e5m2 = 12U,
  kDLFloat8_e5m2fnuz = 13U,
  kDLFloat8_e8m0fnu = 14U,
  kDLFloat6_e2m3fn = 15U,
  kDLFloat6_e3m2fn = 16U,
  kDLFloat4_e2m1fn = 17U
} DLDataTypeCode;

typedef struct {
  uint8_t code; // DLDataTypeCode
  uint8_t bits;
  uint16_t lanes; // 1: nnrt has no vector elements
} DLDataType;

typedef struct {
  /// The first element is at (char *)data + byte_offset.
  void *data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape;
  /// In elements; null means row-major without gaps.
  int64_t *strides;
  uint64_t byte_offset;
} DLTensor;

#ifdef __cplusplus
} // extern "C"
#endif

#endif // DLPACK_DLPACK_H_
