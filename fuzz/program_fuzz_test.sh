#!/usr/bin/env bash
# Tests of program_fuzz as a process: exit codes, lines on stderr, what is left on the disk.
# Run by ctest: program_fuzz_test.sh PROGRAM_FUZZ PROGRAM_SEEDS RACIER_REPRO CRASH_FUZZ CORPUS
#                                     SCHEMES_AGREE_FUZZ
set -u
program_fuzz=$1 program_seeds=$2 racier_repro=$3 crash_fuzz=$4 corpus=$5 schemes_agree_fuzz=$6
mmus_agree_fuzz=$7
scratch=$(mktemp -d) || exit 3
trap 'umount "$scratch/full" 2>/dev/null; rm -rf "$scratch"' EXIT
cd "$scratch" || exit 3
failures=0
checks=0

fuzz() {  # its words in `out` and `err`, its exit status in `status`
  timeout -k 5 100 "$program_fuzz" "$@" >out.txt 2>err.txt
  status=$?
  out=$(<out.txt)
  err=$(<err.txt)
}

check() {  # check SENTENCE CONDITION...
  checks=$((checks + 1))
  if "${@:2}"; then return; fi
  failures=$((failures + 1))
  printf 'FAILED: %s (%s)\n' "$1" "${*:2}"
  printf '  exit %s\n  out: %s\n  err: %s\n' "$status" "$out" "$err"
}
exits() { [[ $status = "$1" ]]; }
one_line() { [[ -n $1 && $1 != *$'\n'* ]]; }
has() { [[ $1 == *"$2"* ]]; }
lacks() { ! has "$@"; }
is() { [[ $1 = "$2" ]]; }
matches() { [[ $1 =~ $2 ]]; }
holds() { compgen -G "$1" >/dev/null; }
empty() { [[ -z $(ls -A "$1") ]]; }

test_help() {
  fuzz --help
  check "help" exits 0
  check "help names ours" has "$out" "--bug=NAME"
  check "help names libFuzzer's" has "$out" "-help=1"
}

test_wrong_use_is_one_line_and_2() {
  local wrong
  for wrong in --nonsense --bug --bug=B99 --steps-max=x --as-posted=x --rmap=x; do
    fuzz "$wrong" -runs=1
    check "$wrong" exits 2
    check "$wrong" one_line "$err"
    check "$wrong is named" has "$err" "${wrong%=*}"
  done
  RACIER_FUZZ_BUG=B99 fuzz -runs=1
  check "a wrong environment" exits 2
  check "a wrong environment is named" has "$err" RACIER_FUZZ_BUG
}

test_an_unwritable_folder_is_one_line_and_3() {
  local folder
  echo >file
  for folder in /proc/racier file file/folder; do
    fuzz --findings="$folder" -runs=1
    check "$folder" exits 3
    check "$folder" one_line "$err"
    check "$folder is named" has "$err" "$folder"
  done
}

test_seeds_run_clean() {
  fuzz -runs=0 -artifact_prefix=clean/ seeds
  check "seeds" exits 0
  check "seeds" has "$err" "Done "
  check "nothing was found" empty clean
}

test_its_speed_is_told() {
  fuzz --measure=50 -seed=1 seeds
  check "measuring" exits 0
  check "its speed" matches "$out" \
    '^measured: [1-9][0-9]* executions/s, [1-9][0-9]* executions/s without libFuzzer$'
}

# The first line is what triage tools read; the file is complete.
check_finding() {  # check_finding FOLDER FILES
  check "a finding" exits 77
  check "the first line" matches "$err" \
    $'(^|\n)racier: core/[a-z_/]+\\.cc:[0-9]+: [a-z_]+: Assertion \'lock-order \\| '
  check "the kernel's manner" has "$err" $'\nWARNING: possible circular locking dependency'
  check "no flood of the sanitizer" lacks "$err" "signal-unsafe"
  check "the program" holds "$1/finding-lock-order-*.racier"
  check "nothing else" is "$(find "$1" -type f | wc -l)" "$2"
  out=$("$racier_repro" run "$1"/finding-* 2>&1)
  status=$?
  check "the program alone shows it" exits 0
}

test_a_finding_is_saved_twice() {
  fuzz --bug=B10 -artifact_prefix=a/ -runs=1000 -seed=1 seeds
  check_finding a 2
  check "libFuzzer's crash file" holds "a/crash-*"
  mv a/crash-* input
  fuzz --bug=B10 -artifact_prefix=b/ input
  check_finding b 1  # libFuzzer saves no input that it was given by name
  fuzz -artifact_prefix=c/ input
  check "without the bug" exits 0
  RACIER_FUZZ_BUG=B10 fuzz --findings=d -artifact_prefix=d/ input
  check_finding d 1
}

