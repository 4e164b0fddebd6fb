"""All planes of a lazy layer, coloured in the order of their row and written to the disk."""

from __future__ import annotations

import hashlib
import logging
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from napari.qt.threading import FunctionWorker, create_worker
from napari.utils.notifications import show_info, show_warning
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog

from napari_colorize.docks.activity import ActivityBar
from napari_colorize.docks.layers import RECORD
from napari_colorize.docks.lazy.opening import lazy_planes_of
from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.files.axes import SAMPLES, Axes
from napari_colorize.files.scale import Scale, step_of

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_colorize.files.axes import Place
    from napari_colorize.stacks.lazy_planes import Pyramid
    from napari_colorize.stacks.saving import Saved

log = logging.getLogger(__name__)
KINDS = "OME-Zarr (*.ome.zarr);;TIFF, BigTIFF where it is large (*.tif);;Folder of PNG files (*)"
STEPS = 1000  # of the bar


def save_lazy_layer(viewer: napari.Viewer) -> None:
    """Ask where to, and write all planes of the active lazy layer in colour.

    It returns at once. Progress and a way to cancel are in napari's activity dock; planes that are
    done are kept, and the same again goes on from there.
    """
    layer = viewer.layers.selection.active
    if layer is None or lazy_planes_of(layer) is None:
        show_warning(
            "No layer that is coloured as you look is active: click one in the list of layers, or "
            "make one in the Colorize dock."
        )
        return
    name, kind = QFileDialog.getSaveFileName(
        None, "Save all planes in colour", _file_name(layer.name), KINDS
    )
    if not name:
        return
    path = _with_suffix(Path(name), kind)
    # The dialog has asked already whether a file may be replaced.
    save_all(viewer, layer, path, overwrite=path.is_file())


def save_all(
    viewer: napari.viewer.Viewer, layer: Layer, path: Path, *, overwrite: bool = False
) -> Saving:
    """Write all planes of a lazy layer in colour, and return the work that was started.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    layer : Layer
        That `add_lazy_layer` gave.
    path : Path
        Its suffix says what is written, as for `open_store`. What an earlier run left there is
        gone on with.
    overwrite : bool
        Whether an older result may be replaced.

    Raises
    ------
    ColorizeError
        If the layer is none that is coloured as one looks.
    """
    planes = lazy_planes_of(layer)
    if planes is None:
        raise ColorizeError(
            f"{layer.name!r} is not coloured as you look: save it with File > Save Selected Layers."
        )
    pyramid = planes.pyramid
    steps = {
        letter: step_of(length, unit)
        for letter, length, unit in zip(pyramid.names, layer.scale, layer.units, strict=True)
    }
    job = Job(
        pyramid,
        path,
        dict(layer.metadata.get(RECORD, {})),
        {letter: step for letter, step in steps.items() if step is not None},
        overwrite,
    )
    saving = Saving(job, layer.name)
    saving.start()
    return saving


class PlanesLast:
    """The finest level of a pyramid, its planes along the last two axes, read one at a time."""

    def __init__(self, pyramid: Pyramid) -> None:
        self._data = pyramid.levels[0]
        self._names = pyramid.names
        self._outer = [letter for letter in pyramid.names if letter not in "yx"]
        lengths = dict(zip(pyramid.names, pyramid.shape(0), strict=True))
        names = "".join(self._outer) + "yx"
        samples = tuple(self._data.shape[-1:]) if pyramid.rgb else ()
        self.axes = Axes(
            names + SAMPLES * pyramid.rgb, (*(lengths[letter] for letter in names), *samples)
        )

    def __getitem__(self, place: Place) -> NDArray[Any]:
        """Return one plane, (H, W) or (H, W, 3 or 4)."""
        index = dict(zip(self._outer, place, strict=True))
        return np.asarray(self._data[tuple(index.get(name, slice(None)) for name in self._names)])


@dataclass(frozen=True)
class Job:
    """What is to be written, and where to."""

    pyramid: Pyramid
    path: Path
    record: dict[str, Any]
    scale: Scale
    overwrite: bool = False

    def save(self, progress: Any, cancel: Any) -> Saved:
        """Colour the planes in the order of their row and write them, those that are not there."""
        from napari_colorize.color.steering import Steering
        from napari_colorize.files.plane_store import open_store
        from napari_colorize.stacks.api import stack_planes
        from napari_colorize.stacks.saving import save_planes

        stack, pyramid = PlanesLast(self.pyramid), self.pyramid
        record = {**self.record, "first plane": _hash_of_first(stack)}
        store = open_store(
            self.path, stack.axes, record, overwrite=self.overwrite, scale=self.scale
        )
        with closing(store):
            progress(len(store.done), stack.axes.planes)
            planes = stack_planes(
                stack,
                stack.axes,
                steering=Steering((), pyramid.vividness),
                coherent=pyramid.coherent,
                contrast_limits=pyramid.contrast_limits,
                model=pyramid.model,
                device=pyramid.device,
                done=store.done,
                cancel=cancel,
            )
            return save_planes(planes, store, progress=progress)


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
            self._finished.emit(False, str(error))
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
        "": "drag the folder into napari",
    }
    how = opened[".tif" if saved.path.suffix == ".tiff" else saved.path.suffix]
    text = f"All planes are in {saved.path}. To open it: {how}."
    if saved.gaps:
        place, reason = saved.gaps[0]
        named = ", ".join(map(str, place))
        text += f" {len(saved.gaps)} of them are black; plane {named}: {reason}"
    return text


def _hash_of_first(stack: PlanesLast) -> str:
    """Return a hash of the first plane, empty if it cannot be read: layers may have one name."""
    try:
        plane = stack[(0,) * len(stack.axes.outer)]
    except Exception:  # told when the plane is to be coloured
        return ""
    return hashlib.sha256(np.ascontiguousarray(plane).tobytes()).hexdigest()


def _file_name(layer: str) -> str:
    """Return a name for the file of a layer."""
    stem = "".join(c if c.isalnum() or c in " -_.[]" else "_" for c in layer).strip(" .")
    return f"{stem or 'colorized'}.ome.zarr"


def _with_suffix(path: Path, kind: str) -> Path:
    """Return the path with the suffix of the kind that was chosen, if it has none that is known."""
    known = {".zarr", ".tif", ".tiff"}
    if path.suffix.lower() in known or kind.startswith("Folder"):
        return path
    suffix = ".tif" if kind.startswith("TIFF") else ".ome.zarr"
    return path.with_name(path.name + suffix)
