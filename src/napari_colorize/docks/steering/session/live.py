"""The Colorizer at work beside the window: the last wish wins, one job comes after the other.

A worker lives while there is work. What is wanted last is drawn in three stages: what is on screen
in its resolution, then the whole picture, then how far its lightness lies from the original's.
Only the first stage is finished when something else is wanted meanwhile: a person who drags a hint
sees it move, and waits for nothing that is outdated.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from napari.qt.threading import FunctionWorker, create_worker
from qtpy.QtCore import QObject, Signal, Slot

from napari_colorize.docks.steering.session.messages import (
    Answered,
    Failed,
    Looked,
    Message,
    Question,
    Shown,
    Trusted,
    View,
    Wish,
)
from napari_colorize.docks.steering.session.view_window import is_whole, painted
from napari_colorize.errors import Cancelled, ColorizeError
from napari_colorize.files.steering_file import as_dict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorize.color.strokes import LabelMap
    from napari_colorize.prediction.colorizer import Colorizer, Rendered

log = logging.getLogger(__name__)


class Line(QObject):
    """Takes wishes and questions in the main thread and has a worker see to them.

    Attributes
    ----------
    told : Signal(Message)
        Sent in the main thread; none any more once it is closed or the viewer is being closed.
    """

    told = Signal(object)
    _came = Signal(object)
    # It lives until its worker is done, whoever else forgets it.
    _living: ClassVar[list[Line]] = []

    def __init__(self, model: str | None, device: str) -> None:
        super().__init__()
        self._model, self._device = model, device
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._is_running = False
        self._worker: FunctionWorker[None] | None = None
        self._view: View | None = None
        self._wish: Wish | None = None
        self._stage = ""  # of the wish that is next: "part", "whole", "trust" or nothing
        self._questions: deque[Question] = deque()
        self._is_broken = False  # the picture could not be looked at; a new wish tries again
        # Of the worker alone:
        self._colorizer: Colorizer | None = None
        self._looked_at: View | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._last: Rendered | None = None  # what was rendered last
        self._at_work: Wish | None = None
        self._inside: tuple[LabelMap, NDArray[np.bool_]] | None = None
        self._question_is_due = False
        self._came.connect(self._hear)

    # of the main thread

    def look(self, view: View) -> None:
        """Look at another plane; what was wanted of the last one is dropped."""
        with self._lock:
            self._view, self._wish, self._stage = view, None, ""
            self._questions.clear()
            self._is_broken = False
        self._wake()

    def show(self, wish: Wish) -> None:
        """Show what is wanted, and nothing older."""
        with self._lock:
            self._wish, self._stage, self._is_broken = wish, "part", False
        self._wake()

    def ask(self, question: Question) -> None:
        """Work something out when the colours are on screen."""
        with self._lock:
            self._questions.append(question)
            self._is_broken = False
        self._wake()

    def close(self) -> None:
        """Drop everything and let go of the network, as soon as the worker sees it."""
        self._closed.set()
        with self._lock:
            self._questions.clear()
        self._wake()

    @property
    def is_over(self) -> bool:
        """Whether it was closed, or the viewer is being closed: napari has asked it to quit."""
        if self._worker is not None and self._worker.abort_requested:
            self._closed.set()
        return self._closed.is_set()

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._is_running

    def _wake(self) -> None:
        with self._lock:
            if self._is_running or (self._closed.is_set() and self._colorizer is None):
                return
            self._is_running = True
        self._worker = create_worker(Work(self), _start_thread=False)
        self._living.append(self)
        # Not at the last message: the thread may still be inside its emit then.
        self._worker.finished.connect(self._forget)
        self._worker.start()

    @Slot()
    def _forget(self) -> None:
        self._living.remove(self)

    @Slot(object)
    def _hear(self, message: Message) -> None:
        if not self.is_over:
            self.told.emit(message)

    # of the worker

    def work(self) -> None:
        """Do all there is to do."""
        while (job := self._next()) is not None:
            try:
                job()
            except Cancelled:
                continue  # something else is wanted
            except Exception as error:
                if self._at_work is not None:
                    self._stage_is_over("", self._at_work)
                self._came.emit(Failed(_sentence(error)))

    def _next(self) -> Callable[[], None] | None:
        """Return the next job; None ends the worker, and the next wish starts another."""
        with self._lock:
            job = self._choose()
            if job is None:
                self._is_running = False
            return job

    def _choose(self) -> Callable[[], None] | None:
        if self.is_over:
            return self._let_go if self._colorizer is not None else None
        self._at_work = None
        if self._view is None or self._is_broken:
            return None
        if self._view is not self._looked_at:
            view = self._view
            return lambda: self._look(view)
        if not self._stage and not self._questions:
            return None
        # A stream of wishes leaves room for questions, and questions for wishes.
        if self._questions and (self._stage != "part" or self._question_is_due):
            self._question_is_due = False
            question = self._questions.popleft()
            return lambda: self._answer(question)
        wish = self._at_work = self._wish
        assert wish is not None
        self._question_is_due = True
        draw = {"part": self._draw_part, "whole": self._draw_whole, "trust": self._judge}
        stage = draw[self._stage]
        return lambda: stage(wish)

    def _stage_is_over(self, then: str, of: Wish) -> None:
        with self._lock:
            if self._wish is of:
                self._stage = then

    def _look(self, view: View) -> None:
        try:
            self._look_at(view)
        except Cancelled:
            raise
        except Exception as error:
            with self._lock:
                if self._view is not view:
                    raise
                self._is_broken = True
                questions = list(self._questions)
                self._questions.clear()
            for question in questions:
                self._came.emit(Answered(question.failed, _sentence(error)))
            raise

    def _look_at(self, view: View) -> None:
        from napari_colorize.api import open_colorizer

        if self._colorizer is None:
            self._colorizer = open_colorizer(self._model, self._device)
        colorizer = self._colorizer
        (key, _), source = next(view.source.cuts()), view.source
        try:
            plane = source.read(key)
        except MemoryError:
            raise
        except Exception as error:
            # Lazy data can fail in as many ways as there are libraries for it.
            raise ColorizeError(f"The data cannot be read: {error}") from error

        def is_outdated() -> bool:
            return self.is_over or self._view is not view

        if is_outdated():
            raise Cancelled("Another plane is in view.")
        colorizer.set_picture(plane, contrast_limits=source.contrast_limits, cancel=is_outdated)
        self._looked_at = view
        fits = view.shown is not None and view.shown.shape == (*view.shape, 3)
        self._pixels, self._last = (view.shown if fits else None), None
        self._came.emit(Looked(view, colorizer.model_name, dict(colorizer.card)))

    def _draw_part(self, wish: Wish) -> None:
        view, part, before = self._viewed(), wish.part, self._pixels
        if part is None or before is None:
            self._draw_whole(wish)
            return
        if is_whole(part, view.shape):
            self._draw(wish, self._is_elsewhere)
            return
        rendered = self._colors().render(wish.steering, window=part, cancel=self._is_elsewhere)
        inside = self._where(wish.steering.region)
        self._pixels = painted(before, rendered.pixels, part, inside)
        self._came.emit(Shown(view, wish, self._pixels))
        self._stage_is_over("whole", wish)

    def _draw_whole(self, wish: Wish) -> None:
        self._draw(wish, lambda: self._is_elsewhere() or self._wish is not wish)

    def _draw(self, wish: Wish, cancel: Callable[[], bool]) -> None:
        rendered = self._colors().render(wish.steering, cancel=cancel)
        self._pixels, self._last = rendered.pixels, rendered
        record = as_dict(wish.steering)  # here, as it takes long where much is painted
        self._came.emit(Shown(self._viewed(), wish, rendered.pixels, rendered, record))
        self._stage_is_over("trust", wish)

    def _judge(self, wish: Wish) -> None:
        rendered = self._last
        assert rendered is not None

        def is_outdated() -> bool:
            return self._is_elsewhere() or self._wish is not wish

        trust = self._colors().trust(rendered.pixels, cancel=is_outdated)
        self._came.emit(Trusted(wish, trust, rendered.fitted))
        self._stage_is_over("", wish)

    def _where(self, region: LabelMap | None) -> NDArray[np.bool_] | None:
        """Return the pixels of a region, (H, W); those of the last one are kept."""
        if region is None:
            return None
        if self._inside is None or self._inside[0] is not region:
            self._inside = (region, region.to_array() > 0)
        return self._inside[1]

    def _answer(self, question: Question) -> None:
        try:
            answer = question.work(self._colors())
        except Cancelled:
            if not self.is_over:
                self._came.emit(Answered(question.failed, "It was cancelled."))
        except Exception as error:
            self._came.emit(Answered(question.failed, _sentence(error)))
        else:
            self._came.emit(Answered(question.done, answer))

    def _let_go(self) -> None:
        colorizer, self._colorizer = self._colors(), None
        self._looked_at = self._pixels = self._last = None
        colorizer.close()

    def _is_elsewhere(self) -> bool:
        return self.is_over or self._view is not self._looked_at

    def _colors(self) -> Colorizer:
        assert self._colorizer is not None
        return self._colorizer

    def _viewed(self) -> View:
        assert self._looked_at is not None
        return self._looked_at


class Work:
    """What a worker does, under the name that napari shows when it asks whether to close."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def __repr__(self) -> str:
        """Return what it is, for people."""
        return "the colouring of a picture that is steered"

    def __call__(self) -> None:
        """Do all there is to do."""
        self._line.work()


def _sentence(error: Exception) -> str:
    """Return what went wrong, for people; what nobody foresaw goes to the log."""
    if isinstance(error, ColorizeError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory to colour the picture."
    log.error("colouring failed", exc_info=error)
    gist = str(error).strip().splitlines() or ["no reason was given"]
    return f"Colouring failed ({type(error).__name__}): {gist[0]}"
