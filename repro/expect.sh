# repro/expect.sh - what tests of racier-repro expect; they are where they may write.
# shellcheck shell=bash
repro=$(readlink -f "$1")
before=()  # what the program is run by
failed=0

# expect CODE TEXT ARGUMENTS... - racier-repro ends so; TEXT is a part of one of its lines.
expect() {
  local code=$1 text=$2
  shift 2
  "${before[@]}" "$repro" "$@" >out 2>err
  local got=$?
  if [[ $got != "$code" ]] || ! { [[ -z $text ]] || cat out err | grep -qF -- "$text"; }; then
    printf 'racier-repro %s\n  expected %s: %s\n  got %s:\n' "$*" "$code" "$text" "$got"
    cat out err
    failed=1
  fi
  # A complaint is one line, and comes alone.
  if ((code >= 2)) && [[ $(wc -l <err) != 1 ]]; then
    printf 'racier-repro %s: expected one line, got:\n' "$*"
    cat err
    failed=1
  fi
}

check() {  # check SENTENCE COMMAND... - the command must succeed
  local sentence=$1
  shift
  "$@" && return
  printf 'failed: %s\n' "$sentence"
  failed=1
}
