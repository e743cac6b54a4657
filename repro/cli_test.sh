#!/usr/bin/env bash
# repro/cli_test.sh PROGRAM TRACES - exit codes and messages of racier-repro.
set -u

# shellcheck source=repro/expect.sh
. "$(dirname "$(readlink -f "$0")")/expect.sh"
traces=$(readlink -f "$2")
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 3

cat >clean.racier <<'END'
setup
  p0 = process
  m0 = mmap p0 2 rw private
task A
  write p0 m0 0 0 -> ok fault 0x6
task B
  write p0 m0 1 0 -> ok
END
sed 's/-> ok$/-> segv/' clean.racier >unmet.racier
bug=prepare_ptl_before_anonlock

# ---- Wrong use ----
expect 2 'expected a command'
expect 2 "no command 'walk'" walk
expect 2 'expected a file' run
expect 2 "unrecognised option '--bogus'" run --bogus clean.racier
expect 2 "unrecognised option '--see=1'" run --see=1 clean.racier
expect 2 "no bug 'nonsense': remove_rmap_clears_mapping, " run --bug nonsense clean.racier
expect 2 "no memory 'nonsense': one of strong, weak" run --memory nonsense clean.racier
expect 2 "no patch 'nonsense': lameter, dickins-rmaplock, davem" \
  run --as-posted nonsense clean.racier
expect 2 "no reverse map 'nonsense': anon_vma_spin" run --rmap nonsense clean.racier
expect 2 "no strategy 'nonsense': run_to_block, " run --strategy nonsense clean.racier
expect 2 '--repeat: expected a number from 1' run --repeat 0 clean.racier
expect 2 '--seed: expected a number, not '"'-1'" run --seed -1 clean.racier
expect 2 '--save: expected one file' run --save x clean.racier clean.racier
for command in run search minimize explain inject show export import hunt; do
  expect 0 "usage: racier-repro $command" "$command" --help
done
expect 0 'usage: racier-repro COMMAND' --help

# ---- Runs ----
expect 0 'ok clean.racier: clean, ' run clean.racier
expect 0 ' runs alike, trace ' run --repeat 5 clean.racier
expect 0 'page_table_lock' run --trace clean.racier
expect 0 'ok clean.racier' run --seed 7 --strategy pos --rmap anon_vma_spin clean.racier
expect 0 'ok clean.racier' run --seed 7 --memory weak clean.racier
expect 1 'FAILED unmet.racier: task B: `write p0 m0 1 0 -> segv` gave ' run unmet.racier
expect 1 'possible circular locking dependency' run --bug $bug clean.racier
expect 1 '(lock-order) at join' run --bug B10 --save found.racier --json found.json \
  clean.racier
expect 0 'ok found.racier: ' run --repeat 3 found.racier

# ---- minimize ----
expect 2 'expected a file' minimize
expect 2 'expected one file' minimize clean.racier clean.racier
expect 2 'absent: cannot be read' minimize absent
expect 2 '--for: expected a duration, like 90s or 10m' minimize --for soon clean.racier
expect 2 '--executions: expected a number' minimize --executions x clean.racier
expect 1 'clean.racier: no finding under its schedule, nor under 50 others' \
  minimize --executions 50 clean.racier
check 'nothing is written without a finding' test ! -e clean.min.racier
cat >long.racier <<'END'
# Why.
machine frames=64
setup
  p0 = process
  m0 = mmap p0 2 rw private
task A
  write p0 m0 0 0 -> ok
  read p0 m0 1 3
  p1 = fork p0
task B
  read p0 m0 1 0
  write p0 m0 1 5
task C
  read p0 m0 1 0
