"""What was painted is written down at every change, and comes back with its picture."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication

from napari_colorize.color.steering import AnyHint, Steering
from napari_colorize.docks.errand import run_errand
from napari_colorize.docks.life import Life
from napari_colorize.docks.steering.hints.late_writer import LateWriter
from napari_colorize.docks.steering.hints.picture_key import picture_key
from napari_colorize.errors import ColorizeError, PictureError, StorageError
from napari_colorize.files.steering_file import Saved, read_steering, write_steering
from napari_colorize.runs.storage import data_folder

if TYPE_CHECKING:
    from napari_colorize.docks.layers import Source
    from napari_colorize.docks.steering.hints.hint_layers import HintLayers
    from napari_colorize.docks.steering.session.session import Session

Place = tuple[int, ...]
_ASIDE = ".unreadable"
_PATIENCE = 5.0  # seconds that a slow disk may hold up the end; its thread goes on


@dataclass(frozen=True)
class Found:
    """What was kept for a picture: its key, and what the files say, if there are any.

    `problem` tells why a file that is there could not be read.
    """

    key: str
    saved: Saved | None = None
    problem: str = ""


def kept_file(key: str) -> Path:
    """Return where the hints of a picture are kept."""
    return data_folder() / "hints" / f"{key}.json"


def beside(picture: Path) -> Path:
    """Return the file of hints beside the file of a picture."""
    return picture.with_name(f"{picture.stem}.hints.json")


class KeptHints(QObject):
    """Keeps the steering of a session in a file of the user's data, named after the pixels.

    What was kept before comes back as soon as it is found; what was painted meanwhile stays.

    Parameters
    ----------
    session : Session
    hint_layers : HintLayers
        They know the hints of other planes.

    Attributes
    ----------
    came_back : Signal(str)
        What was kept is there again; the sentence tells it.
    problem_changed : Signal(str)
        Why it cannot be written or read, in a sentence; empty when it can.
    """

    came_back = Signal(str)
    problem_changed = Signal(str)
    _told = Signal(str)

    def __init__(self, session: Session, hint_layers: HintLayers) -> None:
        super().__init__()
        self._session = session
        self._hint_layers = hint_layers
        self._life = Life(self)
        self._key = ""
        self._beside: Path | None = None
        self._before = Saved()
        self._unjoined: Saved | None = None  # found only when all was over
        self._files: Files | None = None
        self._problem = ""
        self._is_changed = False
        self._is_closed = False
        # Another command, or the layers of an earlier session, said already what is wanted.
        self._is_begun = session.steering != Steering()
        self._search = 0
        self._shape = session.source.shape
        self._told.connect(self._hear_writer)
        self._writer = LateWriter(self._tell_from_thread)
        session.changed.connect(self._keep)
        session.ended.connect(self.close)
        session.looked_anew.connect(self._find)
        session.layer.events.data.connect(self._forget)
        hint_layers.elsewhere_changed.connect(self._keep)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.close)
        self._find()

    @property
    def problem(self) -> str:
        """Why the hints cannot be written or read, in a sentence; empty when they can."""
        return self._problem

    @property
    def file(self) -> Path | None:
        """Where the hints are kept; None as long as the picture is not yet looked at."""
        return kept_file(self._key) if self._key else None

    def keep_beside(self, picture: str | Path) -> None:
        """Write NAME.hints.json beside a saved picture, now and at every change.

        A file of that name which is not of the same picture stays as it is.
        """
        path = beside(Path(picture))
        if path.is_file() and not self._is_ours(path):
            self._tell(
                f"'{path.name}' is there already and not of this picture: the hints are kept, but "
                "not beside what was saved. Save under another name to have them there."
            )
            return
        self._beside = path
        self._keep()

    def _is_ours(self, path: Path) -> bool:
        try:
            return bool(self._key) and read_steering(path).picture.get("hash") == self._key
        except PictureError:
            return False

    def close(self) -> None:
        """Write what is not yet written, and follow the session no more."""
        if self._is_closed:
            return
        self._hint_layers.look()
        if not self._key and self._is_changed:
            self._find_at_once()
        if self._is_changed:
            self._write()
        self._is_closed = True
        self._session.changed.disconnect(self._keep)
        self._session.ended.disconnect(self.close)
        self._session.looked_anew.disconnect(self._find)
        self._session.layer.events.data.disconnect(self._forget)
        self._hint_layers.elsewhere_changed.disconnect(self._keep)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.disconnect(self.close)
        self._writer.flush(_PATIENCE)

    def _find(self) -> None:
        """Look for what was kept of the picture as it is now."""
        source, search = self._session.source, self._search
        self._shape = source.shape

        def take(found: Found) -> None:
            if search == self._search:
                self._take(found)

        run_errand(lambda: _found(source), take, self._tell)

    def _forget(self, _: Any = None) -> None:
        """Leave the file of a picture whose values are others now; they have one of their own."""
        self._search += 1
        self._key, self._beside, self._is_changed = "", None, False
        self._before, self._unjoined = Saved(), None
        self._is_begun = False

    def _keep(self, *news: Any) -> None:
        if self._is_closed or self._life.over:
            return
        if self._session.source.shape != self._shape:
            self._forget()
            self._shape = self._session.source.shape
        self._is_changed = True
        if self._key:
            self._write()

    def _write(self) -> None:
        saved = self._saved()
        places = [kept_file(self._key), *([] if self._beside is None else [self._beside])]
        files = self._files
        assert files is not None
        self._writer.put(lambda: files.write(places, saved))

    def _saved(self) -> Saved:
        session, layers = self._session, self._hint_layers
        # The session may have ended before its last hints were looked at.
        planes = {**layers.elsewhere, session.place or (): layers.hints}
        steering = replace(session.steering, hints=planes.pop(session.place or ()))
        picture = {
            "name": session.source.layer.name,
            "shape": session.source.shape,
            "hash": self._key,
            "place": None if session.place is None else list(session.place),
        }
        saved = Saved(
            steering,
            planes,
            picture,
            getattr(session, "model_name", "") or self._before.model,
            str(getattr(session, "card", {}).get("hash", "")) or self._before.model_hash,
            version("napari-colorize"),
            self._before.unknown,
        )
        return saved if self._unjoined is None else with_hints_of(saved, self._unjoined)

    def _find_at_once(self) -> None:
        """At the end: join what was kept with what was painted before it was found."""
        try:
            found = _found(self._session.source)
        except PictureError as error:
            self._tell(str(error))
            self._is_changed = False
            return
        self._key, self._files = found.key, Files(kept_file(found.key))
        if found.saved is not None:
            self._before = found.saved
            self._unjoined = None if self._is_begun else found.saved

    def _take(self, found: Found) -> None:
        """Bring back what was kept, below what was painted meanwhile."""
        if self._is_closed or self._life.over or self._key:
            return
        self._key, self._files = found.key, Files(kept_file(found.key))
        self._tell(found.problem)
        if found.saved is not None:
            self._before = found.saved
            self._is_changed |= self._is_begun  # the file may be of before that
            self._bring_back(found.saved)
        if self._is_changed:
            self._write()

    def _bring_back(self, saved: Saved) -> None:
        session, place = self._session, self._session.place
        planes = _planes(saved, place)
        here = planes.pop(place or (), ())
        if planes:
            self._hint_layers.restore(planes)
        if self._is_begun:
            return
        self._hint_layers.look()
        now, before = session.steering, saved.steering
        if list(place or ()) != (saved.picture.get("place") or []):
            before = replace(before, region=None, outside=None)  # of another plane
        wanted = before if now == Steering(hints=now.hints) else now
        session.change(replace(wanted, hints=_joined(here, now.hints)), False)
        if planes or session.steering != now:
            self.came_back.emit("The colours are as you left them last time. Reset starts anew.")

    def _tell_from_thread(self, problem: str) -> None:
        with contextlib.suppress(RuntimeError):  # Qt's half of this is gone
            self._told.emit(problem)

    def _hear_writer(self, problem: str) -> None:
        if not self._is_closed:
            self._tell(problem)

    def _tell(self, problem: str) -> None:
        if problem != self._problem and not self._life.over:
            self._problem = problem
            self.problem_changed.emit(problem)


def _found(source: Source) -> Found:
    """Look for what was kept: among the user's data, then beside the file of the picture."""
    try:
        key = picture_key(source)
    except Exception as error:  # lazy data fail in as many ways as there are libraries
        raise PictureError(f"The hints of this picture are not kept: {error}.") from error
    opened, kept, problem = source.layer.source.path, kept_file(key), ""
    besides = [beside(Path(str(opened)))] if opened else []
    aside = sorted(kept.parent.glob(f"{key}*{_ASIDE}"))  # a newer version may have written them
    for path in (kept, *besides, *aside):
        if not path.is_file():
            continue
        try:
            saved = read_steering(path)
        except PictureError as error:
            if path not in aside:
                problem = problem or f"{error} The hints that it holds did not come back."
            if path == kept:
                problem += _put_aside(path)
            continue
        if saved.picture.get("hash") == key:
            return Found(key, saved, problem)
    return Found(key, problem=problem)


