#!/usr/bin/env bash
# Tests of ./racier, the front.  Everything that it calls (apt-get, cmake, ninja, ctest, the
# programs) is a stub in front of PATH, but for the doctor, who looks at the real machine.
# Run by ctest in the release build; by hand: .ci/front_test.sh
set -u
racier=$(cd "$(dirname "$0")/.." && pwd)/racier
scratch=$(mktemp -d) || exit 3
trap 'rm -rf "$scratch"' EXIT
unset CXX
failures=0
checks=0

# ---- A world of stubs ----------------------------------------------------------------------

stub() {  # stub PATH, the script on stdin
  mkdir -p "$(dirname "$1")"
  { echo '#!/bin/sh'; cat; } >"$1"
  chmod +x "$1"
}

# A machine with everything installed, where configuring and building work at once.
new_world() {
  rm -rf "$scratch/world"
  mkdir -p "$scratch/world"
  cd "$scratch/world" || exit 3
  stub bin/dpkg-query <<'END'
shift 3
for package; do printf 'ii %s ' "$package"; done
END
  stub bin/cmake <<<'echo "cmake $*" >>log'
  stub bin/ninja <<<'echo "ninja $*" >>log'
  stub bin/apt-get <<<'echo "apt-get $*" >>log'
  stub bin/id <<<'echo 1000'
  stub bin/sudo <<<'exit 1'
}

# Runs racier in the world: its words in `out` and `err`, its exit status in `status`.
front() {
  PATH=$PWD/bin:$PATH RACIER_BUILD=${build-$PWD/build} RACIER_JOBS=2 \
    "$racier" "$@" >out.txt 2>err.txt
  status=$?
  out=$(cat out.txt)
  err=$(cat err.txt)
  log=$(cat log 2>/dev/null)
}

# ---- Words of the tests --------------------------------------------------------------------

check() {  # check SENTENCE CONDITION...
  checks=$((checks + 1))
  if "${@:2}"; then return; fi
  failures=$((failures + 1))
  printf 'FAILED: %s (%s)\n' "$1" "${*:2}"
  printf '  exit %s\n  out: %s\n  err: %s\n  log: %s\n' "$status" "$out" "$err" "${log:-}"
}
exits() { [[ $status = "$1" ]]; }
one_line() { [[ -n $1 && $1 != *$'\n'* ]]; }
has() { [[ $1 == *"$2"* ]]; }
lacks() { ! has "$@"; }
is() { [[ $1 = "$2" ]]; }

# ---- Tests -----------------------------------------------------------------------------------

test_wrong_use_is_one_line_and_2() {
  new_world
  front nonsense
  check "unknown command" exits 2
  check "unknown command" one_line "$err"
  check "unknown command is named" has "$err" "'nonsense'"
  local wrong
  for wrong in "test nonsense" "build nonsense" "fuzz --preset nonsense" "fuzz --preset" \
               "stress --preset=nonsense" "repro --preset nonsense" "hunt --preset nonsense" \
               "doctor nonsense" "install a b" "install --nonsense" \
               "install --preset x"; do
    # shellcheck disable=SC2086  # words
    front $wrong
    check "$wrong" exits 2
    check "$wrong" one_line "$err"
  done
  front
  check "no command" exits 2
  check "no command shows the usage" has "$err" "usage: racier"
  check "nothing was built" is "$log" ""
}

test_help_names_every_command() {
  new_world
  local word
  for word in help -h --help; do
    front "$word"
    check "$word" exits 0
    check "$word says nothing on stderr" is "$err" ""
  done
  for word in test build doctor install; do
    front "$word" --help
    check "$word --help" exits 0
    check "$word --help shows the usage" has "$out" "usage: racier"
  done
  front help
  for word in test bench doctor fuzz stress repro hunt campaign build install help; do
    check "help names $word" has "$out" $'\n'"  $word"
  done
  check "help names what repro does" has "$out" \
    "run|search|minimize|explain|inject|show|export|import"
}

