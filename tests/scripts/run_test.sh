#!/usr/bin/env bash
# bash run_test.sh PROJECT WORK
source "$(dirname "$0")/test_lib.sh" "$@"
"$project/scripts/python" --path >/dev/null 2>&1 || exit 77

# A tree whose parts only say that they were called; the command writes its number of calls into the result.
mkdir -p "$work"/{tree/scripts,tree/build/release/bin,here}
cp "$project"/scripts/{run,lib.sh,python} "$work/tree/scripts"
printf '#!/bin/sh\necho "bootstrap: $*"\n' >"$work/tree/scripts/bootstrap"
printf '#!/bin/sh\necho "drawn: $1"\n' >"$work/tree/scripts/plot"
cat >"$work/tree/build/release/bin/mfg_solve" <<'COMMAND'
#!/bin/sh
echo "called: $*"
[ "$STATUS" = 0 ] || [ "$STATUS" = 3 ] || exit "$STATUS"
case " $* " in *" --check "*) exit 0 ;; esac
echo "$*" >new && mv new "$RESULT"
exit "$STATUS"
COMMAND
mkdir "$work/bin"
printf '#!/bin/sh\n' >"$work/bin/cmake"
chmod +x "$work"/bin/* "$work"/tree/scripts/* "$work"/tree/build/release/bin/*
printf 'title = "x"\n[output]\nfile = "named.h5"\n' >"$work/here/named.toml"
printf 'title = "x"\n' >"$work/here/plain.toml"

# run STATUS RESULT ARGUMENTS...: in the folder here; RESULT is what the command writes.
run() {
  output="$(cd "$work/here" && STATUS="$1" RESULT="$2" PATH="$work/bin:$PATH" "$work/tree/scripts/run" "${@:3}" 2>&1)"
  status=$?
}
there() { ls "$work/here" | tr '\n' ' '; }

the_result_is_drawn_whatever_names_it() {
  run 0 plain.h5 plain.toml
  expect "exit status 0" test "$status" -eq 0
  expect "the configuration's name" contains "$output" "drawn: plain.h5"
  run 0 named.h5 named.toml
  expect "the name in the configuration" contains "$output" "drawn: named.h5"
  run 0 other.h5 named.toml --output other.h5
  expect "--output" contains "$output" "drawn: other.h5"
  run 0 third.h5 named.toml --set output.file=third.h5
  expect "--set" contains "$output" "drawn: third.h5"
  run 3 open.h5 plain.toml --output=open.h5
  expect "exit status 3, not $status" test "$status" -eq 3
  expect "what did not converge is drawn, too" contains "$output" "drawn: open.h5"
}

an_earlier_result_is_kept_under_a_number() {
  run 0 plain.h5 plain.toml
  expect "said" contains "$output" "kept as plain.1.h5"
  expect "kept" test "$(cat "$work/here/plain.1.h5")" = "plain.toml"
  expect "replaced" test "$(cat "$work/here/plain.h5")" = "plain.toml --overwrite"
  run 0 plain.h5 plain.toml
  expect "the next number" contains "$output" "kept as plain.2.h5"
  run 0 plain.h5 plain.toml --overwrite
  expect "nothing is kept where that was asked for" lacks "$output" "kept as"
}

without_a_new_result_nothing_changes() {
  local before
  before="$(there)"
  run 0 plain.h5 plain.toml --check
  expect "--check: exit status 0" test "$status" -eq 0
  expect "--check draws nothing" lacks "$output" "drawn"
  run 4 plain.h5 plain.toml
  expect "exit status 4, not $status" test "$status" -eq 4
  expect "an error draws nothing" lacks "$output" "drawn"
  expect "no copies stay behind" test "$(there)" = "$before"
}

what_the_build_leaves_out_is_not_asked_for() {
  run 0 plain.h5 plain.toml
  expect "nothing is left out of a fresh build" test "$(head -n 1 <<<"$output")" = "bootstrap: "
  printf 'ISOFIELD_TORCH:BOOL=OFF\nISOFIELD_TESTS:BOOL=OFF\n' >"$work/tree/build/release/CMakeCache.txt"
  run 0 plain.h5 plain.toml
  expect "LibTorch stays left out" test "$(head -n 1 <<<"$output")" = "bootstrap: -DISOFIELD_TORCH=OFF"
}

the_result_is_drawn_whatever_names_it
an_earlier_result_is_kept_under_a_number
without_a_new_result_nothing_changes
what_the_build_leaves_out_is_not_asked_for
finish
