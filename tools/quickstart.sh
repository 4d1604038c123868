#!/usr/bin/env bash
# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
#
# From nothing to a product: installs what is missing, builds the compiler,
# compiles three OCR models and reads the text in a picture with them.
#
#   tools/quickstart.sh             reads a picture that it draws itself
#   tools/quickstart.sh PICTURE     reads a PNG or JPEG file
#
# Environment: NN_BUILD_DIR, NN_DEPS_DIR, NN_JOBS, NN_CMAKE_ARGS.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"

case "${1:-}" in
-h | --help)
  sed -n '4,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit 0
  ;;
-*) die "unknown argument '$1'; see --help" ;;
esac
[ $# -le 1 ] || die "one picture at a time; see --help"
[ $# = 0 ] || [ -r "$1" ] || die "$1: no such picture"

use_dependencies
build_targets nn-translate ocr nnrt_onednn

models=$("$nn_root/tools/scripts/fetch-ocr-models")

work=$nn_build_dir/quickstart
mkdir -p "$work"
bin=$nn_build_dir/bin

# compile ROLE MODEL: unless it has been, by this compiler.
compile() {
  local library=$work/$1.so model=$models/$2
  [ "$library" -nt "$bin/nn-translate" ] && [ "$library" -nt "$model" ] && return
  step "Compiling the $1" "$bin/nn-translate" "$model" -o "$library"
}
compile detector ch_PP-OCRv4_det_infer.onnx
compile classifier ch_ppocr_mobile_v2.0_cls_infer.onnx
compile recognizer ch_PP-OCRv4_rec_infer.onnx

picture=${1:-}
if [ -z "$picture" ]; then
  picture=$work/picture.png
  "$NN_PYTHON" "$nn_root/tools/scripts/draw-test-picture" "$picture" >"$work/picture.txt"
fi

say "
Reading $picture"
"$bin/ocr" --detector "$work/detector.so" --classifier "$work/classifier.so" \
  --recognizer "$work/recognizer.so" --output "$work/words.png" "$picture"
say "
The picture with a box around each line of text: $work/words.png"
