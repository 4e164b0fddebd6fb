"""Train `palette` on a quarter, half and all of the photographs, to see what more would bring.

::

    python recipes/learning_curve.py PHOTOGRAPHS VALIDATION RUNS [--crops 36000]

Each training starts as `start.py` says and sees the same number of crops, of 64 px, so that only
how many photographs they come from differs. It prints how far each is over grey on the validation
photographs and on as many of its own: where the two differ much more photographs help, where they
hardly differ more hours do.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from start import write_start

from napari_colorize.api import evaluate, train_here
from napari_colorize.files.pictures import find_pictures
from napari_colorize.runs.config import TrainingConfig
from napari_colorize.runs.folder import RunFolder

ONE_IN = (4, 2, 1)
LIMIT = 150


def main() -> None:
    """Train and print a line for each share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--crops", type=int, default=36_000)
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()

    start = asked.runs / "start.safetensors"
    write_start(start, {})
    photographs = find_pictures(asked.photographs)
    print("photographs, epochs: PSNR over grey on validation, on what was learned from")
    for one_in in ONE_IN:
        folder = asked.runs / f"one-in-{one_in}"
        count = link(photographs[::one_in], folder)
        settings = {
            "folder": folder, "validation": asked.validation, "network": "palette",
            "epochs": max(1, round(asked.crops / count)), "crop": 64, "working_size": 80,
            "threads": 1, "processes": asked.processes, "learning_rate": 1e-3,
            "encoder_rate": 0.15, "warmup": 50, "rehearsal": 0, "init": str(start),
        }  # fmt: skip
        run = RunFolder(asked.runs / f"run-{one_in}")
        run.create(TrainingConfig(**settings))
        print(train_here(run))
        gains = [gain(kind, run.best_model) for kind in (asked.validation, folder)]
        print(f"{count:,}, {settings['epochs']}: {gains[0]:+.2f} dB, {gains[1]:+.2f} dB")


def link(photographs: list[Path], folder: Path) -> int:
    """Fill a folder with links to photographs; return how many."""
    folder.mkdir(parents=True)
    for number, photograph in enumerate(photographs):
        (folder / f"{number:06d}{photograph.suffix}").symlink_to(photograph.resolve())
    return len(photographs)


def gain(folder: Path, model: Path) -> float:
    """Return PSNR over grey at vividness 0."""
    rows = evaluate(folder, model=model, device="cpu", limit=LIMIT).to_dict()["rows"]
    return float(rows["vividness 0"]["psnr"] - rows["grey"]["psnr"])


if __name__ == "__main__":
    main()