test_doctor_has_a_line_for_each_check() {
  new_world
  rm -rf bin  # the real machine
  front doctor
  local line
  while read -r line; do
    check "doctor's line" has "ok bad" "${line%% *}"
  done <<<"$out"
  if has $'\n'"$out" $'\n'bad; then
    check "a bad line" exits 3
  else
    check "no bad line" exits 0
  fi
  for line in compiler asan tsan libfuzzer memfd symbolizer mmap_rnd_bits overcommit \
              open-files address-space disk memory; do
    check "doctor looks at $line" has "$out" " $line "
  done
}

test_doctor_names_the_remedy() {
  new_world
  stub bin/clang++-19 <<<'echo "Debian clang version 14.0.6"'
  stub bin/dpkg-query <<<'exit 1'
  front doctor
  check "an old compiler" exits 3
  check "an old compiler" has "$out" "16 is the oldest that will do; apt-get install clang-19"
  check "missing packages" has "$out" "; apt-get install cmake ninja-build"
}

test_unwritable_build_folder_is_one_line_and_3() {
  new_world
  local command
  for command in build test bench fuzz stress "repro run x" hunt campaign; do
    # shellcheck disable=SC2086  # words
    build=/dev/null/build front $command
    check "$command" exits 3
    check "$command" one_line "$err"
    check "$command names the folder" has "$err" "cannot write to /dev/null/build"
  done
}

test_missing_packages_without_root_are_named() {
  new_world
  stub bin/dpkg-query <<<'printf "ii cmake un ninja-build "'
  front test
  check "missing packages" exits 3
  check "missing packages" one_line "$err"
  check "missing packages are named" has "$err" "apt-get install ninja-build ccache"
  check "clang is named" has "$err" clang-19
  check "what is installed is not" lacks "$err" cmake
  check "apt was not run" lacks "$log" apt-get
}

test_missing_packages_are_installed_by_root() {
  new_world
  stub bin/id <<<'echo 0'
  stub bin/dpkg-query <<<'exit 1'
  front build
  check "installs and builds" exits 0
  check "updates first" has "${log%%install*}" "DPkg::Lock::Timeout=300 update"
  check "then installs" has "$log" "install --no-install-recommends cmake ninja-build"
  check "then builds" has "${log##*apt-get}" "ninja -C"
}

test_sudo_that_asks_nothing_is_root() {
  new_world
  # shellcheck disable=SC2016  # for the stub
  stub bin/sudo <<<'shift; exec "$@"'
  stub bin/dpkg-query <<<'exit 1'
  front build
  check "installs with sudo" exits 0
  check "installs with sudo" has "$log" "install --no-install-recommends cmake"
}

test_packages_that_cannot_be_installed_are_named() {
  new_world
  stub bin/id <<<'echo 0'
  stub bin/dpkg-query <<<'exit 1'
  stub bin/apt-get <<<'echo "E: no such package"; exit 100'
  front build
  check "apt-get fails" exits 3
  check "apt-get's words" has "$err" "E: no such package"
  check "the remedy" has "$err" "apt-get install cmake"
}

test_a_failed_build_shows_the_compiler_and_is_3() {
  new_world
  stub bin/ninja <<<'echo "x.cc:1:2: error: boom"; exit 1'
  front stress
  check "a failed build" exits 3
  check "the compiler's words" has "$err" "x.cc:1:2: error: boom"
}

test_a_full_disk_is_told() {
  new_world
  stub bin/ninja <<<'exit 1'
  stub bin/df <<<'echo; echo /dev/x 100 99 1 99% /'
  front build
  check "a full disk" exits 3
  check "a full disk" has "$err" "no room is left in $PWD/build/release"
}

test_options_go_to_the_program_unchanged() {
  new_world
  # shellcheck disable=SC2016  # for the stub
  stub build/tsan/stress/racier-stress <<<'for a; do echo "[$a]"; done; exit 7'
  front stress --for=3s "a b" '' -- --preset "c d"
  check "options" is "$out" $'[--for=3s]\n[a b]\n[]\n[--]\n[--preset]\n[c d]'
  check "the program's exit status" exits 7
  check "only what is needed is built" has "$log" "-k 0 racier-stress"
  stub build/asan/stress/racier-stress <<<'echo asan'
  front stress --preset asan
  check "--preset asan" is "$out" asan
  front stress --preset=asan
  check "--preset=asan" is "$out" asan
}

