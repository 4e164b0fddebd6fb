"""Which of the processes that train together this one is, told from its environment.

Fabric's launcher, torchrun and SLURM number the processes by these variables.
"""

from __future__ import annotations

import os


def is_first_process(processes: int) -> bool:
    """Return whether this is the process that makes, holds and writes the run folder.

    Parameters
    ----------
    processes
        How many train together, over all machines. One that trains alone is the first, whatever
        its environment says: it may be one of many trainings that a cluster started at once.
    """
    if processes == 1:
        return True
    if "RANK" in os.environ:
        return _is_zero("RANK")
    return _is_zero("SLURM_PROCID") and _is_zero("NODE_RANK") and _is_zero("LOCAL_RANK")


def is_first_on_machine(processes: int) -> bool:
    """Return whether this process reads the photographs before the others of its machine do."""
    return processes == 1 or (_is_zero("SLURM_LOCALID") and _is_zero("LOCAL_RANK"))


def _is_zero(name: str) -> bool:
    return os.environ.get(name, "0") == "0"