schedule strategy=random_walk seed=3
END
expect 0 'long.min.racier: ' minimize --bug $bug long.racier
cp out signature
check 'it says how small' grep -q '^  1 tasks, 3 calls, 0 switches and choices$' out
check 'and that it was not stopped' grep -q 'nothing smaller is left to try' out
check 'the header stays' test "$(head -1 long.min.racier)" = '# Why.'
check 'a plain machine' test "$(grep -c frames long.min.racier)" = 0
expect 0 'ok long.min.racier: WARNING: possible circular locking' run long.min.racier
expect 0 'small: ' minimize --bug $bug --output small long.racier
check 'the same wherever it is written' cmp small long.min.racier
expect 0 'stopped before all were tried' minimize --for 0s --bug $bug --output cut long.racier
expect 0 'possible circular locking' run cut
expect 1 'no such finding' minimize --bug $bug --executions 50 --signature 'rmap | other' \
  long.racier
expect 0 'lock-order | ' minimize --bug $bug --output again long.racier \
  --signature "$(sed -n '1s/^long.racier: //p' signature)"
expect 3 '/dev/full' minimize --bug $bug --output /dev/full long.racier
# What ends the process is minimised as well: in release, the audit follows a pointer into
# freed memory.
cat >dies.racier <<'END'
machine rmap=anon_vma_rwsem
bug mergeable_anon_vma_unpinned
setup
task A
  p0 = process
  m0 = mmap p0 1 rw private
  m1 = mmap p0 1 rwx private
  write p0 m0 0 0
  write p0 m1 0 0
  read p0 m1 0 0
  munmap p0 m1 0 1
END
expect 0 'dies.racier: signal 11' minimize dies.racier
check 'a call that is not needed is gone' test "$(grep -c read dies.min.racier)" = 0
expect 0 'dies.min.racier: signal 11' minimize --output smaller.racier dies.min.racier

# ---- explain ----
expect 2 'expected a file' explain
expect 2 'expected one file' explain clean.racier clean.racier
expect 2 'absent: cannot be read' explain absent
expect 2 '--width: expected a number from 40 to ' explain --width 7 found.racier
expect 1 'clean.racier: no finding under its schedule; one is searched for by' \
  explain clean.racier
expect 0 'finding    WARNING: possible circular locking dependency' explain found.racier
check 'no colours but on a terminal' test "$(tr -dc '\033' <out | wc -c)" = 0
check 'what tells nothing is folded' grep -q '… [0-9]* steps of A$' out
cp out folded
expect 0 'signature  lock-order | ' explain --bug $bug --all clean.racier
check 'or is not' test "$(grep -c … out)" = 0
expect 0 '' explain --text told.txt found.racier
check 'a text that is written is not printed' test ! -s out
check 'and the same' cmp told.txt folded
expect 3 '/dev/full: cannot be written' explain --text /dev/full found.racier
expect 0 'finding    WARNING' explain --html told.html found.racier
check 'a page of the same' grep -q '<h1>WARNING: possible circular locking' told.html
expect 0 '' explain --perfetto told.json found.racier
check 'tracks of the same' grep -q '"traceEvents":' told.json
expect 1 'no finding under its schedule' explain --html none.html clean.racier
check 'and none without a finding' test ! -e none.html
# What ends the process is told as far as it came; here the audit ended it.
expect 0 'finding    the process ended: signal 11' explain dies.min.racier
check 'all steps are there' grep -qE '^run +1 task, [0-9]+ calls, [0-9]{2,} steps' out
check 'and whose end it was' grep -qF 'Then the audit finds: the process ended' out
if command -v script >/dev/null; then
  script -qec "stty cols 61; $repro explain found.racier" /dev/null >out </dev/null
  check 'colours on a terminal' grep -q $'\033\[1;31m' out
  check 'as wide as that' test "$(sed 's/\x1b\[[0-9;]*m//g; s/\r//' out | wc -L)" -le 61
  NO_COLOR=1 script -qec "$repro explain found.racier" /dev/null >out </dev/null
  check 'unless NO_COLOR says so' test "$(tr -dc '\033' <out | wc -c)" = 0