# A world in which program_fuzz is the script on stdin.
new_fuzz_world() {
  new_world
  stub build/asan/fuzz/program_seeds <<<'echo "seeds $*" >>log'
  stub build/asan/fuzz/program_fuzz
}

test_fuzz_speaks_libfuzzer() {
  # shellcheck disable=SC2016  # for the stub
  new_fuzz_world <<<'for a; do echo "[$a]"; done'
  front fuzz --for 2m --bug B07 --bug=B09 --as-posted davem --seed 7 --feedback 0 \
    --out "o o" -runs=3 -- -jobs=2
  check "fuzz" exits 0
  local word here=$PWD
  for word in --bug=B07 --bug=B09 --as-posted=davem --feedback=0 \
              -max_total_time=120 -seed=7 -runs=3 -jobs=2 -timeout=25 \
              "-artifact_prefix=$here/o o/findings/" "$here/o o/corpus" \
              "$here/build/asan/fuzz/seeds"; do
    check "fuzz passes $word" has "$out" "[$word]"
  done
  check "the corpus of seeds is made" has "$log" "seeds $here/build/asan/fuzz/seeds "
  check "only what is needed is built" has "$log" "-k 0 program_fuzz program_seeds"
  check "it says so" has "$out" "clean after "
  check "nothing else is left" is "$(ls -A 'o o')" $'corpus\nfindings'
}

test_fuzz_has_targets() {
  new_fuzz_world <<<'echo program_fuzz'
  stub build/asan/fuzz/schemes_agree_fuzz <<<'echo agree "$@"'
  front fuzz --target schemes_agree
  check "another target" exits 0
  check "another target" has "$out" "agree -artifact_prefix=$PWD/build/asan/fuzz/out-schemes_agree"
  check "only what is needed is built" has "$log" "-k 0 schemes_agree_fuzz program_seeds"
  front fuzz --target=program
  check "the usual one" has "$out" program_fuzz
}

test_fuzz_runs_named_files_alone() {
  # shellcheck disable=SC2016  # for the stub
  new_fuzz_world <<<'for a; do echo "[$a]"; done'
  echo >input
  echo >another
  front fuzz another -- input -dict=input -dict=none
  check "a file" has "$out" "[$PWD/another]"
  check "a file behind --" has "$out" "[$PWD/input]"
  check "a file in a flag" has "$out" "[-dict=$PWD/input]"
  check "no file in a flag" has "$out" "[-dict=none]"
  check "no seeds" lacks "$out" "fuzz/seeds]"
}

test_fuzz_has_exit_codes() {
  local row
  for row in 0:0 72:0 66:1 70:1 71:1 77:1 2:2 3:3 1:3 137:3; do
    new_fuzz_world <<<"exit ${row%:*}"
    front fuzz
    check "program_fuzz ends with ${row%:*}" exits "${row#*:}"
  done
  new_fuzz_world <<<'{ echo "# rmap | title"; echo; } >findings/finding-x.racier; exit 77'
  front fuzz
  check "a finding" exits 1
  check "a finding is named" has "$out" "rmap | title"
  check "how to replay it" has "$out" "repro run $PWD/build/asan/fuzz/out/findings/finding-x"
  new_fuzz_world <<<'echo x >findings/finding-x.racier'  # as -ignore_crashes=1 does
  front fuzz
  check "a finding that was ignored" exits 1
  stub build/asan/fuzz/program_fuzz <<<'exit 0'
  front fuzz
  check "a finding of an earlier run" exits 0
}

test_fuzz_wrong_use_is_one_line_and_2() {
  new_fuzz_world <<<'exit 0'
  local wrong
  : >program.racier
  for wrong in --nonsense --nonsense=1 --for "--for x" "--for=5 m" "--seed x" file \
               "--preset x" --bug "--target x" "--seed 4294967296" "--seed 99999999999999999999" \
               program.racier; do
    # shellcheck disable=SC2086  # words
    front fuzz $wrong
    check "fuzz $wrong" exits 2
    check "fuzz $wrong" one_line "$err"
  done
  front fuzz --help
  check "help" exits 0
  front fuzz --out /proc/racier
  check "an unwritable folder" exits 3
  check "an unwritable folder is named" has "$err" "cannot write to /proc/racier"
}

