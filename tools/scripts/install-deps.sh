#!/usr/bin/env bash
# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
#
# Installs what building and testing nn-mlir needs:
#   - Debian packages (Debian 12, as root);
#   - in a cache outside the build tree, made once: a Python environment for the
#     tools, ONNX's C++ library and oneDNN, each pinned by hash.
#
#   eval "$(tools/scripts/install-deps.sh)"   # also sets the variables below
#   cmake -B build -G Ninja && ninja -C build
#
# Prints, for a shell: NN_PYTHON, NN_CMAKE, CMAKE_PREFIX_PATH.
#
# The cache is NN_DEPS_DIR, or nn-mlir in $XDG_CACHE_HOME or ~/.cache. With
# NN_NO_PACKAGES=1 the system's packages are taken as they are.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
pins=$nn_root/tools/scripts

packages=(
  ca-certificates g++ ninja-build ccache python3 python3-venv
  libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools liblld-22-dev lld-22 clang-22
  libtbb-dev libjemalloc2 libprotobuf-dev protobuf-compiler libkissfft-dev libre2-dev libzip-dev zipcmp zipmerge ziptool zlib1g-dev libzstd-dev
  libgtest-dev libpng-dev libjpeg-dev fonts-dejavu-core fonts-wqy-microhei
)

missing_packages() {
  dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
    awk '$2 == "installed" {print $1}' | sort -u >"$scratch/installed"
  printf '%s\n' "${packages[@]}" | sort -u | comm -23 - "$scratch/installed"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@"
}