fi

# ---- inject ----
expect 2 'expected a file' inject
expect 2 'absent: cannot be read' inject absent
expect 2 '--save: expected one file' inject --save x clean.racier clean.racier
expect 2 '--fail-alloc: expected a number from 1 to ' run --fail-alloc 0 clean.racier
expect 2 '--fail-alloc: expected a number from 1 to ' run --fail-alloc 1x clean.racier
expect 2 '--save: a program cannot say --fail-alloc' \
  run --fail-alloc 2+ --save x clean.racier
expect 1 'gave skipped' run --fail-alloc 1 clean.racier
expect 1 'gave skipped' run --fail-alloc 1+ clean.racier
expect 0 'ok clean.racier: ' inject clean.racier
expect 0 ' allocations of 1 programs, each once and with all behind it: 0 findings' \
  inject clean.racier
mkdir none some
cp clean.racier some/b.racier
cp unmet.racier some/a.racier
expect 2 'none: expected files *.racier in it' inject none
expect 0 ' allocations of 2 programs, ' inject some
check 'those of a folder by name' test "$(sed -n 1p out | cut -d: -f1)" = 'ok some/a.racier'

# ---- search ----
expect 2 'expected a file' search
expect 2 'expected one file' search clean.racier clean.racier
expect 2 "no strategy 'replay': run_to_block, " search --strategy replay clean.racier
expect 2 '--depth: only for pct and exhaustive' search --depth 2 clean.racier
expect 2 '--depth: expected a number from 0 to ' search --depth 99 clean.racier
expect 2 '--searches: expected a number from 1 to ' search --searches 0 clean.racier
for words in '--seed -1' '--seed 1x' '--executions -1' '--executions 0' \
             '--searches -1' '--depth -1'; do
  # shellcheck disable=SC2086  # words
  expect 2 "${words% *}: expected a number" search $words clean.racier
done
expect 0 'seed 7: nothing in 50 executions' search --executions 50 --seed 7 clean.racier
expect 0 ', and the strategy has no other schedule' search --strategy run_to_block \
  clean.racier
expect 0 '; every schedule with at most 1 preemptions was run' \
  search --strategy exhaustive --depth 1 clean.racier
expect 1 'found by 3 searches of 3, median execution ' search --searches 3 --bug B10 \
  --save sought.racier --json sought.json clean.racier
check 'each search is told' test "$(grep -c '^seed [123]: execution [0-9]*: ' out)" = 3
check 'and written' test "$(grep -c '"title": ' sought.json)" = 3
expect 0 'ok sought.racier: ' run --repeat 3 sought.racier
long=(search --strategy pos --searches 3 --executions 1000000000 --json long.json)
for signal in INT TERM; do
  before=(timeout -s "$signal" --preserve-status 2)
  expect 0 'found by 0 searches of 1, median none; ' "${long[@]}" clean.racier
  check 'a search that is stopped says so' grep -q \
    '^seed 1: nothing in [0-9]* executions, then it was stopped$' out
  check 'and writes what it has' grep -q '"stopped": true' long.json
  check 'no progress but on a terminal' test "$(wc -l <out)" = 2
  check 'no progress but on a terminal' test "$(tr -dc '\r' <out | wc -c)" = 0
done
before=()
if command -v script >/dev/null; then
  stopped="timeout --foreground -s INT --preserve-status 2 $repro ${long[*]}"
  script -qec "$stopped clean.racier" /dev/null >out </dev/null
  check 'a search on a terminal shows how far it is' \
    grep -qE $'\r\033\\[Kseed 1: [0-9]+ executions(\r|$)' out
fi
check 'a saved program arms its bug' grep -qx "bug $bug" found.racier
check 'JSON has the kind' grep -q '"kind": "lock-order"' found.json
expect 0 'there is nothing to save' run --save nothing.racier clean.racier
check 'nothing is saved of a clean run' test ! -e nothing.racier

