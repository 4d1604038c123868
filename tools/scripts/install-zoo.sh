#!/usr/bin/env bash
# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
#
# install-zoo.sh ENVIRONMENT: installs the packages of requirements-zoo-ENVIRONMENT.txt into
# an environment of their own in the dependency cache, where that is not done, and prints
# its Python.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# -eq 1 ] || die "usage: install-zoo.sh ENVIRONMENT"
pins=$nn_root/tools/scripts/requirements-zoo-$1.txt
[ -f "$pins" ] || die "there is no environment '$1': $pins is missing"

make_zoo() {
  "$NN_PYTHON" -m venv "$dest"
  "$dest/bin/pip" install --disable-pip-version-check --no-deps --only-binary=:all: \
    --require-hashes -r "$pins"
}

[ -n "${NN_PYTHON:-}" ] || use_dependencies
cached "zoo-$1" "$pins" "Installing packages for the zoo's models: $1" make_zoo
echo "$dest/bin/python"
