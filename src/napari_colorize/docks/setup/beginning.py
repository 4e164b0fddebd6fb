"""Beginning a training: its pictures, its run folder and its process; or nothing of it stays."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_colorize.docks.setup.layer_pictures import put_into
from napari_colorize.docks.setup.run_place import free_folder
from napari_colorize.errors import ColorizeError
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.making import make_or_resume
from napari_colorize.runs.process import start_training
from napari_colorize.runs.storage import data_folder


@dataclass(frozen=True)
class Beginning:
    """A training that is to begin; calling it touches files and no widget.

    Attributes
    ----------
    run
        The folder that is to be made.
    settings
        Those of the training, ``"folder"`` among them.
    source
        Where the pictures of layers lie that are to be kept in that folder; None where the
        photographs are in it already.
    """

    run: RunFolder
    settings: dict[str, Any]
    source: Path | None = None

    def __call__(self) -> RunFolder:
        """Make the run and start it.

        Raises
        ------
        ColorizeError
            If that is not possible; nothing that was made for it is left then.
        """
        with self._pictures():
            make_or_resume(self.run, self.settings, resume=False)
            try:
                start_training(self.run)
            except ColorizeError:
                _take_back(self.run)
                raise
        return self.run

    @contextlib.contextmanager
    def _pictures(self) -> Iterator[None]:
        """Keep the pictures of layers, unless the run cannot be begun."""
        if self.source is None:
            yield
            return
        target = Path(self.settings["folder"])
        put_into(self.source, target)
        try:
            yield
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise


def free_pictures_folder(run: Path | None) -> Path:
    """Return where the pictures of layers are to be kept for a run, which may be moved about.

    Nothing is there yet: names of runs come round again, and the pictures of another training
    must not be learned from.
    """
    return free_folder(data_folder() / "pictures" / ("layers" if run is None else run.name))


def _take_back(run: RunFolder) -> None:
    """Remove a run that was made and not started: its name is free for the next try."""
    with contextlib.suppress(OSError):
        for file in (run.config_file, run.process_file, run.log):
            file.unlink(missing_ok=True)
        run.path.rmdir()
