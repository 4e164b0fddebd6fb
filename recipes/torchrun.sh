#!/bin/sh
# Trains on several machines at once. Start it on each of them, with the number of the machine:
#
#   sh recipes/torchrun.sh 0        on the first machine, which writes the run folder
#   sh recipes/torchrun.sh 1        on the second, and so on
#
# The run folder lies on a disk that all machines see; each reads its own copy of the photographs,
# or the same. Killed or stopped, the same commands go on from the last checkpoint.
set -eu

NODES=2                       # change: how many machines
PROCESSES=1                   # change: how many GPUs each has
FIRST=10.0.0.1                # change: address of the first machine
PORT=29500                    # change if it is taken or closed
PHOTOGRAPHS=/data/shards      # change: folder of photographs, or of shards
RUN=/shared/run               # change: the run folder, on a disk that all see
CACHE=/scratch/cache          # change: folder on a disk of the machine itself

export NAPARI_COLORIZE_CACHE_LIMIT=200    # change: gigabytes that the cache may take there

exec torchrun --nnodes "$NODES" --node-rank "$1" --nproc-per-node "$PROCESSES" \
    --master-addr "$FIRST" --master-port "$PORT" \
    -m napari_colorize train "$PHOTOGRAPHS" --out "$RUN" --resume --cache "$CACHE" \
    --nodes "$NODES" --processes "$PROCESSES" --epochs 20 --batch-size 64
