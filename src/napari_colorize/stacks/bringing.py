"""A model on its way to the workers of a Dask cluster; needs the package distributed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from distributed import WorkerPlugin

from napari_colorize.files.writing import written_whole

if TYPE_CHECKING:
    from distributed import Worker


class BroughtModel(WorkerPlugin):
    """Puts the file of a model beside each worker, also those that come later."""

    def __init__(self, name: str, file: str, data: bytes) -> None:
        self.name = name
        self._file = file
        self._data = data

    def setup(self, worker: Worker) -> None:
        """Write the file, once."""
        place = Path(worker.local_directory) / self._file
        if not place.exists():
            with written_whole(place) as file:
                file.write(self._data)
