#!/usr/bin/env bash
# bash help_test.sh PROJECT WORK
source "$(dirname "$0")/test_lib.sh" "$@"

# Every command in scripts/ says what it does when asked, and does nothing else.
for script in "$project"/scripts/*; do
  name="${script##*/}"
  [[ -x $script && ! -d $script ]] || continue
  [[ $name != plot ]] || "$project/scripts/python" --path >/dev/null 2>&1 || continue # its help is Python's
  for option in -h --help; do
    output="$(cd "$work" && timeout 60 "$script" "$option" 2>&1)"
    status=$?
    expect "$name $option: exit status 0, not $status" test "$status" -eq 0
    expect "$name $option: its own name" contains "$output" "$name"
    expect "$name $option: at least two lines" test "$(wc -l <<<"$output")" -ge 2
  done
done
expect "nothing is left behind" test -z "$(ls "$work")"
finish