test_fuzz_on_a_full_disk_is_not_clean() {
  new_fuzz_world <<<'exit 0'
  stub bin/df <<<'printf "head\nfs 1 1 0 100%% /\n"'
  front fuzz
  check "no room" exits 3
  check "no room is said" has "$err" "no room is left in"
}

test_fuzz_ends_in_order() {
  local signal
  for signal in INT TERM; do
    new_fuzz_world <<<'trap "exit 72" INT; echo >started; while :; do sleep 0.05; done'
    PATH=$PWD/bin:$PATH RACIER_BUILD=$PWD/build \
      env --default-signal=INT "$racier" fuzz >out.txt 2>err.txt &
    until [[ -e build/asan/fuzz/out/started ]]; do sleep 0.05; done
    kill -"$signal" $!
    wait $!
    status=$? out=$(<out.txt) err=$(<err.txt)
    check "SIG$signal" exits 0
    check "SIG$signal is told" has "$out" interrupted
  done
}

test_each_command_runs_its_program() {
  new_world
  stub build/tsan/stress/racier-stress <<<'echo "stress $*"'
  stub build/release/repro/racier-repro <<<'echo "repro $*"'
  stub build/release/stress/racier-campaign <<<'echo "campaign $*"'
  front stress --for 60s
  check "stress" is "$out" "stress --for 60s"
  front repro run x.racier
  check "repro" is "$out" "repro run x.racier"
  rm -f log
  front hunt --family "lock-order" --for 3s
  check "hunt" is "$out" "repro hunt --family lock-order --for 3s"
  check "hunt's program" has "$log" "/release -j 2 -k 0 racier-repro"
  rm -f log
  front campaign --for 2m
  check "campaign" is "$out" "campaign --build-root $PWD/build --for 2m"
  check "campaign's programs" has "$log" "/asan -j 2 -k 0 program_fuzz racier-stress"
  check "campaign's programs" has "$log" "/tsan -j 2 -k 0 program_fuzz racier-stress"
  check "campaign's programs" has "$log" \
    "/release -j 2 -k 0 racier-repro program_seeds racier-campaign"
}

test_install_builds_the_library_and_says_where_it_is() {
  new_world
  front install
  check "install" exits 0
  check "only what is needed is built" has "$log" "/release -j 2 -k 0 racier_installed"
  check "then it is installed" has "$log" \
    "cmake --install $PWD/build/release --prefix $PWD/build/release/install"
  check "and where is said" has "$out" "PKG_CONFIG_PATH=$PWD/build/release/install/lib/pkgconfig"
  rm -f log
  front install --preset tsan "a b"
  check "another build, elsewhere" has "$log" \
    "cmake --install $PWD/build/tsan --prefix $PWD/a b"
  front install /dev/null/x
  check "an unwritable folder" exits 3
  check "an unwritable folder" one_line "$err"
  check "an unwritable folder is named" has "$err" "cannot write to /dev/null/x"
}

test_benchmarks_are_run_one_after_the_other() {
  new_world
  stub build/release/core/a/a_benchmark <<<'echo "a $*"'
  stub build/release/core/b/b_benchmark <<<'echo "b $*"; exit 1'
  stub build/release/core/c/c_benchmark <<<'echo "c $*"'
  front bench --rooms --x
  check "up to one that fails" is "$out" $'a --x\nb --x'
  check "a benchmark that fails" exits 1
}

test_figures_are_a_program_of_their_own() {
  new_world
  stub build/release/fuzz/program_seeds <<<'true'
  stub build/release/stress/racier-bench <<<'echo "figures $*"'
  front bench --json x
  check "bench" is "$out" "figures --inputs $PWD/build/release/fuzz/seeds --json x"
  front bench strategies --cap 9
  check "bench strategies" is "$out" "figures strategies --cap 9"
}

