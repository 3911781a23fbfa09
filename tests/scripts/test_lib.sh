# Sourced by the shell tests: $1 is the project, $2 a folder to work in. bash.
set -uo pipefail
project="$1" work="$2"
rm -rf "$work"
mkdir -p "$work"
failures=0

# expect WHAT COMMAND...: the command must succeed.
expect() {
  local what="$1"
  shift
  "$@" || {
    echo "failed: $what"
    failures=$((failures + 1))
  }
}
contains() { grep -qF -- "$2" <<<"$1"; }
lacks() { ! contains "$@"; }
finish() {
  ((failures == 0)) || echo "$failures expectations failed; the output was: ${output:-}"
  exit $((failures > 0))
}

# A folder with every program of the machine except some: a PATH on which these are not installed.
path_without() {
  local folder program
  folder="$(mktemp -d "$work/bin.XXXXXX")"
  ln -sft "$folder" /bin/* /usr/bin/* 2>/dev/null
  for program in "$@"; do
    rm -f "$folder/$program"
  done
  echo "$folder"
}