# ---- hunt --pairs ----
mkdir pairs
printf '%s\n' setup 'p0 = process' 'm0 = mmap p0 1 rw private' 'task A' 'write p0 m0 0 0' \
  'munmap p0 m0 0 1' >pairs/page.racier
expect 0 'all schedules were run, and were clean: 15 pairs' \
  hunt --pairs --setups pairs --preemptions 1 --full --json pairs.json --svg pairs.svg
check 'all cells in JSON' grep -q '"covered": true' pairs.json
check 'a picture' grep -q '<svg ' pairs.svg
expect 1 'NOT COMPLETE' hunt --pairs --setups pairs --executions 3
expect 0 '1 of 1 rows found in pairs' hunt --pairs --bug B25 --setup one_page
expect 2 "no set-up 'nonsense'" hunt --pairs --setup nonsense
expect 2 "no machine 'nonsense'" hunt --pairs --machine nonsense
expect 2 'absent: ' hunt --pairs --setups absent

# ---- hunt ----
expect 2 "hunt: expected all, or --bug, --family, --as-posted or --drop, not 'clean.racier'" \
  hunt clean.racier
expect 2 "no bug 'nonsense' (--list has all of them)" hunt --bug nonsense
expect 2 "no family 'nonsense': " hunt --family nonsense
expect 2 "no patch 'nonsense': lameter, " hunt --as-posted nonsense
expect 2 '--for: expected a duration' hunt --for soon
expect 2 "absent/prepare_ptl_before_anonlock.racier: cannot be read" \
  hunt --bug B10 --programs absent
expect 0 'B10 prepare_ptl_before_anonlock  ' hunt --list --family lock-order
expect 0 ' rmap=anon_vma_chain  ' hunt --list --bug B30
expect 2 'absent/root_lock_changed_under_walker.racier: ' hunt --list --bug B30 --programs absent
expect 0 '2 of 2 rows found; a bug: median ' \
  hunt --bug B10 --bug B07 --jobs 2 --clean 20 --json hunt.json
check 'a line for each' test "$(grep -c '^B' out)" = 2
check 'and JSON' grep -q '"found": 2' hunt.json
expect 1 'NOT FOUND: B06 anon_flag_and_mapping_torn: nothing of the kind rmap in 3 exec' \
  hunt --bug B06 --executions 3 --clean 20
mkdir few bare
cp clean.racier few/
expect 2 "no site 'nonsense': all, a kind (lock, " hunt --drop nonsense --programs few
expect 2 'hunt: --save is for --drop' hunt --bug B10 --save x
expect 2 'hunt: with --pairs, expected --bug or --family or neither' hunt --pairs --drop all
expect 3 'cannot make the folder /proc/x' hunt --drop mmap.cc --programs few --save /proc/x
expect 2 'there is no program *.racier in the folders' hunt --drop all --programs bare
expect 0 'lock mmap.cc:' hunt --drop mmap.cc --list --programs few
expect 1 'NOT CAUGHT: lock mmap.cc:' hunt --drop mmap.cc --executions 30 --programs few \
  --save saved --json drop.json
check 'JSON of what was left out' grep -q '"not_needed"' drop.json

expect 0 'its time  ' hunt --as-posted lameter --executions 5 --clean 5
expect 1 'NOT FOUND: B11 mmlist_add_no_recheck: in no period' \
  hunt --as-posted dickins-mmlist --executions 1 --clean 1 --json posted.json
check 'each row in each period' test "$(grep -c '"period"' posted.json)" -ge 10
expect 3 'cannot write absent/x' hunt --bug B10 --clean 1 --json absent/x
# Each strategy alone, plain threads, libFuzzer, and all of them side by side.
expect 0 '2 of 2 rows found by one or more; ' \
  hunt --strategy all --bug B10 --bug B25 --executions 5000 --jobs 2 --json strategies.json
