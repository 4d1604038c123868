#!/usr/bin/env bash
# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
#
# Proves that a fresh Debian 12 machine needs only the two commands: makes a
# minimal root with debootstrap, copies the committed tree into it, runs there
# tools/quickstart.sh twice and tools/test.sh, and prints how long each took.
#
#   tools/scripts/prove-fresh-machine.sh [--keep] [--shared DIR] [COMMAND...]
#
#   --keep        leave the root there, for a look at what went wrong
#   --shared DIR  show DIR (real models and data) to the tests as ../shared
#   COMMAND       run these shell commands instead
#
# Needs root and debootstrap. What this machine needs to reach Debian and PyPI
# (apt's and pip's settings, proxies, certificates) is carried over.

set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

keep=
shared=
commands=(tools/quickstart.sh tools/quickstart.sh tools/test.sh)
while [ $# -gt 0 ]; do
  case "$1" in
  -h | --help)
    sed -n '4,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  --keep) keep=1 ;;
  --shared)
    [ -d "${2:-}" ] || die "--shared needs a folder"
    shared=$(realpath "$2")
    shift
    ;;
  -*) die "unknown argument '$1'; see --help" ;;
  *)
    commands=("$@")
    break
    ;;
  esac
  shift
done

[ "$(id -u)" = 0 ] || die "only root can make and enter a new root"
command -v debootstrap >/dev/null || die "debootstrap is missing; on Debian: apt-get install debootstrap"
# Mounts below vanish with this process.
if [ -z "${NN_UNSHARED:-}" ]; then
  arguments=()
  [ -z "$keep" ] || arguments+=(--keep)
  [ -z "$shared" ] || arguments+=(--shared "$shared")
  NN_UNSHARED=1 exec unshare --mount --propagation private "${BASH_SOURCE[0]}" "${arguments[@]}" "${commands[@]}"
fi
[ -z "$(git -C "$nn_root" status --porcelain)" ] || say "note: changes that are not committed are not part of the proof"

root=$(mktemp -d "${TMPDIR:-/var/tmp}/nn-fresh.XXXXXX")
clean_up() {
  if [ -n "$keep" ]; then
    say "The root is in $root"
  else
    # One file system: never what is mounted below.
    umount -R "$root"/{proc,sys,dev,src/shared} 2>/dev/null || true
    rm -rf --one-file-system "$root"
  fi
}
trap clean_up EXIT

# Where this machine's apt gets Debian 12 from.
mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
  awk '$1 == "bookworm" && $2 == "main" {print $3; exit}')
make_root() {
  debootstrap --variant=minbase bookworm "$root" "${mirror:-http://deb.debian.org/debian}"
}

carry() {
  local path
  for path in "$@"; do
    [ -e "$path" ] || continue
    mkdir -p "$root$(dirname "$path")"
    cp -aLT "$path" "$root$path" || true
  done
}

carry_settings() {
  rm -f "$root/etc/apt/sources.list"
  carry /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/auth.conf.d /etc/apt/keyrings \
    /etc/apt/trusted.gpg.d /usr/share/keyrings /etc/resolv.conf /etc/hosts /etc/pip.conf "$HOME/.config/pip" "$HOME/.pip" \
    "$HOME/.netrc" /usr/local/share/ca-certificates /etc/ssl/certs/ca-certificates.crt
  rm -f "$root/etc/apt/apt.conf.d/docker-gzip-indexes"
  # Sources that were switched off stay so: apt reads only *.list and *.sources.
  local name value
  while IFS='=' read -r -d '' name value; do
    case "$name" in
    *_proxy | *_PROXY | PIP_* | SSL_CERT_* | REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE)
      environment+=("$name=$value")
      case "$value" in /*) carry "$value" ;; esac
      ;;
    esac
  done < <(env -0)
}

environment=(HOME="$HOME" PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM="${TERM:-dumb}")
step "Making a fresh Debian 12" make_root
carry_settings
mkdir -p "$root/src/nn-mlir" "$root$HOME"
git -C "$nn_root" archive HEAD | tar -x -C "$root/src/nn-mlir"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
if [ -n "$shared" ]; then
  mkdir -p "$root/src/shared"
  mount --bind -o ro "$shared" "$root/src/shared"
fi

report=()
status=0
for command in "${commands[@]}"; do
  say "
==> $command"
  start=$SECONDS
  result=ok
  chroot "$root" env -i "${environment[@]}" bash -c "cd /src/nn-mlir && $command" || { result="FAILED ($?)"; status=1; }
  report+=("$(printf '%6d s  %-10s %s' $((SECONDS - start)) "$result" "$command")")
  [ $status = 0 ] || break
done

say "
On a fresh Debian 12 with $(nproc) cores, commit $(git -C "$nn_root" rev-parse --short HEAD):"
printf '%s\n' "${report[@]}"
exit $status
