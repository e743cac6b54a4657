#!/usr/bin/env bash
# stress/bench_test.sh PROGRAM - every row of racier-bench, and what a search is worth.
set -u

bench=$(readlink -f "$1") || exit 3
scratch=$(mktemp -d) || exit 3
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 3
failed=0

check() {  # check SENTENCE COMMAND... - the command must succeed
  local sentence=$1
  shift
  "$@" && return
  printf 'failed: %s\n' "$sentence"
  cat out
  failed=1
}

# ---- Rows ----
"$bench" --quick --json rows.json >out 2>&1
check 'it ends well' test $? = 0
rows=('steps, lock-only program, '{run_to_block,random_walk,pos}
      'executions of two tasks, eight ops, [0-9]* steps, '{pct,random_walk,pos,portfolio}
      'mmap + touch + munmap of one page' 'fork + exit of 64 pages ('
      'stores, mmu=host, '{cached,'flushed before'})
for row in "${rows[@]}"; do
  check "a row: $row" grep -q "^$row.* ratio  *[0-9.]*  aim " out
  check "and in JSON" grep -q "\"what\": \"$row" rows.json
done
check 'no other row' test "$(wc -l <out)" = ${#rows[@]}

# ---- The designs of the reverse map ----
"$bench" designs --quick --json curves.json --svg curves.svg >out 2>&1
check 'it ends well' test $? = 0
check 'eight diagrams' test "$(grep -c '"title": ' curves.json)" = 8
check 'of five lines each' test "$(grep -c '<polyline' curves.svg)" = 40
check 'a picture in full' test "$(tail -n 1 curves.svg)" = '</svg>'
# Two who map it need a block of a chain, four need two; a block has 64 bytes.
check 'a pte costs memory in a chain only' \
  test "$(sed -n '/^memory for a pte more/,/^$/p' out | tail -n +3 | tr -s ' ')" = \
  "$(printf '%s\n' 'anon_vma_spin 0 0' 'anon_vma_rwsem 0 0' 'anon_vma_chain 0 0' \
    'pte_chain 32 32' 'anon_area 0 0' '')"
"$bench" designs --quick --svg /no/folder/x.svg >out 2>&1
check 'what it cannot write is told' test $? = 3

# ---- The lookups of a fault ----
"$bench" lookups --quick --json curves.json --svg curves.svg >out 2>&1
check 'it ends well' test $? = 0
check 'three diagrams' test "$(grep -c '"title": ' curves.json)" = 3
lookups=$(sed -n '/"series"/,/}/p' curves.json | grep -oE '"[a-z_]+": \[' | sort -u | wc -l)
check 'of every lookup' test "$lookups" -ge 3
check 'a line each' test "$(grep -c '<polyline' curves.svg)" = $((3 * lookups))

# ---- The portfolio, on every shape ----
"$bench" strategies --seeds 20 --strategy portfolio --json shapes.json >out 2>&1
check 'it ends well' test $? = 0
check 'it searches' grep -q '"found": 20' shapes.json
cells=$(sed -n '/"cells"/,/"summary"/p' shapes.json)
check 'every shape is found by every search' \
  test "$(grep '"found"' <<<"$cells" | sort -u | tr -d ' ,')" = '"found":20'
check 'there are 27 shapes, and noisy ones' grep -qE '^found, of 27 +27\.0$' out
check 'the noisy ones are found, too' grep -qE '^found, of ([0-9]+) noisy ones +\1\.0$' out
geomean=$(sed -n 's/^geomean (a miss: 2 x cap)  *//p' out | head -n 1)
check "at most 15 executions, not ${geomean:-none}" \
  awk -v mean="$geomean" 'BEGIN { exit !(mean > 0 && mean <= 15) }'
exit $failed
