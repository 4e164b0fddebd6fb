#!/usr/bin/env bash
# Trains the bundled `plain` anew, twice: by the founding recipe, and to the best it can give.
#
#   recipes/plain.sh PHOTOGRAPHS VALIDATION RUNS
#
# PHOTOGRAPHS and VALIDATION are folders of colour photographs, RUNS is where the run folders go.
# An interrupted call goes on where it was. Options: EPOCHS_FOUNDING (50), EPOCHS_BEST (20) and
# EPOCHS_SECOND (10). The bundled weights come from 6, 4 and 2, see docs/models.md.
set -euo pipefail
photographs=$1 validation=$2 runs=$3

# The founding recipe: squared error, 21,000 photographs, 50 epochs.
napari-colorize train "$photographs" --validation "$validation" --out "$runs/founding" --resume \
    --network plain --loss squared --photographs 21000 --epochs "${EPOCHS_FOUNDING:-50}" \
    --working-size 96 --crop 64 --learning-rate 0.0005

# The best: Huber's loss, all photographs.
napari-colorize train "$photographs" --validation "$validation" --out "$runs/best" --resume \
    --network plain --loss huber --epochs "${EPOCHS_BEST:-20}" \
    --working-size 96 --crop 64 --learning-rate 0.0006

# A second leg from there, with a new warm-up and cosine.
napari-colorize train "$photographs" --validation "$validation" --out "$runs/best-2" --resume \
    --network plain --loss huber --epochs "${EPOCHS_SECOND:-10}" \
    --working-size 96 --crop 64 --learning-rate 0.0004 --init "$runs/best/best.safetensors"
