#!/usr/bin/env bash
# Tests of racier-campaign.  The programs that it runs are stubs: scripts that do at
# once what a fuzzer does in a night.
# By hand: stress/campaign_test.sh PATH_OF_RACIER_CAMPAIGN
set -u
campaign=$(readlink -f "$1") || exit 3
scratch=$(mktemp -d) || exit 3
trap 'rm -rf "$scratch"' EXIT
failures=0
checks=0

# ---- A world of stubs ----------------------------------------------------------------

stub() {  # stub PATH, the script on stdin
  mkdir -p "$(dirname "$1")"
  { echo '#!/usr/bin/env bash'; cat; } >"$1"
  chmod +x "$1"
}

# Builds whose programs find nothing.  Each takes its ways from a file beside the
# builds, which a test may write: fuzz.sh, stress.sh.  There, $folder is the job's.
new_world() {
  cd "$scratch" || exit 3
  rm -rf "$scratch/world"
  mkdir -p "$scratch/world"
  cd "$scratch/world" || exit 3
  local preset
  for preset in asan tsan; do
    stub builds/$preset/fuzz/program_fuzz <<'END'
for word; do case $word in --findings=*) folder=${word#--findings=} ;; esac; done
world=$(dirname "$0")/../../..
[[ ! -e $world/fuzz.sh ]] || . "$world/fuzz.sh"
printf '#4 NEW cov: 1\nstat::number_of_executed_units: 1000\n'
END
    stub builds/$preset/stress/racier-stress <<'END'
while (($#)); do case $1 in --findings) folder=$2 ;; esac; shift; done
world=$(dirname "$0")/../../..
[[ ! -e $world/stress.sh ]] || . "$world/stress.sh"
echo "racier-stress: Calls: Total: 500  Max/Min: 250/250"
END
  done
  stub builds/release/repro/racier-repro <<'END'
world=$(dirname "$0")/../../..
[[ ! -e $world/repro.sh ]] || . "$world/repro.sh"
[[ $1 != run ]] || echo "replayed $2" >>"$world/replays"
[[ $1 != minimize ]] || echo "$5" >"$7"  # --for TIME --signature WHAT --output FILE
[[ $1 != explain ]] || { echo "of $(cat "$6")" >"$3"; echo page >"$5"; }  # --text, --html
END
  stub builds/release/fuzz/program_seeds <<'END'
world=$(dirname "$0")/../../..
[[ ! -e $world/seeds.sh ]] || . "$world/seeds.sh"
printf 'a seed' >"$1/seed-1"
printf 'another seed' >"$1/seed-2"
END
}

# Runs a campaign of the world: its words in `out` and `err`, its exit status in
# `status`.
run() {
  "$campaign" --build-root builds --out c "$@" >out.txt 2>err.txt </dev/null
  status=$?
  out=$(cat out.txt)
  err=$(cat err.txt)
}

# What a fuzzer does that has found something; $1 is a word for the bug.
finds() {
  cat <<END
printf '# rmap | $1\n#\n# and so on\nexpect any\n' >"\$folder/finding-rmap-1.racier"
printf 'bytes of $1' >"\$folder/crash-0123"
echo 'racier: somewhere: Assertion failed' >&2
exit 77
END
}

# ---- Words of the tests --------------------------------------------------------------

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
holds() { grep -q -- "$2" "$1"; }  # holds FILE PATTERN
is() { [[ $1 = "$2" ]]; }
# The number that a key has in a file of JSON, the first time.
number() { sed -n "s/^ *\"$2\": *\([0-9][0-9]*\).*/\1/p" "$1" | head -n 1; }
nothing_half_written() {
  [[ -z $(find c -name '*.tmp' -o -name '.new-*') && -z $(ls -A c/work) ]]
}
nothing_runs() { ! pgrep -f "$scratch/world/builds" >/dev/null; }
# Tries again: who was killed is not gone at once.
soon() {
  local i
  for i in {1..500}; do ! "$@" || return 0; done
  return 1
}

# ---- Tests ---------------------------------------------------------------------------

test_clean() {
  new_world
  run --for 0 --turns 8 --jobs 2 --seed 7
  check "clean" exits 0
  check "verdict" has "$out" "--- End of test: SUCCESS: seed 7"
  check "verdict" holds c/report.json '"verdict": "SUCCESS"'
  local cell
  for cell in fuzz-asan fuzz-tsan stress-asan stress-tsan; do
    check "$cell is in the report" holds c/report.json "\"cell\": \"$cell\""
    check "$cell had its turn" holds c/state.json "\"$cell\""
  done
  check "executions" test "$(number c/report.json executions)" -ge 1000
  check "calls" test "$(number c/report.json calls)" -ge 500
  check "tidy" nothing_half_written
}

test_a_finding_is_kept_once_and_counted() {
  new_world
  finds "one bug" >fuzz.sh
  run --for 0 --turns 9 --jobs 1
  check "finding" exits 1
  check "verdict" has "$out" "FAILURE"
  local folder
  folder=$(echo c/findings/rmap-*)
  check "one folder" test -d "$folder"
  check "its program" holds "$folder/program.racier" "# rmap | one bug"
  check "its input" holds "$folder/input" "bytes of one bug"
  check "its report" holds "$folder/report.txt" "Assertion failed"
  check "how to replay it" \
    holds "$folder/how-to-replay.txt" "^racier repro run .*/program.racier"
  check "replayed" holds "$folder/how-to-replay.txt" "the same finding"
  check "minimized, to that bug" is "$(cat "$folder/minimized.racier")" "rmap | one bug"
  check "what was minimized is explained" \
    is "$(cat "$folder/explanation.txt")" "of rmap | one bug"
  check "and as a page" holds "$folder/explanation.html" page
  check "counted" test "$(number "$folder/meta.json" count)" -ge 2
  check "in the report" holds c/report.json '"signature": "rmap | one bug"'
  local count
  count=$(number "$folder/meta.json" count)
  finds "another bug" >fuzz.sh
  run --for 0 --turns 4 --jobs 2
  check "the old one is still there" is "$(number "$folder/meta.json" count)" "$count"
  check "two bugs" is "$(find c/findings -name meta.json | wc -l)" 2
  check "tidy" nothing_half_written
}

test_findings_of_stress_come_with_their_count() {
  new_world
  cat >stress.sh <<'END'
printf '# deadlock | stuck\n# racier stress --preset tsan --seed 1 --round 3\n' \
  >"$folder/stress-deadlock-1.racier"
echo '{"findings": [{"signature": "deadlock | stuck", "count": 41}]}' \
  >"$folder/result.json"
exit 1
END
  run --for 0 --turns 4 --jobs 4
  check "finding" exits 1
  check "count of two jobs" is "$(number c/findings/deadlock-*/meta.json count)" 82
  check "how to replay it on threads" holds c/findings/deadlock-*/how-to-replay.txt \
    "^racier stress --preset tsan --seed 1 --round 3"
}

test_an_input_that_fails_leaves_the_corpus() {
  new_world
  { echo 'mkdir -p "$folder/corpus"; printf "bytes of x" >"$folder/corpus/abc"'
    echo 'printf fine >"$folder/corpus/def"'
    finds x; } >fuzz.sh
  run --for 0 --turns 4 --jobs 1
  check "the good one stays" test -e c/corpus/def
  check "the bad one does not" test ! -e c/corpus/abc
  check "but it is kept" test -e c/corpus-failing/abc
}

# The seeds are made again at each start.
test_a_seed_that_fails_does_not_come_back() {
  new_world
  echo 'printf "a seed" >"$folder/crash-0123"; exit 77' >fuzz.sh
  run --for 0 --turns 1
  check "finding" exits 1
  check "the seed is set aside" test -e c/corpus-failing/seed-1
  rm fuzz.sh
  run --for 0 --turns 1
  check "it is not back" test ! -e c/seeds/seed-1
  check "the other one is there" test -e c/seeds/seed-2
}

test_children_that_die() {
  new_world
  echo 'kill -SEGV $$' >fuzz.sh
  echo 'kill -KILL $$' >stress.sh
  run --for 0 --turns 4 --jobs 2
  check "finding" exits 1
  check "crash" has "$out" "crash | program_fuzz (asan): Segmentation fault"
  check "out of memory" \
    has "$out" "killed | racier-stress (tsan) was killed: out of memory?"
}

test_a_report_of_a_sanitizer_becomes_a_stable_title() {
  new_world
  cat >fuzz.sh <<'END'
echo "==77==ERROR: AddressSanitizer: heap-use-after-free on address 0x123" >&2
echo "SUMMARY: AddressSanitizer: heap-use-after-free /a/b/fault.cc:12:3 in f(int)" >&2
printf 'bytes' >"$folder/crash-1"
exit 1
END
  run --for 0 --turns 1 --jobs 1
  check "title" has "$out" \
    "sanitizer | AddressSanitizer: heap-use-after-free fault.cc in f(int)"
  check "the input as a program" test -s c/findings/sanitizer-*/program.racier
  check "without a bug" test "$(grep -c '^bug' c/findings/sanitizer-*/program.racier)" = 0
}

test_what_died_with_a_bug_armed_is_replayed_with_it() {
  new_world
  echo 'printf bytes >"$folder/crash-1"; kill -SEGV $$' >fuzz.sh
  run --for 0 --turns 1 --jobs 1 --bug B07 --rmap pte_chain
  check "in the program" \
    holds c/findings/crash-*/program.racier "^bug remove_rmap_clears_mapping"
  check "on its design" holds c/findings/crash-*/program.racier "rmap=pte_chain"
  check "and beside the input" holds c/findings/crash-*/how-to-replay.txt \
    "run --bug [^ ]* --rmap pte_chain .*/input$"
}

test_a_dead_round_of_stress_is_written_as_a_program() {
  new_world
  cat >stress.sh <<'END'
echo "racier stress --preset tsan --seed 5 --workload fork --threads 2 --round 4" \
  >"$folder/stress-running-1.txt"
echo "racier: x.cc:3: f: Assertion 'a page has a frame' failed." >&2
kill -ABRT $$
END
  run --for 0 --turns 2 --jobs 2
  check "finding" has "$out" "assertion | a page has a frame"
  check "program" holds c/findings/assertion-*/program.racier "^task B"
  check "replay" \
    holds c/findings/assertion-*/how-to-replay.txt "racier stress .*--round 4"
}

test_a_child_that_hangs_is_killed() {
  new_world
  echo 'trap "" TERM INT; sleep 1000 & wait; sleep 1000' >fuzz.sh
  run --for 0 --turns 1 --slice 1 --grace 0
  check "finding" exits 1
  check "hang" \
    has "$out" "hang | program_fuzz (asan) did not end when its time was over"
  check "nothing is left" nothing_runs
}

test_children_that_cannot_run() {
  new_world
  echo 'echo "no such option" >&2; exit 2' >fuzz.sh
  cp fuzz.sh stress.sh
  run --for 0
  check "could not run" exits 3
  check "says why" has "$err" "no such option"
  check "verdict" has "$out" "FAILURE"
}

test_programs_that_are_missing() {
  local program
  for program in tsan/stress/racier-stress release/fuzz/program_seeds \
                 release/repro/racier-repro; do
    new_world
    rm "builds/$program"
    run --for 0 --turns 1
    check "$program is missing" exits 3
    check "one line" one_line "$err"
    check "it is named" has "$err" "$program"
  done
  new_world
  echo 'echo "no corpus"; exit 1' >seeds.sh
  run --for 0 --turns 1
  check "no seeds" exits 3
  check "why" has "$err" "no corpus"
}

test_nothing_ran() {
  new_world
  echo 'exit 0' >fuzz.sh
  cp fuzz.sh stress.sh
  run --for 0 --turns 4
  check "nothing ran" exits 3
  check "the verdict says so too" has "$out" "FAILURE"
  check "the report says so too" holds c/report.json '"verdict": "FAILURE"'
}

# Starts a campaign in the background, with the signals of a terminal, and waits until
# there is a file `started`.
start() {
  env --default-signal=INT,TERM "$campaign" --build-root builds --out c "$@" \
    >started-out.txt 2>started-err.txt </dev/null &
  until [[ -e started ]]; do sleep 0.05; done
}

# Waits for it to end, as run() does.
ends() {
  wait $!
  status=$? out=$(cat started-out.txt) err=$(cat started-err.txt)
}

test_stopped_while_a_finding_is_replayed() {
  new_world
  finds x >fuzz.sh
  echo 'touch "$world/started"; exec sleep 1000' >repro.sh
  start --for 0 --turns 1
  kill -INT $!
  ends
  check "finding" exits 1
  check "nothing is left" nothing_runs
  check "no replay" holds c/findings/rmap-*/meta.json '"replays": ""'
  rm repro.sh
  run --for 0 --turns 1
  check "the next one replays it" \
    holds c/findings/rmap-*/meta.json '"replays": "the same finding"'
}

test_killed_before_the_replay_is_noted() {
  new_world
  finds x >fuzz.sh
  echo 'kill -KILL $PPID; exit' >repro.sh
  run --for 0 --turns 1
  check "killed" exits 137
  check "the finding is there" holds c/findings/rmap-*/meta.json '"replays": ""'
  rm fuzz.sh repro.sh
  run --for 0 --turns 1
  check "replayed" holds c/findings/rmap-*/meta.json '"replays": "the same finding"'
  check "in the report" holds c/report.json '"replay_gave": "the same finding"'
  run --for 0 --turns 1
  check "once" is "$(wc -l <replays)" 1
}

test_stopped_while_the_seeds_are_made() {
  new_world
  echo 'touch "$world/started"; exec sleep 1000' >seeds.sh
  start --for 0
  kill -TERM $!
  ends
  check "nothing ran" exits 3
  check "it ends in order" has "$out" "(stopped"
  check "nothing is left" nothing_runs
}

test_another_campaign_in_the_folder() {
  new_world
  run --for 0 --turns 1 --bug B07
  run --for 0 --turns 1 --rmap anon_area
  check "is refused" exits 3
  check "one line" one_line "$err"
  check "says what differs" has "$err" \
    "has, bugs: remove_rmap_clears_mapping, this one, rmap: anon_area: choose another"
}

test_a_state_that_is_damaged() {
  new_world
  run --for 0 --turns 1
  echo '{"version": 1, "seed"' >c/state.json
  run --for 0 --turns 1
  check "is refused" exits 3
  check "one line" one_line "$err"
  check "says what to do" has "$err" "c/state.json is damaged"
  rm c/state.json
  run --for 0 --turns 1
  check "that helps" exits 0
}

test_two_campaigns_in_one_folder() {
  new_world
  echo 'printf "\n#4 NEW\n"; touch "$world/started"; sleep 1000' >fuzz.sh
  start --for 0
  run --for 0 --turns 1
  check "the second is refused" exits 3
  check "one line" one_line "$err"
  check "says why" has "$err" "another campaign is running"
  kill $!
  ends
  check "the first ends in order" exits 0
  check "its report" holds c/report.json '"stopped": true'
  check "nothing is left" nothing_runs
}

# Killed at any moment, it loses nothing that was there.
test_killed_again_and_again() {
  new_world
  cat >fuzz.sh <<'END'
number=$(basename "$folder" | tr -dc 0-9)
name=input-$number
mkdir -p "$folder/corpus"
printf 'input %s' "$name" >"$folder/corpus/$name"
echo "$name" >>"$world/inputs"
printf '# rmap | bug %s\n' "$((10#$number % 3))" >"$folder/finding-1.racier"
echo >>"$world/found"
exit 77
END
  touch inputs
  local i pid wanted
  for i in {1..15}; do
    wanted=$(($(wc -l <inputs) + i % 4 + 1))
    "$campaign" --build-root builds --out c --for 0 --jobs 3 >>log.txt 2>&1 &
    pid=$!
    until (($(wc -l <inputs) >= wanted)) || ! kill -0 "$pid" 2>/dev/null; do :; done
    check "it runs until it is killed" kill -KILL "$pid"
    wait "$pid" 2>/dev/null
  done
  check "nothing outlives it" soon nothing_runs
  : >fuzz.sh
  run --for 0 --turns 1 --jobs 1
  check "goes on" exits 1
  check "says so" has "$out" "has had"
  local name lost=0 count=0 number
  while read -r name; do [[ -e c/corpus/$name ]] || lost=$((lost + 1)); done <inputs
  check "something was tried" test -s inputs
  check "every input is there" is "$lost" 0
  for number in c/findings/*/meta.json; do
    count=$((count + $(number "$number" count)))
  done
  check "every finding is counted" test "$count" -ge "$(wc -l <found)"
  check "none is counted twice" test "$count" -le "$(number c/state.json jobs)"
  check "at most three bugs" test "$(find c/findings -name meta.json | wc -l)" -le 3
  check "tidy" nothing_half_written
}

test_time_that_was_had_counts() {
  new_world
  run --for 0 --turns 1 --seed 3
  sed -i 's/"seconds": [0-9.]*,$/"seconds": 500.0,/' c/state.json
  run --for 100
  check "nothing is left" exits 0
  check "says so" \
    has "$out" "has had 8m 20s of 1m 40s: nothing is left, a longer --for goes on"
  run --for 0 --turns 1
  check "goes on with its seed" has "$out" "seed 3"
  run --for 0 --turns 1 --bug B10
  check "but not with other bugs" exits 3
  check "one line" one_line "$err"
}

test_wrong_use() {
  new_world
  local words
  for words in --nonsense "--for never" "--jobs 0" "--bug B999" "--jo 2" extra \
               "--rmap no" --for; do
    # shellcheck disable=SC2086  # words
    run $words
    check "$words" exits 2
    check "$words" one_line "$err"
  done
  run --help
  check "help" exits 0
  check "help" has "$out" "usage: racier campaign"
}

test_a_folder_that_cannot_be_written() {
  new_world
  "$campaign" --build-root builds --out /proc/campaign >out.txt 2>err.txt
  status=$? err=$(cat err.txt)
  check "no such place" exits 3
  check "one line" one_line "$err"
  echo >c
  run --for 0 --turns 1
  check "a file" exits 3
  check "one line" one_line "$err"
  rm c
  mkdir c
  echo '{"version": 77}' >c/state.json
  run --for 0 --turns 1
  check "no state of ours" exits 3
  check "one line" one_line "$err"
  check "it is left alone" holds c/state.json 77
}

# Needs the right to mount; elsewhere it tests nothing.
test_a_full_disk() {
  new_world
  mkdir c
  mount -t tmpfs -o size=256k none c 2>/dev/null || return
  finds "an early bug" >fuzz.sh
  run --for 0 --turns 4 --jobs 1
  check "fits" exits 1
  local before
  before=$(cat c/report.json)
  echo 'head -c 400000 /dev/zero >"$world/c/zeroes"' >fuzz.sh
  run --for 0 --turns 4 --jobs 1
  check "full" exits 3
  check "one line" one_line "$err"
  check "says so" has "$err" "No space left"
  check "the report is the old one" is "$(cat c/report.json)" "$before"
  check "the finding is there" test -s c/findings/rmap-*/meta.json
  rm c/zeroes
  : >fuzz.sh
  run --for 0 --turns 4
  check "goes on when there is room" exits 1
  check "tidy" nothing_half_written
  umount c
}

for name in $(declare -F | sed -n 's/^declare -f \(test_.*\)$/\1/p'); do "$name"; done
((failures == 0)) || { echo "$failures of $checks checks failed"; exit 1; }
echo "$checks checks passed"
