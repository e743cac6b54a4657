#!/usr/bin/env bash
# stress/bench_strategies_test.sh PROGRAM - a row of the table, and wrong use.
set -u

bench=$1
failed=0

# expect CODE PATTERN ARGUMENTS... - one line of what it says matches PATTERN.
expect() {
  local code=$1 pattern=$2
  shift 2
  local text
  text=$("$bench" strategies "$@" 2>&1)
  local got=$?
  if [[ $got != "$code" ]] || ! grep -qE -- "$pattern" <<<"$text"; then
    printf 'racier-bench strategies %s\n  expected %s: %s\n  got %s:\n%s\n' "$*" "$code" \
      "$pattern" "$got" "$text"
    failed=1
  fi
  # A complaint is one line, and comes alone.
  if ((code == 2)) && [[ $(wc -l <<<"$text") != 1 ]]; then
    printf 'racier-bench strategies %s: expected one line, got:\n%s\n' "$*" "$text"
    failed=1
  fi
}

expect 0 '^lost_update \(2, [0-9]+, 2\) +[0-9]+ +[0-9]+$' --seeds 2 \
  --shape lost_update --strategy portfolio --strategy surw
expect 0 '^found, of 1 +1\.0$' --seeds 2 --shape abba --strategy portfolio
expect 2 "--strategy: there is no 'walk'; " --strategy walk
expect 2 "--strategy: there is no 'walk'; " --strategy portfolio --strategy walk
expect 2 "--shape: there is no 'cube'; " --shape abba --shape cube
expect 2 '--seeds and --cap: ' --seeds 0
exit $failed