check 'a column for each' grep -q '^bug  *random_walk  pos  pct  surw .* portfolio$' out
check 'it is said what each may take' \
  grep -q '^executions until it is found; release build, at most 5000 executions and 30 s$' out
expect 1 'NOT FOUND: B06 anon_flag_and_mapping_torn' \
  hunt --strategy all --bug B06 --executions 1
expect 0 'B10 prepare_ptl_before_anonlock  lock-order       1' \
  hunt --engine threads --bug B10 --clean 20 --json threads.json
expect 1 'nothing of the kind rmap in 3 rounds' \
  hunt --engine threads --bug B06 --clean 3 --executions 3
expect 0 '1 of 1 rows found; a bug: median ' \
  hunt --engine libfuzzer --bug B10 --executions 20000 --json libfuzzer.json
expect 2 'absent/fuzz: cannot be started: No such file' \
  hunt --engine libfuzzer --bug B10 --program-fuzz absent/fuzz
expect 3 '/bin/false: exit code 1: ' \
  hunt --engine libfuzzer --bug B10 --program-fuzz /bin/false
# shellcheck disable=SC2016  # the fake expands it
fake_fuzz() {  # fake_fuzz LINE... - a program_fuzz that does that, and ends with 77
  printf '%s\n' '#!/bin/bash' 'echo INFO' 'echo stat::number_of_executed_units: 7' \
    'for word; do [[ $word != --findings=* ]] || folder=${word#*=}; done' "$@" 'exit 77' >fake
  chmod +x fake
}
# shellcheck disable=SC2016  # the fake expands it
fake_fuzz 'echo "expect finding leak" >"$folder/finding-leak.racier"' \
  'test -s "${@: -1}/row" && test "$#" = 10'
expect 1 'nothing of the kind lock-order in 21 executions' \
  hunt --engine libfuzzer --bug B10 --program-fuzz fake --executions 21
check 'what is of another kind is passed over' grep -q '; 3 of another kind, first: leak' out
fake_fuzz 'echo SUMMARY: libFuzzer: deadly signal'
expect 1 '3 of another kind, first: death | exit code 77, SUMMARY: libFuzzer: deadly' \
  hunt --engine libfuzzer --bug B10 --program-fuzz fake --executions 21
expect 0 'B09 anon_vma_freed_before_lock  death              7' \
  hunt --engine libfuzzer --bug B09 --program-fuzz fake --executions 21
expect 0 '2 of 2 rows found by one or more; ' \
  hunt --machine all --bug B10 --bug B69 --executions 2000 --clean 5 --json machines.json
check 'a column for each machine' grep -q '^bug  *anon_vma_spin .* per_vma  cpumask$' out
check 'a bug of one machine' grep -q '^B69 .* -  *[0-9]*  *-$' out
expect 0 '| bug | random_walk | pos | ' hunt --columns strategies.json libfuzzer.json threads.json
check 'the others are columns, too' grep -q ' portfolio | libfuzzer | threads release |$' out
check 'a line for each bug, and two' test "$(grep -c '^|' out)" = 5
expect 2 'absent.json: cannot be read' hunt --columns strategies.json absent.json
expect 2 'clean.racier: not what hunt --json writes' hunt --columns clean.racier
check 'nothing is left of the fuzzers' test -z "$(find "${TMPDIR:-/tmp}" -maxdepth 1 \
  -name 'racier-hunt-*' -newer strategies.json 2>/dev/null)"

before=(timeout -s INT --preserve-status 2)
expect 1 'then it was stopped' hunt --bug B06 --strategy starvation --for 1h --clean 100000000
before=()

