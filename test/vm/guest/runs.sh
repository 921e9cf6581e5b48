# SPDX-License-Identifier: MIT
# For scripts in a guest: run workloads whose truth is known under `vmalocktop stat --json`, a line of JSON for each run:
#   {"run":NAME,"code":EXIT,"truth":WHAT THE WORKLOAD SAYS,"stat":WHAT THE TOOL SAYS,"live":…,"words":THEIR STDERR}
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
tool=(node "$root/dist/cli/main.js")
workload=$root/dist/test/workload
scratch=$(mktemp -d)

run() { # NAME STAT-OPTIONS... -- COMMAND...
  local name=$1 code=0 options=()
  shift
  while [[ $1 != -- ]]; do options+=("$1"); shift; done
  "${tool[@]}" stat --json -o "$scratch/stat" ${options[@]+"${options[@]}"} "$@" >"$scratch/truth" 2>"$scratch/words" || code=$?
  report "$name" "$code" "$scratch/truth" "$scratch/stat"
}

report() { # NAME CODE TRUTH-FILE STAT-FILE [LIVE-STAT-FILE]
  local truth stat live
  truth=$(head -n1 "$3" 2>/dev/null)
  stat=$(head -n1 "$4" 2>/dev/null)
  live=$(head -n1 "${5:-/dev/null}" 2>/dev/null)
  printf '{"run":"%s","code":%d,"truth":%s,"stat":%s,"live":%s,"words":%s}\n' "$1" "$2" "${truth:-null}" "${stat:-null}" "${live:-null}" \
    "$(node -p 'JSON.stringify(require("fs").readFileSync(process.argv[1], "utf8"))' "$scratch/words")"
  rm -f "$scratch/stat"
}