# A ctest whose log has four tests that passed and one that was skipped, in two entries.
stub_ctest_that_passes() {
  stub bin/ctest <<'END'
log=$2/Testing/Temporary/LastTest.log  # behind --test-dir
mkdir -p "${log%/*}"
cat >"$log" <<'LOG'
1/2 Testing: X
[ RUN      ] X.A
[       OK ] X.A (0 ms)
[ RUN      ] X.B
said without an end of line[       OK ] X.B (3 ms)
[ RUN      ] X.C
x_test.cc:32: Skipped
there is no browser

[  SKIPPED ] X.C (0 ms)
[ RUN      ] X.D
[       OK ] X.D (0 ms)
[  PASSED  ] 3 tests.
[  SKIPPED ] 1 test, listed below:
Test Passed.
2/2 Testing: Command
Test Passed.
LOG
case $* in
  *asan*)
    cat >>"$log" <<'LOG'
3/4 Testing: Y
[ RUN      ] Y.A
[       OK ] Y.A (0 ms)
[ RUN      ] Y.B
[  FAILED  ] Y.B (0 ms)
[  FAILED  ] 1 test, listed below:
Test Failed.
4/4 Testing: Z
[ RUN      ] Z.A
[       OK ] Z.A (0 ms)
[ RUN      ] Z.B
Test Failed.
LOG
    echo "3/4 Test  #3: Y ***Failed"; echo "[ RUN      ] Y.A"; echo "[       OK ] Y.A (0 ms)"
    echo "[ RUN      ] Y.B"; echo "why"; echo "50% tests passed, 2 tests failed out of 4"
    exit 8 ;;
esac
echo "100% tests passed, 0 tests failed out of 2"
END
}

test_tests_of_all_presets_are_summed() {
  new_world
  stub_ctest_that_passes
  front test
  check "a failed test" exits 1
  check "all presets are run" has "$out" "tsan: 4 passed, 0 failed, 1 skipped"
  check "who failed and who died" has "$out" "asan: 6 passed, 2 failed, 1 skipped"
  check "why one was skipped" has "$out" "tsan: skipped: there is no browser"
  check "the failed test is shown" has "$out" $'[ RUN      ] Y.B\nwhy'
  check "and no other" lacks "$out" "Y.A"
  check "the sum is the last line" is "${out##*$'\n'}" "14 passed, 2 failed"
  front test release tsan
  check "named presets" is "${out##*$'\n'}" "8 passed, 0 failed"
  check "all tests passed" exits 0
}

test_a_build_that_fails_does_not_stop_the_next_preset() {
  new_world
  stub_ctest_that_passes
  # shellcheck disable=SC2016  # for the stub
  stub bin/ninja <<<'case $* in *release*) echo boom; exit 1 ;; esac'
  front test release tsan
  check "a failed build" exits 1
  check "the compiler's words" has "$err" boom
  check "it counts as one" is "${out##*$'\n'}" "4 passed, 1 failed"
}

test_a_failure_that_is_not_in_the_log_counts() {
  new_world
  stub bin/ctest <<'END'
log=$2/Testing/Temporary/LastTest.log
mkdir -p "${log%/*}"
printf '1/2 Testing: X\nTest Passed.\n' >"$log"
echo "50% tests passed, 1 tests failed out of 2"
exit 8
END
  front test release
  check "not in the log" exits 1
  check "not in the log" is "${out##*$'\n'}" "1 passed, 1 failed"
}

test_a_ctest_that_dies_is_a_failure() {
  new_world
  stub bin/ctest <<<'echo "no tests were found"; exit 1'
  front test release
  check "no tests" exits 1
  check "no tests" is "${out##*$'\n'}" "0 passed, 1 failed"
  check "ctest's words" has "$out" "no tests were found"
}

test_a_moved_tree_is_configured_afresh() {
  new_world
  mkdir -p build/release
  echo "CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere" >build/release/CMakeCache.txt
  touch build/release/build.ninja
  front build
  check "a moved tree" has "$log" "--fresh"
}

for name in $(compgen -A function test_); do "$name"; done
echo "$((checks - failures)) checks passed, $failures failed"
((failures == 0))
