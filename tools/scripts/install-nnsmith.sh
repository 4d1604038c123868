#!/usr/bin/env bash
# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
#
# Installs NNSmith and PyTorch (requirements-nnsmith.txt) into an environment of their own
# in the dependency cache, where that is not done, and prints its Python.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
pins=$nn_root/tools/scripts/requirements-nnsmith.txt

make_nnsmith() {
  "$NN_PYTHON" -m venv "$dest"
  # One package comes as source. It is built by tools of this environment, not by
  # unpinned ones.
  local options=(--disable-pip-version-check --no-deps --no-build-isolation
    --only-binary=:all: --no-binary=antlr4-python3-runtime --require-hashes)
  # (wheel itself needs packaging.)
  grep -E -A 1 '^(wheel|packaging)==' "$pins" | grep -v '^--$' >"$scratch/build.txt"
  "$dest/bin/pip" install "${options[@]}" -r "$scratch/build.txt"
  "$dest/bin/pip" install "${options[@]}" -r "$pins"
}

[ -n "${NN_PYTHON:-}" ] || use_dependencies
make_scratch
cached nnsmith "$pins" "Installing NNSmith and PyTorch" make_nnsmith
echo "$dest/bin/python"
