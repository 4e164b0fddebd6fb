"""All planes of a coloured stack written to the disk, in a thread."""

from __future__ import annotations

import logging
import threading
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from napari.qt.threading import FunctionWorker, create_worker
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QInputDialog

from napari_colorize.docks.activity import ActivityBar
from napari_colorize.docks.layers import RECORD
from napari_colorize.docks.lazy.jobs import Job, job_of, movie_there, names_of, refusal
from napari_colorize.docks.movie_reader import MOVIE
from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.files.stacks.plane_store import RATE
from napari_colorize.files.stacks.scale import step_of

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

    from napari_colorize.stacks.saving import Saved

log = logging.getLogger(__name__)
KINDS = (
    "OME-Zarr (*.ome.zarr)",
    "TIFF, BigTIFF where it is large (*.tif)",
    "Folder of PNG files (*)",
)
MOVIE_KIND = "Movie (*.mp4)"
SLOWEST, FASTEST = 0.1, 1000.0  # frames a second
STEPS = 1000  # of the bar
_OPTION = ", or let it be overwritten"  # is one of Python and the shell


def save_stack(viewer: napari.Viewer) -> None:
    """Ask where to, and write all planes of the active coloured stack.

    A layer that is coloured as one looks is coloured whole; one that holds its colours is written
    as it is, also while it grows. It returns at once. Progress and a way to cancel are in napari's
    activity dock; planes that are done are kept, and the same again goes on from there.
    """
    layer = viewer.layers.selection.active
    reason = refusal(layer)
    if layer is None or reason:
        show_warning(reason)
        return
    is_row = len(names_of(layer)) == 3
    kinds = [MOVIE_KIND, *KINDS] if movie_there(layer) else [*KINDS, *[MOVIE_KIND] * is_row]
    suffix = ".mp4" if kinds[0] == MOVIE_KIND else ".ome.zarr"
    name, kind = QFileDialog.getSaveFileName(
        None, "Save all planes in colour", _file_name(layer.name, suffix), ";;".join(kinds)
    )
    if not name:
        return
    chosen = Path(name)
    path, rate = _with_suffix(chosen, kind), None
    if path != chosen and path.is_file():  # the dialog asked about the name without suffix
        show_warning(f"{path} exists already: choose another name.")
        return
    if path.suffix.lower() == ".mp4" and movie_there(layer) is None:
        rate = _asked_rate(layer)
        if rate is None:
            return
    try:
        # The dialog has asked already whether a file may be replaced.
        save_all(viewer, layer, path, overwrite=path.is_file(), rate=rate)
    except ColorizeError as error:
        show_warning(str(error))


def save_all(
    viewer: napari.viewer.Viewer,
    layer: Layer,
    path: Path,
    *,
    overwrite: bool = False,
    rate: Fraction | None = None,
) -> Saving:
    """Write all planes of a coloured stack, and return the work that was started.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    layer : Layer
        That `add_lazy_layer` gave, or that the Colorize dock made of a whole stack.
    path : Path
        Its suffix says what is written, as for `open_store`. What an earlier run left there is
        gone on with. An .mp4 has the times and the sound of the movie that was coloured.
    overwrite : bool
        Whether an older result may be replaced.
    rate : Fraction, optional
        Frames a second of an .mp4, which then has no sound.

    Raises
    ------
    ColorizeError
        If the layer is no stack in colour, or its movie would be replaced.
    """
    saving = Saving(job_of(layer, path, overwrite=overwrite, rate=rate), layer.name)
    saving.start()
    return saving


