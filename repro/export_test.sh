#!/usr/bin/env bash
# repro/export_test.sh PROGRAM BUILD CORPUS CMAKE CXX - programs that are exported, built
# against the installed library by the command that they name, and run: do they end as
# `racier-repro run` says?
set -u

# shellcheck source=repro/expect.sh
. "$(dirname "$(readlink -f "$0")")/expect.sh"
build=$(readlink -f "$2")
corpus=$(readlink -f "$3")
cmake=$4
clang=$5
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 3
export PKG_CONFIG_PATH=$work/moved/lib/pkgconfig

# runs CODE COMMAND... - it ends so; its words are in `out` and `err`.
runs() {
  local code=$1
  shift
  "$@" >out 2>err
  local got=$?
  [[ $got = "$code" ]] && return
  printf '%s: expected %s, got %s:\n' "$*" "$code" "$got"
  cat out err
  failed=1
}

# Exports a program as NAME.cc and builds it with a compiler.
make_program() {  # make_program NAME FILE COMPILER
  local command
  check "$1 is exported" "$repro" export -o "$1.cc" "$2" || return
  command=$(sed -n 's|^//   c++ ||p' "$1.cc")
  rm -f "$1"
  check "$1 is built: $3 $command" bash -c "$3 $command" &&
    check "$1 is there" test -x "$1"
}

# Exports, builds and runs one, which ends as in racier-repro; with exit code CODE.
check_program() {  # check_program CODE FILE COMPILER
  local name
  name=$(basename "$2" .racier)
  make_program "$name" "$2" "$3"
  "$repro" run "$2" | sed -n '1s/^ok [^:]*: //p' >expected
  check "$name ends as expected" test -s expected
  runs "$1" "./$name"
  head -n 1 out >first
  check "$name says the same" diff expected first
  [[ $1 = 0 ]] || check "$name: its head says what it shows" \
    grep -qF -e "// It shows: $(sed 's/) at .*/)./' first)" \
    -e "// It shows a finding of the kind $(sed 's/) at .*/./; s/.*(//' first)" "$name.cc"
}

cat >clean.racier <<'END'
# A comment that ends nothing: )racier"; int main() {}
setup
  p0 = process
  m0 = mmap p0 2 rw private
task A
  write p0 m0 0 0 -> ok
task B
  write p0 m0 1 0 -> ok
END

# ---- What is installed ----
check 'it is installed' "$cmake" --install "$build" --prefix "$work/installed" >/dev/null
mv installed moved  # it is wherever it is
pc=moved/lib/pkgconfig/racier.pc
check 'its flags name no place' test -z "$(grep -F -e "$build" -e "$work" "$pc")"
printf '%s\n' '#include <racier/replay.h>' \
  'int main(int n, char** of) { return racier::replay("", n, of); }' >alone.cc
check 'its header stands alone' "$clang" -std=c++20 -Wall -Wextra -Werror -fsyntax-only \
  -Imoved/include alone.cc
rm alone.cc

# ---- Wrong use ----
expect 0 'usage: racier-repro export' export --help
expect 2 'expected a file' export
expect 2 'export: expected one file' export clean.racier clean.racier
expect 2 'absent: cannot be read' export absent
expect 2 "no bug 'nonsense': " export --bug nonsense clean.racier
expect 3 'absent/x.cc: cannot be written' export -o absent/x.cc clean.racier
printf '# \001\nsetup\n' >wrong.racier
expect 2 'wrong.racier: it cannot be exported: ' export wrong.racier
printf 'setup\n  p0 = proces\n' >wrong.racier
expect 2 'wrong.racier:2:8: ' export -o wrong.cc wrong.racier
check 'nothing is written then' test ! -e wrong.cc

# ---- Programs ----
# With what only this clang links (a sanitizer) all of it takes longer, and is the same.
if pkg-config --libs racier | grep -q -e ' -f'; then
  check_program 1 "$corpus/bugs/anon_vma_freed_before_lock.racier" "$clang"
else
  other=$(command -v g++ || command -v c++ || printf '%s' "$clang")
  check_program 1 "$corpus/bugs/remove_rmap_clears_mapping.racier" "$other"
  check_program 1 "$corpus/bugs/cow_change_pte_alone.racier" "$clang"
  "$repro" run --save saved.racier "$corpus/bugs/prepare_ptl_before_anonlock.racier" >out
  check_program 1 saved.racier "$other"
  check_program 0 clean.racier "$other -Wall -Wextra -Werror"
  check_program 0 clean.racier "$clang -Wall -Wextra -Werror"

  runs 0 ./clean --text
  "$repro" show clean.racier >shown
  check 'the program is in it' diff shown out
  runs 0 ./clean --trace
  check 'so are its steps' grep -q page_table_lock out
  runs 0 ./clean --help
  check 'and its use' grep -q '^usage: clean ' out
  runs 2 ./clean --nonsense
  check 'wrong use is a line' test "$(cat err)" = \
    "clean: unrecognised option '--nonsense' (try --help)"
  runs 2 ./clean --text --trace
  ./clean >/dev/full 2>err
  check 'a full standard output is 3' test $? = 3
  check 'and a line' test "$(wc -l <err)" = 1

  # Not as expected: a call gives something else, or a finding is there no more.
  sed 's/write p0 m0 1 0 -> ok/write p0 m0 1 0 -> segv/' clean.cc >unmet.cc
  check 'what is changed by hand is built' bash -c \
    "$clang $(sed -n 's|^//   c++ ||p' clean.cc | sed 's/clean/unmet/g')"
  runs 1 ./unmet
  # shellcheck disable=SC2016  # the words of a program
  check 'which call it was' grep -q '^task B: `write p0 m0 1 0 -> segv` gave ' out
  sed '/^bug /d' "$corpus/bugs/prepare_ptl_before_anonlock.racier" >fixed.racier
  make_program fixed fixed.racier "$clang"
  runs 0 ./fixed
  check 'what was expected' grep -q '^expected `lock-order | .*, the run was clean, ' out

  # A fuzzer's input.
  printf '\001\002\003\377racier' >crash-1
  make_program crash crash-1 "$clang"
  runs 0 ./crash
  check 'an input is run' grep -q '^clean, ' out
fi
check 'no place is in what is exported' test -z \
  "$(grep -F -e "$build" -e "$work" -e "$corpus" -- *.cc)"
"$repro" export clean.racier >printed
"$repro" export -o /proc/self/fd/1 clean.racier >written
check 'what is printed is what is written' cmp printed written
: >target.cc
ln -s target.cc link.cc
"$repro" export -o link.cc clean.racier
check 'a link stays a link' test -L link.cc
check 'and leads to it' grep -q link target.cc
check 'nothing is left half-written' test -z "$(find . -name '*.new')"

exit $failed
