#!/usr/bin/env bash
# bash bootstrap_test.sh PROJECT WORK [CMAKE_PREFIX_PATH that the project was configured with]
source "$(dirname "$0")/test_lib.sh" "$@"

prefix_path="${3:-}"

# A copy of what bootstrap reads, so that the build folder of the project stays as it is.
mkdir -p "$work/tree"
cp -r "$project/scripts" "$project/cmake" "$work/tree"

who_cannot_install_is_told_what_to_install_and_nothing_happens() {
  local status
  output="$(PATH="$(path_without cmake ninja apt-get sudo)" ISOFIELD_CACHE="$work/empty" "$work/tree/scripts/bootstrap" 2>&1)"
  status=$?
  expect "exit status 1, not $status" test "$status" -eq 1
  expect "the packages are named" contains "$output" "apt-get install --no-install-recommends cmake"
  expect "LibTorch is named" contains "$output" libtorch-dev
  expect "Eigen is named" contains "$output" libeigen3-dev
  expect "nothing is built or installed" test -z "$(ls "$work/empty")"
}

a_backend_left_out_is_not_asked_for() {
  output="$(PATH="$(path_without cmake ninja apt-get sudo)" ISOFIELD_CACHE="$work/empty" \
    "$work/tree/scripts/bootstrap" -DISOFIELD_TORCH=OFF 2>&1)"
  expect "LibTorch is not named" lacks "$output" libtorch-dev
  expect "Eigen is still named" contains "$output" libeigen3-dev
}

# Needs a compiler and CMake, as every build does.
what_was_left_out_once_is_asked_for_again() {
  "$work/tree/scripts/python" --path >/dev/null 2>&1 || return # it would fetch packages for plots
  local path
  path="$(path_without apt-get sudo)"
  bootstrap() {
    output="$(PATH="$path" ISOFIELD_CACHE="$work/empty" "$work/tree/scripts/bootstrap" \
      "-DCMAKE_PREFIX_PATH=$prefix_path" -DISOFIELD_KOKKOS=OFF "$@" 2>&1)"
  }
  bootstrap -DISOFIELD_TORCH=OFF
  expect "without LibTorch nothing is missing" test $? -eq 0
  bootstrap -DCMAKE_DISABLE_FIND_PACKAGE_LibTorch=ON
  expect "LibTorch is named" contains "$output" libtorch-dev
}

with_everything_there_nothing_is_installed() {
  "$work/tree/scripts/python" --path >/dev/null 2>&1 || return # it would fetch packages for plots
  local bin status
  bin="$(path_without apt-get)"
  printf '#!/bin/sh\necho "$@" >>%q\nexit 1\n' "$work/apt-was-called" >"$bin/apt-get"
  chmod +x "$bin/apt-get"
  output="$(PATH="$bin:$PATH" "$work/tree/scripts/bootstrap" -DISOFIELD_KOKKOS=OFF -DISOFIELD_TORCH=OFF \
    "-DCMAKE_PREFIX_PATH=$prefix_path" 2>&1)"
  status=$?
  expect "exit status 0, not $status" test "$status" -eq 0
  expect "apt-get is not called" test ! -e "$work/apt-was-called"
}

an_unknown_argument_is_refused() {
  output="$("$work/tree/scripts/bootstrap" --frobnicate 2>&1)"
  expect "exit status 2" test $? -eq 2
}

who_cannot_install_is_told_what_to_install_and_nothing_happens
a_backend_left_out_is_not_asked_for
what_was_left_out_once_is_asked_for_again
with_everything_there_nothing_is_installed
an_unknown_argument_is_refused
finish
