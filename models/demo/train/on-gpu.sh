#!/bin/sh
# Trains the whole model on a GPU within a given time:
#   models/demo/train/on-gpu.sh --minutes N [--resume FILE] --out DIR [--rehearse]
#
# Renders on all cores, trains autoencoder, judge, text encoder and UNet on CUDA, and leaves in DIR (at most 8 files of at
# most 15 MiB): model.tar.part-00 ... (the model folder, half precision; packed.py join puts it together), sheet.png and
# log.txt. FILE is one that packed.py packed. --rehearse does the same with tiny sizes on the CPU within a minute.
# PYTHON names the interpreter (default python3); TOKENFLOW_DEMO_WORK the scratch folder (default: a new one).
set -u
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONUNBUFFERED=1
export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True
work=${TOKENFLOW_DEMO_WORK:-$(mktemp -d)}
export TOKENFLOW_DEMO_WORK=$work
export TORCHINDUCTOR_CACHE_DIR="$work/compiled" # as in early.sh
out=
minutes=
previous=
grace=10
for argument in "$@"; do
  [ "$previous" = --out ] && out=$argument
  [ "$previous" = --minutes ] && minutes=$argument
  [ "$argument" = --rehearse ] && grace=600 # on a machine that may be busy
  previous=$argument
done
if [ -z "$out" ] || [ -z "$minutes" ]; then
  echo "on-gpu.sh needs --minutes N and --out DIR" >&2
  exit 2
fi
TOKENFLOW_DEMO_STARTED=$(date +%s) # before the interpreter and its libraries are loaded
export TOKENFLOW_DEMO_STARTED
mkdir -p "$out"
out=$(cd "$out" && pwd)
seconds=$("$python" -c "import sys; print(round(60 * float(sys.argv[1])))" "$minutes") || exit 2
# The driver ends by itself; this ends it where something hangs, and what was made is still brought out.
timeout -k 5 $((seconds + grace)) "$python" "$here/on_gpu.py" "$@" >"$out/log.txt" 2>&1
status=$?
if [ ! -f "$out/model.tar.part-00" ]; then
  echo "the driver left no model (status $status); exporting what its checkpoints hold" >>"$out/log.txt"
  timeout -k 5 60 "$python" "$here/on_gpu.py" "$@" --salvage >>"$out/log.txt" 2>&1
fi
tail -n 40 "$out/log.txt"
ls -l "$out"
[ -f "$out/model.tar.part-00" ] || [ -f "$out/networks.xz.part-00" ]
