"""The curves and previews of a run, written for TensorBoard beside what the run folder holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from napari_colorize.errors import TrainingError
from napari_colorize.runs.events import Event, PreviewWritten, Started, Step, Validated

if TYPE_CHECKING:
    from napari_colorize.runs.folder import RunFolder

FOLDER = "tensorboard"


class TensorBoardLog:
    """Writes events as they come; all is drawn over the steps.

    Parameters
    ----------
    run : RunFolder
        ``tensorboard --logdir`` takes its folder, or the one that many runs lie in.

    Raises
    ------
    TrainingError
        If TensorBoard is not installed.
    """

    def __init__(self, run: RunFolder) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TrainingError(
                "TensorBoard cannot be loaded; install it (pip install tensorboard) or train "
                f"without it: {error}"
            ) from error
        self._make_writer = SummaryWriter
        self._run = run
        self._writer: Any = None
        self._steps_per_epoch = 1

    def __call__(self, event: Event) -> None:
        """Write an event, if there is something to draw."""
        if isinstance(event, Started):
            self._start(event)
        if self._writer is None:
            return
        if isinstance(event, Step):
            told = {"loss": event.loss, "learning rate": event.learning_rate}
            self._draw("training", told | {"photographs a second": event.rate}, event.step)
        elif isinstance(event, Validated):
            told = {"loss": event.loss, "PSNR": event.psnr, "PSNR left grey": event.psnr_grey}
            self._draw("check", told, event.epoch * self._steps_per_epoch)
        elif isinstance(event, PreviewWritten):
            self._show(event)

    def close(self) -> None:
        """Write what is not yet on the disk."""
        if self._writer is not None:
            self._writer.close()

    def _start(self, event: Started) -> None:
        """Open the log; what came after the step that is gone on from is forgotten."""
        self.close()
        self._steps_per_epoch = event.steps_per_epoch
        self._writer = self._make_writer(str(self._run.path / FOLDER), purge_step=event.step + 1)

    def _draw(self, group: str, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)

    def _show(self, event: PreviewWritten) -> None:
        step = event.epoch * self._steps_per_epoch
        for path in sorted((self._run.path / event.folder).glob("*.png")):
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
            self._writer.add_image(f"previews/{path.stem}", pixels, step, dataformats="HWC")
        self._writer.flush()