# ---- Bad files ----
mkdir folder
: >empty
: >empty.racier
printf 'setup\n  p0 = proces\n' >wrong.racier
printf 'machine frames=many\n' >wrong
expect 2 'folder: cannot be read: Is a directory' run folder
expect 2 'absent: cannot be read: No such file' run absent
expect 2 'empty:1:1: expected a program' run empty
expect 2 'empty.racier:1:1: expected a program' run empty.racier
expect 2 'wrong.racier:2:8: ' run wrong.racier
expect 2 'wrong:1:16: expected a number' show wrong
if [[ $(id -u) != 0 ]]; then
  cp clean.racier secret.racier
  chmod 000 secret.racier
  expect 2 'secret.racier: cannot be read: Permission denied' run secret.racier
fi

# ---- Inputs of a fuzzer ----
printf '\001\002\003\377racier' >crash-1
expect 0 'ok crash-1: ' run crash-1
"$repro" show crash-1 >shown.racier
expect 0 'expect clean' show crash-1
expect 0 'expect clean' show shown.racier
check 'what is shown is canonical' cmp -s out shown.racier

printf '#\001\002\003\004' >crash-2
printf '# \303\n' >crash-3
printf '# \303\251t\303\251, by hand\r\n\tsetup\n' >text
printf 'nonsense here\n' >misspelt
expect 0 'ok crash-2: ' run crash-2
expect 0 'ok crash-3: ' run crash-3
expect 0 "# $(printf '\303\251t\303\251'), by hand" show text
expect 2 'misspelt:1:1: expected machine, ' run misspelt

# ---- No room ----
expect 3 '/dev/full: cannot be written: No space left' run --json /dev/full clean.racier
expect 3 'absent/x: cannot be written: No such file' run --json absent/x clean.racier
expect 3 'folder: cannot be written: Is a directory' run --json folder clean.racier
"$repro" show clean.racier >/dev/full 2>err
check 'a full standard output is 3' test $? = 3
check '... and one line' test "$(wc -l <err)" = 1

# ---- Recordings ----
recording=$traces/bash-pipeline.perf.xz
xz -dc "$recording" >whole.perf
head -c 30000 whole.perf >cut.perf
head -c 9000 "$recording" >cut.perf.xz
# A fault that cannot have been: the pte was there already.
sed '20,40s/error_code=0x14/error_code=0x15/' whole.perf >changed.perf
expect 0 '  unexplained                      0' import "$recording"
expect 0 '  named difference' import whole.perf
expect 0 '' import --quiet --out bash-pipeline.racier --json counts.json "$recording"
check 'an import says nothing if it is to be quiet' test ! -s out
check 'an import is the same every time' \
  cmp -s bash-pipeline.racier "$traces/bash-pipeline.racier"
check 'JSON has the counts' grep -q '"fault-around": ' counts.json
expect 0 '  processes                        2' import --processes 2 whole.perf
for design in pte_chain anon_area anon_vma_spin anon_vma_rwsem anon_vma_chain; do
  expect 0 '  unexplained                      0' import --rmap $design "$recording"
done
expect 2 "no reverse map 'tree'" import --rmap tree "$recording"
expect 0 '  processes                        1' import --until 200 whole.perf
expect 1 'changed.perf:21: a pte at ' import changed.perf
expect 2 'expected a file' import
expect 2 'expected one recording' import whole.perf cut.perf
expect 2 'empty:1:1: expected a line of perf script, not an empty file' import empty
expect 2 'folder: cannot be read: Is a directory' import folder
expect 2 'clean.racier:1:1: expected a line of perf script' import clean.racier
expect 2 'the recording is cut off' import cut.perf
expect 2 'cut.perf.xz: cannot be unpacked: Unexpected end of input' import cut.perf.xz
expect 3 '/dev/full: cannot be written: No space left' import --out /dev/full whole.perf
expect 3 'absent/x: cannot be written: No such file' import --out absent/x whole.perf
before=(env PATH=/nonexistent)
expect 3 'xz cannot be started' import "$recording"
before=()
check 'nothing is left half-written' \
  test -z "$(find . -name '*.new')"

exit $failed
