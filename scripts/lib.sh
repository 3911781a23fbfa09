# Shared by the scripts beside it; sourced, never run. bash.

ISOFIELD_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# What is built or downloaded once, for every clone and build folder of this user.
isofield_cache() { echo "${ISOFIELD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/isofield}"; }

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Print the tools' own options of a script: the comment block below its first line.
usage() { sed -n '2,/^[^#]/{/^#/!d; s/^# \{0,1\}//; p}' "$0"; }

# Compile jobs at a time: the processors we may use, fewer where memory is short (a LibTorch file takes over 1 GB).
jobs_count() {
  local cores memory
  cores="$(nproc)"
  memory="$(awk '/MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo)"
  ((memory < 1)) && memory=1
  echo "${ISOFIELD_JOBS:-$((cores < memory ? cores : memory))}"
}

# bootstrap_for PRESET [-D...]: install what that build needs: what is left out by the preset, by an earlier
# configuration of its folder or by the options is not asked for.
bootstrap_for() {
  local earlier=() cache="$ISOFIELD_ROOT/build/$1/CMakeCache.txt"
  if grep -qs "\"name\": \"$1\", \"inherits\": \"host-only\"" "$ISOFIELD_ROOT/CMakePresets.json"; then
    earlier=(-DISOFIELD_KOKKOS=OFF -DISOFIELD_TORCH=OFF)
  fi
  if [[ -f $cache ]]; then
    mapfile -t -O "${#earlier[@]}" earlier < <(
      sed -nE 's/^(ISOFIELD_KOKKOS|ISOFIELD_TORCH|CMAKE_PREFIX_PATH):[A-Z]+=(.+)$/-D\1=\2/p' "$cache")
  fi
  "$ISOFIELD_ROOT/scripts/bootstrap" "${earlier[@]}" "${@:2}"
}

# configure PRESET [-D...]: run CMake's configuration. It says what it found when it differs from the last time.
configure() {
  local log="$ISOFIELD_ROOT/build/$1.configure.log" before
  mkdir -p "$ISOFIELD_ROOT/build"
  before="$(findings "$log")"
  cmake --preset "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    die "the configuration of $1 failed"
  }
  [[ $(findings "$log") == "$before" ]] || findings "$log" >&2
}
findings() { sed -n '/^CMake \(Warning\|Deprecation\)/,/^$/p; /^-- \(Kokkos\|LibTorch\|Python\)/p' "$1" 2>/dev/null || true; }

# build PRESET [TARGET...]: build what changed.
build() {
  local preset="$1"
  shift
  cmake --build --preset "$preset" --parallel "$(jobs_count)" ${1:+--target "$@"}
}
