#!/usr/bin/env bash
# bash check_test.sh PROJECT WORK
source "$(dirname "$0")/test_lib.sh" "$@"
command -v git >/dev/null || exit 77

# A small tree that keeps every rule; each test breaks one.
fresh_tree() {
  rm -rf "$work/tree"
  mkdir -p "$work/tree"/{.ci,src/core,solvers/src,include/isofield}
  cp -r "$project/scripts" "$work/tree"
  cp "$project/.clang-format" "$work/tree"
  cp "$project/.ci/run" "$work/tree/.ci"
  cd "$work/tree" || exit 1
  printf '#pragma once\n' >include/isofield/a.hpp
  printf '#include <isofield/a.hpp>\n' >src/core/a.cpp
  printf '#include <isofield/a.hpp>\n' >solvers/src/b.cpp
  echo 'a.cpp isofield/a.hpp' >src/CMakeLists.txt
  echo 'b.cpp' >solvers/CMakeLists.txt
  git init -q . && git add -A
}
# breach RULE FILE LINE: with LINE appended to FILE, scripts/check names the rule and the file.
breach() {
  fresh_tree
  printf '%s\n' "$3" >>"$2"
  git add -A
  output="$(scripts/check --rules 2>&1)"
  expect "$1: exit status 1" test $? -eq 1
  expect "$1: the rule is named" contains "$output" "$1"
  expect "$1: the file is named" contains "$output" "$2"
}

fresh_tree
output="$(scripts/check --rules 2>&1)"
expect "a tree without a fault passes" test $? -eq 0
breach "Torch headers outside" src/core/a.cpp '#include <ATen/core/Tensor.h>'
breach "Kokkos headers outside" src/core/a.cpp '#include <Kokkos_Core.hpp>'
breach "Eigen headers outside" solvers/src/b.cpp '#include <Eigen/Core>'
breach "pocketfft's header outside" src/core/a.cpp '#include <pocketfft_hdronly.h>'
breach "solvers/ names a backend" solvers/src/b.cpp '// fast on Kokkos'
breach "using namespace in a public header" include/isofield/a.hpp 'using namespace std;'
breach "headers without #pragma once" src/core/c.hpp 'int f();'
breach "sources that no CMakeLists.txt above them lists" src/core/lost.cpp 'int x;'
breach "public headers that no CMakeLists.txt lists" include/isofield/lost.hpp '#pragma once'
breach "paths of somebody's machine" src/core/a.cpp "// see /ho""me/someone/notes"
breach "unfinished business" src/core/a.cpp "// TO""DO"
breach "scripts that bash cannot read" scripts/kokkos 'if then'
finish