def _put_aside(path: Path) -> str:
    """Keep a file that cannot be read from being written over; return a sentence on where it is."""
    free = path.with_suffix(_ASIDE)
    for number in count(2):
        if not free.exists():
            break
        free = path.with_name(f"{path.stem}-{number}{_ASIDE}")
    try:
        path.rename(free)
    except OSError:
        return ""
    return f" It is called {free.name} now and stays."


def _joined(kept: tuple[AnyHint, ...], new: tuple[AnyHint, ...]) -> tuple[AnyHint, ...]:
    return (*kept, *(hint for hint in new if hint not in kept))


def _planes(saved: Saved, place: Place | None) -> dict[Place, tuple[AnyHint, ...]]:
    """Return the hints of every plane by its index, those of a single picture by ()."""
    planes: dict[Place, tuple[AnyHint, ...]] = dict(saved.hints_elsewhere)
    kept_at = saved.picture.get("place")
    where: Place = () if place is None or not isinstance(kept_at, list) else tuple(kept_at)
    planes[where] = (*planes.get(where, ()), *saved.steering.hints)
    return {place: hints for place, hints in planes.items() if hints}


def with_hints_of(saved: Saved, other: Saved) -> Saved:
    """Return what is saved, with the hints of another beside its own."""
    kept_at = saved.picture.get("place")
    place = None if kept_at is None else tuple(kept_at)
    planes = _planes(saved, place)
    for where, hints in _planes(other, place).items():
        planes[where] = _joined(hints, planes.get(where, ()))
    here = planes.pop(place or (), ())
    return replace(saved, steering=replace(saved.steering, hints=here), hints_elsewhere=planes)


class Files:
    """The files of a session's hints; what another viewer writes into them meanwhile stays.

    Parameters
    ----------
    known : Path
        One that was looked for, and read if it is there.
    """

    def __init__(self, known: Path) -> None:
        self._as_left: dict[Path, bytes] = {}
        self._look(known)

    def write(self, places: list[Path], saved: Saved) -> None:
        """Write to each place, and tell what went wrong at one only after the others."""
        problems: list[ColorizeError] = []
        for path in places:
            try:
                self._write(path, saved)
            except ColorizeError as error:
                problems.append(error)
        if problems:
            raise StorageError(f"The hints are not kept: {problems[0]}") from problems[0]

    def _write(self, path: Path, saved: Saved) -> None:
        if saved.steering == Steering() and not saved.hints_elsewhere and not path.exists():
            return
        left = self._as_left.get(path)
        if left is not None and self._look(path) != left:
            with contextlib.suppress(PictureError):
                saved = with_hints_of(saved, read_steering(path))
        write_steering(path, saved)
        self._look(path)

    def _look(self, path: Path) -> bytes:
        """Return what stands in a file, nothing if there is none, and remember it."""
        try:
            content = path.read_bytes()
        except OSError:
            content = b""
        self._as_left[path] = content
        return content
