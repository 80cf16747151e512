#!/bin/sh
# Renders and trains the autoencoder while the parts for a borrowed machine are still being brought; on-gpu.sh goes on from
# its checkpoint:
#   models/demo/train/early.sh start --count N [--resume FILE]     # N pictures; both go on in the background
#   models/demo/train/early.sh stop                                # the training; the renderer ends by itself
#
# PYTHON names the interpreter (default python3); TOKENFLOW_DEMO_WORK the scratch folder, which on-gpu.sh needs as well.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
work=${TOKENFLOW_DEMO_WORK:?early.sh needs TOKENFLOW_DEMO_WORK, the folder that on-gpu.sh will use}
pid_file=$work/early.pid
action=${1:-}
[ $# -gt 0 ] && shift

alive() {
  [ -f "$pid_file" ] && kill -s 0 -- "-$(cat "$pid_file")" 2>/dev/null
}

case $action in
start)
  count='' resume=''
  while [ $# -gt 1 ]; do
    case $1 in
    --count) count=$2 ;;
    --resume) resume=$2 ;;
    *) break ;;
    esac
    shift 2
  done
  if [ $# -gt 0 ] || [ -z "$count" ]; then
    echo "early.sh start needs --count N, and takes --resume FILE besides" >&2
    exit 2
  fi
  mkdir -p "$work"
  [ -z "$resume" ] || "$python" "$here/packed.py" unpack "$resume" --work "$work"
  export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONUNBUFFERED=1
  export TORCHINDUCTOR_CACHE_DIR="$work/compiled" # what is compiled here, on-gpu.sh need not compile again
  cores=$(getconf _NPROCESSORS_ONLN)
  setsid nohup nice "$python" "$here/dataset.py" --work "$work" --count "$count" --processes $((cores > 1 ? cores - 1 : 1)) \
    </dev/null >"$work/render.out" 2>&1 &
  enough=$((count * 2 / 3 < 1500 ? count * 2 / 3 : 1500))
  setsid nohup sh -c '
    while [ "$(cat "$3/rendered.txt" 2>/dev/null || echo 0)" -lt "$4" ]; do sleep 1; done
    exec "$1" "$2/train_vae.py" --work "$3" --wall --report-seconds 15 --save-seconds 10
  ' early "$python" "$here" "$work" "$enough" </dev/null >"$work/early.out" 2>&1 &
  echo $! >"$pid_file"
  ;;
stop)
  if alive; then
    kill -- "-$(cat "$pid_file")"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      alive || break
      sleep 1
    done
    if alive; then
      kill -s KILL -- "-$(cat "$pid_file")"
    fi
  fi
  rm -f "$pid_file"
  tail -n 5 "$work/early.out" 2>/dev/null || echo "early.sh: no training had been started"
  ;;
*)
  echo "early.sh: $action is not start or stop" >&2
  exit 2
  ;;
esac
