//===- ImageFiles.cpp - PNG and JPEG files --------------------------------===//
//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See
// LICENSE.
//
//===----------------------------------------------------------------------===//

#include "Image.h"
#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <jpeglib.h>
#include <png.h>

using namespace ocr;

namespace {

struct CloseFile {
  void operator()(FILE *file) const { fclose(file); }
};
using File = std::unique_ptr<FILE, CloseFile>;

/// Pictures beyond this are not read: their files are more likely damaged.
constexpr int64_t maxPixels = 200'000'000;

[[noreturn]] void fail(const std::string &path, const std::string &reason) {
  throw std::runtime_error(path + ": " + reason);
}

void checkSize(const std::string &path, int64_t width, int64_t height) {
  if (width <= 0 || height <= 0 || width > maxPixels / height)
    fail(path, "a picture of " + std::to_string(width) + "x" +
                   std::to_string(height) + " pixels cannot be read");
}

/// libjpeg reports errors through a function that must not return.
struct JpegErrors {
  jpeg_error_mgr base;
  jmp_buf back;
  char message[JMSG_LENGTH_MAX];

  static void exit(j_common_ptr info) {
    auto *self = reinterpret_cast<JpegErrors *>(info->err);
    info->err->format_message(info, self->message);
    longjmp(self->back, 1);
  }
  static void output(j_common_ptr) {} // Warnings: the picture is still usable.
};

/// Nothing with a destructor may live between setjmp and the calls below it:
/// longjmp passes over destructors. So the caller owns all.
bool decodeJpeg(FILE *file, jpeg_decompress_struct &info, JpegErrors &errors,
                const std::string &path, Image &image) {
  if (setjmp(errors.back))
    return false;
  jpeg_create_decompress(&info);
  jpeg_stdio_src(&info, file);
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  checkSize(path, info.output_width, info.output_height);
  image = Image(info.output_width, info.output_height);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = image.at(0, info.output_scanline);
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

Image readJpeg(const std::string &path, FILE *file) {
  jpeg_decompress_struct info = {};
  JpegErrors errors = {};
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = JpegErrors::exit;
  errors.base.output_message = JpegErrors::output;
  struct Destroy {
    jpeg_decompress_struct &info;
    ~Destroy() { jpeg_destroy_decompress(&info); }
  } destroy{info};

  Image image;
  if (!decodeJpeg(file, info, errors, path, image))
    fail(path, std::string("damaged JPEG: ") + errors.message);
  return image;
}

Image readPng(const std::string &path, FILE *file) {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_stdio(&png, file))
    fail(path, std::string("damaged PNG: ") + png.message);
  struct Free {
    png_image &png;
    ~Free() { png_image_free(&png); }
  } free{png};

  checkSize(path, png.width, png.height);
  png.format = PNG_FORMAT_RGB;
  Image image(png.width, png.height);
  png_color white = {255, 255, 255};
  if (!png_image_finish_read(&png, &white, image.rgb.data(), 0, nullptr))
    fail(path, std::string("damaged PNG: ") + png.message);
  return image;
}

} // namespace

Image ocr::readImage(const std::string &path) {
  File file(fopen(path.c_str(), "rb"));
  if (!file)
    fail(path, strerror(errno));
  uint8_t magic[8] = {};
  size_t size = fread(magic, 1, sizeof(magic), file.get());
  rewind(file.get());
  if (size == sizeof(magic) && png_sig_cmp(magic, 0, sizeof(magic)) == 0)
    return readPng(path, file.get());
  if (size > 2 && magic[0] == 0xff && magic[1] == 0xd8)
    return readJpeg(path, file.get());
  fail(path, "neither a PNG nor a JPEG file");
}

void ocr::writePng(const Image &image, const std::string &path) {
  png_image png = {};
  png.version = PNG_IMAGE_VERSION;
  png.width = image.width;
  png.height = image.height;
  png.format = PNG_FORMAT_RGB;
  png.flags = PNG_IMAGE_FLAG_FAST;
  if (!png_image_write_to_file(&png, path.c_str(), 0, image.rgb.data(), 0,
                               nullptr))
    fail(path, std::string("cannot be written: ") + png.message);
}
