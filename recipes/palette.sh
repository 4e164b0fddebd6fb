#!/usr/bin/env bash
# Trains the bundled `palette` anew: small crops first, larger ones at the end.
#
#   recipes/palette.sh PHOTOGRAPHS VALIDATION RUNS
#
# PHOTOGRAPHS and VALIDATION are folders of colour photographs, RUNS is where the run folders go.
# An interrupted call goes on where it was. Options: EPOCHS_SMALL (40), EPOCHS_LARGE (8) and
# PROCESSES (1; 2 single-thread processes suit two quiet cores). docs/models.md tells what the
# bundled weights come from. Afterwards:
#
#   python recipes/bundle.py RUNS/palette-large/best.safetensors VALIDATION \
#       --facts recipes/palette.json --out src/napari_colorize/weights/palette.safetensors
set -euo pipefail
photographs=$1 validation=$2 runs=$3
together=(--processes "${PROCESSES:-1}")
[[ ${PROCESSES:-1} == 1 ]] || together+=(--threads 1)

# Leg 1: crops of 64 px of photographs whose short side is 80 px.
napari-colorize train "$photographs" --validation "$validation" --out "$runs/palette-small" \
    --resume --network palette --epochs "${EPOCHS_SMALL:-40}" "${together[@]}" \
    --crop 64 --working-size 80 --learning-rate 0.0012

# Leg 2, from the weights of leg 1: crops of 112 px of 128 px.
napari-colorize train "$photographs" --validation "$validation" --out "$runs/palette-large" \
    --resume --network palette --epochs "${EPOCHS_LARGE:-8}" "${together[@]}" \
    --crop 112 --working-size 128 --learning-rate 0.0003 \
    --init "$runs/palette-small/best.safetensors" --rehearsal 0
