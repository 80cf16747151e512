#!/bin/sh
# Trains in the background: models/demo/train/in-background.sh [start|stop|status]
#
# start (default) begins or resumes train_all.py, detached from the terminal and with the least share of the processor.
# stop ends it; nothing older than two minutes is lost. status shows what runs and the last lines of the logs.
# PYTHON names the interpreter (default python3), TOKENFLOW_DEMO_WORK the scratch folder, TOKENFLOW_DEMO_SHARE how far
# other programs go first, 0 (as any other) to 19 (they take what they want; default). Further arguments go to
# train_all.py.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${TOKENFLOW_DEMO_WORK:-$HOME/.cache/tokenflow-demo-train-2}
action=${1:-start}
[ $# -gt 0 ] && shift
pid_file=$work/train_all.pid

running() {
  [ -f "$pid_file" ] && kill -0 "$(cat "$pid_file")" 2>/dev/null && grep -q train_all "/proc/$(cat "$pid_file")/cmdline"
}

case $action in
start)
  if running; then
    echo "already running as process $(cat "$pid_file")"
    exit 0
  fi
  # A copy of the scripts: a training of many hours starts one after the other, and this folder may change meanwhile.
  mkdir -p "$work/code"
  cp "$here"/*.py "$work/code/"
  export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
  # Fewer page faults: torch frees and maps its buffers at every step otherwise.
  export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=20000000000 MALLOC_TOP_PAD_=268435456
  cd "$work/code"
  setsid nohup nice -n 19 "${PYTHON:-python3}" train_all.py --work "$work" "$@" </dev/null >>"$work/train_all.out" 2>&1 &
  pid=$!
  echo "$pid" >"$pid_file"
  sleep 10
  if ! running; then
    echo "it ended at once; the last lines of $work/train_all.out:" >&2
    tail -n 5 "$work/train_all.out" >&2
    exit 1
  fi
  # Linux shares the processor between sessions first: the nice value alone counts only inside one.
  # Not earlier: until setsid has run, the process still is in this session.
  echo "${TOKENFLOW_DEMO_SHARE:-19}" >"/proc/$pid/autogroup" 2>/dev/null || true
  echo "started as process $pid; log in $work/train_all.out"
  ;;
stop)
  if running; then
    kill -- "-$(ps -o pgid= -p "$(cat "$pid_file")" | tr -d ' ')"
  fi
  rm -f "$pid_file"
  ;;
status)
  running && echo "running as process $(cat "$pid_file")" || echo "not running"
  tail -n 3 "$work"/*.log 2>/dev/null || true
  ;;
*)
  echo "in-background.sh: $action is not start, stop or status" >&2
  exit 2
  ;;
esac
