#!/usr/bin/env bash
# Tests of racier-stress from outside.  By hand: stress/racier_stress_test.sh PATH_OF_IT
set -u
stress=$(readlink -f "$1") || exit 3
scratch=$(mktemp -d) || exit 3
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 3
failures=0
checks=0

run() {  # its words in `out` and `err`, its exit status in `status`
  "$stress" "$@" >out.txt 2>err.txt </dev/null
  status=$?
  out=$(cat out.txt)
  err=$(cat err.txt)
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
nothing() { [[ -z $(find . -name 'stress-*') && -z $(find . -name '*.tmp') ]]; }

# Clean: parameters at both ends, and a result.
run --rounds 2 --seed 5 --threads 2 --workload fork --json result.json
check "clean" exits 0
check "says what it does" has "$out" "--- Start of test:"
check "and what it did" has "$out" "--- End of test: SUCCESS:"
check "with the seed" has "$out" "--seed 5 --workload fork --threads 2"
check "result" grep -q '"verdict": "SUCCESS"' result.json
check "result" grep -q '"rounds": 2' result.json
check "leaves nothing behind" nothing

# Wrong use, one line.
for words in --nonsense "--for never" "--threads 9" "--workload all" "--bug B99" \
             extra; do
  # shellcheck disable=SC2086  # words
  run $words
  check "$words" exits 2
  check "$words" one_line "$err"
done

# A finding: told, written, counted.
run --rounds 3 --seed 5 --threads 2 --bug B10 --json result.json --findings found
check "finding" exits 1
check "verdict" has "$out" "--- End of test: FAILURE:"
check "told" has "$err" "!!! round 0 (seed 5): lock-order | WARNING: possible circular"
check "how to do it again" \
  has "$err" "--seed 5 --workload mixed --threads 2 --bug prepare_ptl"
check "a program" test -s found/stress-lock-order-*.racier
check "that says what it is" \
  grep -q '^expect finding lock-order' found/stress-lock-order-*
check "one for all" test "$(find found -type f | wc -l)" = 1
check "counted" grep -q '"count": 3' result.json
run --rounds 9 --seed 5 --threads 2 --bug B10 --abort --findings found
check "the first is the last" has "$out" "Rounds: 1 "

# The program of a round.
run --print --seed 5 --round 3 --threads 2
check "print" exits 0
check "print" has "$out" "task B"
first=$out
run --print --seed 5 --round 3 --threads 2
check "the same" has "$out" "$first"

# Nowhere to write.
run --rounds 1 --findings /proc/no
check "findings" exits 3
check "findings" one_line "$err"
run --rounds 1 --json /dev/full
check "a full disk" exits 3
check "a full disk" one_line "$err"
check "a full disk" has "$err" "No space left"
check "is still one" test -c /dev/full
run --rounds 1 --json no/such/folder.json
check "no such folder" exits 3

# Ctrl-C ends in order.
"$stress" --for 0 --threads 2 --json stopped.json --findings run \
  >out.txt 2>err.txt </dev/null &
child=$!
until [[ -s out.txt && -n $(ls run 2>/dev/null) ]]; do sleep 0.05; done
kill -TERM "$child"
wait "$child"
status=$? out=$(cat out.txt) err=$(cat err.txt)
check "stopped" exits 0
check "stopped" has "$out" "(stopped)"
check "stopped" grep -q '"stopped": true' stopped.json
check "leaves nothing behind" test -z "$(ls run)"

# Who is killed leaves word of the round.
"$stress" --for 0 --threads 2 --findings run >out.txt 2>err.txt </dev/null &
child=$!
until [[ -s $(echo run/stress-running-*) ]]; do sleep 0.05; done
# (A fault that is sent, not made, may find ThreadSanitizer holding its own locks, and
# wait for them for ever.)
deadly=SEGV
grep -q 'Start of test: tsan' out.txt && deadly=KILL
kill -"$deadly" "$child"
wait "$child"
status=$? err=$(cat err.txt)
[[ $deadly = KILL ]] || check "last words" has "$err" "!!! died in round"
check "and a note" grep -q -- "--round" run/stress-running-*

((failures == 0)) || { echo "$failures of $checks checks failed"; exit 1; }
echo "$checks checks passed"
