"""Stand-in for the training process: tells scripted events in a run folder.

``python fake_training.py MODE RUN [--resume]``; the modes are the keys of `MODES`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING

from napari_colorize.runs.events import (
    Failed,
    Finished,
    Healed,
    Preparing,
    Started,
    Step,
    Stopped,
    Validated,
)
from napari_colorize.runs.folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

EPOCHS, STEPS = 3, 10


def write_model(path: Path, weight: bytes = b"\0\0\0\0") -> None:
    """Write the smallest model file that there can be."""
    card = {
        "version": 1,
        "name": "fake",
        "network": "plain",
        "settings": {},
        "working_size": 128,
        "hash": hashlib.sha256(weight).hexdigest(),
    }
    header = {
        "__metadata__": {"card": json.dumps(card)},
        "weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
    }
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + weight)


def begin(run: RunFolder, step: int) -> None:
    """Tell what comes before the first step."""
    run.append(Preparing(12, 24))
    left_out = {"grey or sepia": 2, "unreadable": 1, "too small": 0}
    run.append(
        Started("cpu", "no GPU", "32-true", 21, 3, left_out, EPOCHS, STEPS, step, os.getpid())
    )


def steps(run: RunFolder, first: int, last: int) -> None:
    """Tell the steps first..last and the epochs that end among them."""
    for step in range(first, last + 1):
        epoch = (step - 1) // STEPS + 1
        remaining = float(EPOCHS * STEPS - step)
        run.append(Step(step, EPOCHS * STEPS, epoch, 1 / step, 1e-3, 41.0, remaining))
        if step % STEPS == 0:
            run.append(Validated(epoch, 0.9 / step, 20.0 + epoch, 19.5, True))


def whole(run: RunFolder, resume: bool) -> None:
    """Train to the end; a resume begins in the second epoch."""
    begin(run, STEPS if resume else 0)
    steps(run, STEPS + 1 if resume else 1, EPOCHS * STEPS)
    run.append(Healed("out of memory", 16, 2))
    write_model(run.best_model)
    run.append(Finished(EPOCHS, 3, 0.03, run.best_model.name, "all epochs are done"))


def until_stopped(run: RunFolder, resume: bool) -> None:
    """Train half an epoch at most, then wait for the stop file."""
    if resume:
        whole(run, resume)
        return
    begin(run, 0)
    steps(run, 1, STEPS + 5)
    while not run.stop_requested():
        time.sleep(0.02)
    run.append(Stopped(STEPS + 5, "stopped as asked; resume to go on"))


def be_deaf(run: RunFolder, resume: bool) -> None:
    """Train half an epoch and never look whether anyone wants it to stop."""
    if resume:
        whole(run, resume)
        return
    begin(run, 0)
    steps(run, 1, STEPS + 5)
    time.sleep(600)


def crash(run: RunFolder, resume: bool) -> None:
    """Train a little, complain, and end without a word."""
    begin(run, 0)
    steps(run, 1, 5)
    print("Segmentation fault in /very/long/path", flush=True)
    os._exit(9)


def fail(run: RunFolder, resume: bool) -> None:
    """Find no photographs."""
    print("Only 1 usable photograph. Choose another folder.", flush=True)
    run.append(Failed("DataError", "Only 1 usable photograph.", "Choose another folder."))


def babble(run: RunFolder, resume: bool) -> None:
    """Write garbage between the events."""
    with run.events_file.open("ab") as file:
        file.write(b'\xff\x00\xfe\n{"event": "sang"}\n[[[[\n{"event": "step", "st\n')
    whole(run, resume)


MODES = {
    "whole": whole,
    "stop": until_stopped,
    "deaf": be_deaf,
    "crash": crash,
    "fail": fail,
    "babble": babble,
}

if __name__ == "__main__":
    folder = RunFolder(sys.argv[2])
    with folder.claim():
        MODES[sys.argv[1]](folder, "--resume" in sys.argv)
