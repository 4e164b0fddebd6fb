"""The child process of a training: ``python -m napari_colorize.training RUN [--resume]``."""

from __future__ import annotations

import argparse
import os
import sys

from napari_colorize.errors import ColorizeError
from napari_colorize.runs.events import Failed, Finished, Stopped
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.ranks import is_first_process
from napari_colorize.training.run import run_training


def main() -> int:
    """Train in a run folder; return 0 when finished, 1 when failed, 130 when stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="a run folder with its config.json")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    arguments = parser.parse_args()
    if sys.flags.safe_path:  # also for the processes that Fabric starts
        os.environ["PYTHONSAFEPATH"] = "1"
    run = RunFolder(arguments.run)
    try:
        config = run.read_config()
        before = run.last_event()
        last = run_training(run, resume=arguments.resume)
    except ColorizeError as error:
        print(error, file=sys.stderr)
        return 1
    if isinstance(last, Failed):
        print(f"{last.message} {last.advice}".strip(), file=sys.stderr)
        return 1
    if isinstance(last, Finished) and last == before:
        print(f"The run has finished already: {last.reason}.")
    # Of the others any status but 0 is a failure to Fabric, which then kills the first at once.
    first = is_first_process(config.processes * config.nodes)
    return 130 if first and isinstance(last, Stopped) else 0


if __name__ == "__main__":
    sys.exit(main())