install_packages() {
  local missing
  missing=$(missing_packages | tr '\n' ' ')
  [ -n "${missing// /}" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    die "these Debian packages are missing, and only root can install them:
  sudo apt-get update && sudo apt-get install --no-install-recommends $missing"
  fi
  step "Reading the package lists" apt_get update
  # shellcheck disable=SC2086 # a list of words
  apt_get --simulate install --no-install-recommends $missing >"$scratch/plan" 2>&1 ||
    die "apt cannot install all of: $missing
LLVM 22 for Debian 12 is in bookworm's security suite; is it among apt's sources? apt says:
$(tail -n 12 "$scratch/plan")"
  # shellcheck disable=SC2086
  step "Installing $(wc -w <<<"$missing") Debian packages" apt_get install -y --no-install-recommends $missing
}

check_system() {
  local name=unknown
  [ "$(uname -m)" = x86_64 ] || die "nn-mlir's dependencies are prepared for x86-64, this machine is $(uname -m)."
  [ "${NN_NO_PACKAGES:-0}" = 0 ] || return 0
  if [ -r /etc/os-release ]; then
    name=$(. /etc/os-release && echo "$ID ${VERSION_ID:-}")
  fi
  [ "$name" = "debian 12" ] && command -v apt-get >/dev/null && return 0
  die "this system ($name) is not Debian 12, whose packages this script knows.
Install by other means: a C++17 compiler, Ninja, Python 3.11-3.13 with venv, LLVM, MLIR and LLD 22.1
(libraries, headers and tools), oneTBB 2021, protobuf 3.21, kissfft 131 (headers), RE2, libzip, zlib, libpng, libjpeg.
Then run this script again with NN_NO_PACKAGES=1, and point CMAKE_PREFIX_PATH at LLVM if it is not
in /usr/lib/llvm-22."
}

make_python() {
  local python
  for python in "${NN_HOST_PYTHON:-}" python3 python3.11 python3.12 python3.13; do
    [ -n "$python" ] && "$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && break
    python=
  done
  [ -n "$python" ] || die "no Python 3.11 to 3.13 with the venv module; on Debian: python3-venv. NN_HOST_PYTHON names one."
  "$python" -m venv "$dest"
  "$dest/bin/pip" install --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes -r "$pins/requirements.txt"
}

make_onednn() {
  "$venv/bin/pip" download --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes -d "$scratch/onednn" \
    -r "$pins/requirements-onednn.txt"
  "$venv/bin/python" - "$scratch/onednn" "$dest" <<'PY'
import pathlib, struct, sys, zipfile
source, dest = map(pathlib.Path, sys.argv[1:])
for wheel in sorted(source.glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            _, found, path = name.partition(".data/data/")
            if found and not path.endswith("/"):
                (dest / path).parent.mkdir(parents=True, exist_ok=True)
                (dest / path).write_bytes(archive.read(name))
# A wheel holds no links: it has the library once per name.
library = dest / "lib"
for name, target in ("libdnnl.so.3", "libdnnl.so.3.2"), ("libdnnl.so", "libdnnl.so.3"):
    (library / name).unlink()
    (library / name).symlink_to(target)
# Intel's compiler built it, whose libraries it asks for what the C library has too:
# memcpy and memset under other names, and libm.
path = library / "libdnnl.so.3.2"
data = bytearray(path.read_bytes())
for old, new in (b"libimf.so", b"libm.so.6"), (b"libintlc.so.5", b"libc.so.6"):
    data = data.replace(b"\0" + old + b"\0", b"\0" + new.ljust(len(old) + 1, b"\0"))
table, = struct.unpack_from("<Q", data, 40)
size, count = struct.unpack_from("<HH", data, 58)
sections = [struct.unpack_from("<IIQQQQI", data, table + i * size) for i in range(count)]
symbols = next(section for section in sections if section[1] == 11)  # SHT_DYNSYM
names = sections[symbols[6]][4]
for symbol in range(symbols[4], symbols[4] + symbols[5], 24):
    name, = struct.unpack_from("<I", data, symbol)
    if data.startswith(b"_intel_fast_mem", names + name):
        struct.pack_into("<I", data, symbol, name + len(b"_intel_fast_"))
path.write_bytes(data)
PY
}

make_onnx() {
  # Without isolation, pip takes the build tools from our environment and not
  # unpinned ones from the network. Only the source is wanted.
  PATH=$venv/bin:$PATH "$venv/bin/pip" download --disable-pip-version-check --no-deps --no-binary onnx --no-build-isolation \
    --require-hashes -d "$scratch/onnx" -r "$pins/requirements-onnx.txt"
  tar -xf "$scratch"/onnx/onnx-*.tar.gz -C "$scratch/onnx" --strip-components=1
  "$venv/bin/cmake" -S "$scratch/onnx" -B "$scratch/onnx/build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$dest" \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF \
    -DONNX_USE_UNITY_BUILD=ON -DONNX_USE_PROTOBUF_SHARED_LIBS=ON \
    -DONNX_BUILD_PYTHON=OFF -DONNX_ML=ON -DPython3_EXECUTABLE="$venv/bin/python"
  ninja -C "$scratch/onnx/build" -j "${NN_JOBS:-$(nproc)}" install
}

case "${1:-}" in
"") ;;
-h | --help)
  sed -n '4,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit 0
  ;;
*) die "unknown argument '$1'; see --help" ;;
esac

check_system
make_scratch
[ "${NN_NO_PACKAGES:-0}" != 0 ] || install_packages

# One at a time: two builds may start together.
exec 9>"$nn_deps_dir/lock"
flock 9
cached python "$pins/requirements.txt" "Installing Python tools" make_python
venv=$dest
cached onednn "$pins/requirements-onednn.txt" "Fetching oneDNN" make_onednn
onednn=$dest
cached onnx "$pins/requirements-onnx.txt" "Building ONNX's C++ library" make_onnx
onnx=$dest

# Ours first, then the caller's; not twice where the caller's came from here.
prefix_path=$onnx:$onednn
IFS=: read -ra callers <<<"${CMAKE_PREFIX_PATH:-}"
for entry in "${callers[@]}"; do
  case "$entry" in "" | "$nn_deps_dir"/*) ;; *) prefix_path+=:$entry ;; esac
done
cat <<EOF
export NN_PYTHON='$venv/bin/python'
export NN_CMAKE='$venv/bin/cmake'
export CMAKE_PREFIX_PATH='$prefix_path'
EOF
