#!/bin/sh
# From the trained weights to a model folder with all that an edition needs, its evaluation, and its place in the project:
#   models/demo/train/candidate.sh make FOLDER            # weights of the work folder, samples, held-out images, words
#   models/demo/train/candidate.sh evaluate FOLDER [...]  # the gates; further arguments go to eval:demo, for example --quick
#   models/demo/train/candidate.sh adopt FOLDER           # replaces the embedded model; look at git diff, then commit
#
# make does not disturb a training that runs: it reads the checkpoint that the training last wrote. PYTHON names the
# interpreter (default python3), TOKENFLOW_DEMO_WORK the work folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
model=$(dirname "$here")
action=${1:-} folder=${2:-}
if [ -z "$folder" ]; then
  echo "candidate.sh needs make, evaluate or adopt, and a FOLDER" >&2
  exit 2
fi
shift 2
parts='judge scheduler text_encoder tokenizer unet vae model_index.json edit-defaults.json'
world='samples held-out vocabulary.json'

case $action in
make)
  mkdir -p "$folder"
  "${PYTHON:-python3}" "$here/export.py" --to "$folder" ${TOKENFLOW_DEMO_WORK:+--work "$TOKENFLOW_DEMO_WORK"}
  "${PYTHON:-python3}" "$here/edition.py" --to "$folder"
  ;;
evaluate)
  folder=$(cd "$folder" && pwd)
  cd "$model/../.."
  exec node --import tsx bench/demo-gates/main.ts --model "$folder" "$@"
  ;;
adopt)
  for part in $parts $world; do
    [ -e "$folder/$part" ] || { echo "candidate.sh: $folder has no $part; run make first" >&2; exit 1; }
  done
  for part in $parts $world; do
    # The descriptions that are not made by scripts stay.
    find "$model/$part" -type f ! -name README.md -exec rm -f {} +
    cp -R "$folder/$part" "$model/"
  done
  # A LoRA fits the weights that it was made for only: distil.py makes another.
  rm -f "$model"/loras/*.safetensors
  echo "Adopted. Still by hand: models/demo/README.md from models/demo/train/CARD.md, samples/README.md, loras/,"
  echo "the row of demo in docs/models.md, its goodFor in models/catalog.json, npm run docs:images, npm run screenshots, npm test."
  ;;
*)
  echo "candidate.sh: $action is not make, evaluate or adopt" >&2
  exit 2
  ;;
esac
