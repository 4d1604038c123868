#!/usr/bin/env bash
# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
#
# Installs what is missing, builds into build/, runs all tests. The last line is
# "N passed, N failed, N skipped"; exits non-zero unless all passed.
#
#   tools/test.sh                     everything
#   tools/test.sh test/dialects/NN    only these lit tests
#   tools/test.sh --release ...       in build-release: optimized, without assertions
#                                     (NDEBUG), and warnings are errors
#
# Environment: NN_BUILD_DIR, NN_DEPS_DIR, NN_JOBS, NN_CMAKE_ARGS, and
# NN_SHARED_DIR, where real models and data lie (default: ../shared).

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"

case "${1:-}" in
-h | --help)
  sed -n '4,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit 0
  ;;
esac

if [ "${1:-}" = --release ]; then
  shift
  nn_build_dir=${NN_BUILD_DIR:-$nn_root/build-release}
  NN_CMAKE_ARGS="-DCMAKE_BUILD_TYPE=Release -DNN_WARNINGS_AS_ERRORS=ON ${NN_CMAKE_ARGS:-}"
fi
for test in "$@"; do
  [ -e "$test" ] || die "no such test: $test"
done
use_dependencies
build_targets

results=$nn_build_dir/test-results
rm -rf "$results"
mkdir -p "$results"

say "         Running the lit tests ..."
# The exit codes of lit and ctest are not needed: failures are counted below.
"$nn_build_dir/bin/nn-lit" -j "${NN_JOBS:-$(nproc)}" -o "$results/lit.json" "${@:-$nn_root/test}" >&2 || true
if [ $# = 0 ]; then
  say "         Running the unit tests ..."
  "${NN_CMAKE%cmake}ctest" --test-dir "$nn_build_dir" -j "${NN_JOBS:-$(nproc)}" --timeout 300 \
    --output-on-failure --output-junit "$results/ctest.xml" >&2 || true
fi
"$NN_PYTHON" "$nn_root/tools/scripts/sum-tests" "$results"