class Saving(QObject):
    """Planes that are being written.

    Attributes
    ----------
    ended : Signal(str)
        How it ended, a sentence for people.
    """

    ended = Signal(str)
    _progressed = Signal(int, int)
    _finished = Signal(bool, str)
    # It lives until it ends, whoever else forgets it.
    _living: ClassVar[set[Saving]] = set()

    def __init__(self, job: Job, name: str) -> None:
        super().__init__()
        self.job = job
        self._name = name
        self._wanted_out = threading.Event()
        self._worker: FunctionWorker[None] | None = None
        self._bar: ActivityBar | None = None
        self._progressed.connect(self._show)
        self._finished.connect(self._end)

    def __repr__(self) -> str:
        """Return what napari says about it when it asks whether to close."""
        return f"the saving of {self._name}"

    def start(self) -> None:
        """Start writing in a thread."""
        self._bar = ActivityBar(
            total=STEPS, desc=f"Saving {self._name}", cancel_callback=self.cancel
        )
        self._worker = create_worker(self._work, _start_thread=False)
        self._living.add(self)
        self._worker.finished.connect(self.deleteLater)
        self._worker.start()

    def cancel(self) -> None:
        """Ask it to end; planes that are written stay for the next run."""
        self._wanted_out.set()

    @property
    def abandoned(self) -> bool:
        """Whether the viewer is being closed: napari has asked the worker to quit."""
        return self._worker is not None and self._worker.abort_requested

    def _cancelled(self) -> bool:
        return self._wanted_out.is_set() or self.abandoned

    def _work(self) -> None:
        """Write all planes: the thread."""
        again = "The planes that are done are kept: save to the same place again to go on."
        try:
            saved = self.job.save(self._progressed.emit, self._cancelled)
            self._finished.emit(not saved.gaps, _sentence(saved))
        except Cancelled:
            self._finished.emit(False, f"Saving was cancelled. {again}")
        except ColorizeError as error:
            self._finished.emit(False, str(error).replace(_OPTION, ""))
        except Exception as error:
            # A thread must not die silently; what went wrong is for the log, the gist for people.
            log.exception("saving failed")
            gist = str(error).strip().splitlines() or ["no reason was given"]
            text = f"Saving failed ({type(error).__name__}): {gist[0]}. {again}"
            self._finished.emit(False, text)

    def _show(self, done: int, planes: int) -> None:
        if self._bar is not None and not self.abandoned:
            self._bar.update(round(STEPS * done / planes) - self._bar.n)

    def _end(self, well: bool, text: str) -> None:
        self._living.discard(self)
        if self.abandoned:
            return
        if self._bar is not None:
            self._bar.close()
        (show_info if well else show_warning)(text)
        self.ended.emit(text)


def _sentence(saved: Saved) -> str:
    """Return where a result lies, how to open it, and what is missing in it."""
    opened = {
        ".zarr": "drag the folder into a napari with the plugin napari-ome-zarr, or zarr.open(…) "
        "in Python",
        ".tif": "drag the file into napari, or tifffile.imread(…) in Python",
        ".mp4": "any player shows it",
        "": "drag the folder into napari",
    }
    how = opened[".tif" if saved.path.suffix == ".tiff" else saved.path.suffix]
    text = f"All planes are in {saved.path}. To open it: {how}."
    if saved.gaps:
        place, reason = saved.gaps[0]
        named = ", ".join(map(str, place))
        instead = "show the plane before" if saved.path.suffix == ".mp4" else "are black"
        text += f" {len(saved.gaps)} of them {instead}; plane {named}: {reason}"
    return text


def _asked_rate(layer: Layer) -> Fraction | None:
    """Return the frames a second that a person wants of a movie, None if they want none of it."""
    step = step_of(layer.scale[0], str(layer.units[0]))
    told = 1 / step.size if step is not None and step.unit == "second" else float(RATE)
    gone = layer.metadata.get(RECORD, {}).get(MOVIE)
    silent = f" ({Path(gone).name} is not there any more: there will be no sound)" if gone else ""
    rate, wanted = QInputDialog.getDouble(
        None,
        "Save as a movie",
        f"Frames a second{silent}",
        min(max(told, SLOWEST), FASTEST),
        SLOWEST,
        FASTEST,
        3,
    )
    return Fraction(rate).limit_denominator(1001) if wanted else None


def _file_name(layer: str, suffix: str) -> str:
    """Return a name for the file of a layer."""
    stem = "".join(c if c.isalnum() or c in " -_.[]" else "_" for c in layer).strip(" .")
    return f"{stem or 'colorized'}{suffix}"


def _with_suffix(path: Path, kind: str) -> Path:
    """Return the path with the suffix of the kind that was chosen, if it has none that is known."""
    known = {".zarr", ".tif", ".tiff", ".mp4"}
    if path.suffix.lower() in known or kind.startswith("Folder"):
        return path
    suffixes = {"TIFF": ".tif", "Movie": ".mp4"}
    suffix = next((s for word, s in suffixes.items() if kind.startswith(word)), ".ome.zarr")
    return path.with_name(path.name + suffix)