test_children_get_our_options() {
  mkdir -p children
  "$program_seeds" few "$corpus/bugs/prepare_ptl_before_anonlock.racier" || exit 3
  fuzz --bug=prepare_ptl_before_anonlock -fork=1 -artifact_prefix=children/ -runs=1000 few
  check "a finding of a child" exits 77
  check "the child's program" holds "children/finding-lock-order-*.racier"
}

test_a_crash_leaves_its_input() {
  local crash
  for crash in fault abort task-{fault,abort,overflow} run-over-fault; do
    mkdir -p "$crash"
    CRASH=$crash program_fuzz=$crash_fuzz fuzz -artifact_prefix="$crash/" -runs=10 -seed=1
    check "$crash" matches "$status" '^(1|66|77)$'
    check "$crash: the input" holds "$crash/crash-*"
  done
  program_fuzz=$crash_fuzz fuzz -runs=10
  check "no crash" exits 0
}

test_an_end_in_order() {
  mkdir -p int
  mkfifo lines
  "$program_fuzz" -artifact_prefix=int/ -seed=1 -max_total_time=60 seeds >out.txt 2>lines &
  exec 3<lines
  local line=
  until [[ $line == *INITED* ]]; do IFS= read -r line <&3 || break; done
  kill -INT $!
  cat <&3 >err.txt
  wait $!
  status=$?
  exec 3<&-
  check "interrupted" exits 72
  check "nothing was found" empty int
}

test_a_full_disk_is_told() {
  mkdir -p full
  if ! mount -t tmpfs -o size=4k none full 2>/dev/null; then
    echo "skipped: a full disk (only root can make one)"
    return
  fi
  head -c 4096 /dev/zero >full/zeroes
  fuzz --bug=B10 -artifact_prefix=full/ -runs=1000 seeds
  check "a full disk" exits 77
  check "a full disk is named" has "$err" "No space left on device"
  check "the program is printed" has "$err" "bug prepare_ptl_before_anonlock"
  check "no half program is left" is "$(find full -name '*.racier*')" ""
  umount full
}

test_the_designs_are_compared() {
  program_fuzz=$schemes_agree_fuzz fuzz --help
  check "help" has "$out" "usage: schemes_agree_fuzz"
  program_fuzz=$schemes_agree_fuzz fuzz -runs=1 --rmap=pte_chain
  check "a design of its own" exits 2
  check "is refused" has "$err" "--rmap means nothing to this target"
  program_fuzz=$schemes_agree_fuzz fuzz -runs=200 -seed=1 -artifact_prefix=agree/ seeds
  check "they agree" exits 0
  check "nothing was found" empty agree
  check "how many were compared" has "$err" "schemes_agree: compared "
  check "and how many were not" has "$err" " short of memory, "
  program_fuzz=$schemes_agree_fuzz fuzz --bug=B28 -artifact_prefix=agree/ -runs=0 seeds
  check "one of them is wrong" exits 77
  check "which one" has "$(cat agree/finding-rmap-*)" "machine rmap=anon_vma_chain"
}

test_the_mmus_are_compared() {
  program_fuzz=$mmus_agree_fuzz fuzz -runs=1 --mmu=host
  check "an MMU of its own" exits 2
  check "is refused" has "$err" "--mmu means nothing to this target"
  program_fuzz=$mmus_agree_fuzz fuzz -runs=200 -seed=1 -artifact_prefix=mmus/ seeds
  check "they agree" exits 0
  check "nothing was found" empty mmus
  check "how many were compared" has "$err" "mmus_agree: compared "
  program_fuzz=$mmus_agree_fuzz fuzz --bug=B42 -artifact_prefix=mmus/ -runs=0 seeds
  check "both are wrong" exits 77
}

test_the_mmu_of_the_host_is_fuzzed() {
  fuzz -runs=200 -seed=1 --mmu=host -artifact_prefix=host/ seeds
  check "it is clean" exits 0
  fuzz -runs=1 --mmu=hard
  check "another one" exits 2
  check "says which there are" has "$err" "one of soft, host"
}

test_bad_seeds_are_one_line() {
  echo nonsense >bad.racier
  err=$("$program_seeds" bad bad.racier 2>&1)
  status=$?
  check "a bad program" exits 2
  check "a bad program" one_line "$err"
  check "its place" has "$err" "bad.racier:1:1: "
  err=$("$program_seeds" /proc/racier "$corpus/programs" 2>&1)
  status=$?
  check "an unwritable folder" exits 3
  check "an unwritable folder" one_line "$err"
}

"$program_seeds" seeds "$corpus/programs" "$corpus/bugs" || exit 3
for name in $(compgen -A function test_); do "$name"; done
echo "$((checks - failures)) checks passed, $failures failed"
((failures == 0))
