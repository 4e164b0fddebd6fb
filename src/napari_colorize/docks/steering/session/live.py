"""The Colorizer at work beside the window: the last wish wins, one job comes after the other.

A thread lives while there is work. It is a plain one: a worker of napari's would start only after
the window is painted anew, and have napari ask before the window is closed whether half a second
of colouring may be lost. Whoever closes the window closes the line; at its end Python waits.

What is wanted last is drawn in three stages: what is on screen
in its resolution, then the whole picture, then how far its lightness lies from the original's.
Only the first stage is finished when something else is wanted meanwhile: a person who drags a hint
sees it move, and waits for nothing that is outdated.

Drawing what is in view and painting the window slow each other down, where no graphics card paints
to less than half. So one waits for the other: the window for the first stage, a moment at most,
and the second stage for the window.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal, Slot

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

# Seconds that the window waits for the colours of what is in view.
HEAD_START = 0.08
# Seconds that the whole picture waits for the window to be painted.
PATIENCE = 0.3

log = logging.getLogger(__name__)


class Line(QObject):
    """Takes wishes and questions in the main thread and has a thread see to them.

    Attributes
    ----------
    told : Signal(Message)
        Sent in the main thread; none any more once it is closed.
    """

    told = Signal(object)
    _came = Signal(object)
    _left = Signal(object)
    # It lives until its threads are done, whoever else forgets it.
    _living: ClassVar[list[Line]] = []

    def __init__(self, model: str | None, device: str) -> None:
        super().__init__()
        self._model, self._device = model, device
        self._lock = threading.Condition()  # told when something below is another
        self._closed = threading.Event()
        self._is_running = False
        self._view: View | None = None
        self._wish: Wish | None = None
        self._stage = ""  # of the wish that is next: "part", "whole", "trust" or nothing
        self._fresh: Shown | None = None  # what was told last
        self._seen: Shown | None = None  # what was on screen when the window was painted last
        self._questions: deque[Question] = deque()
        self._is_broken = False  # the picture could not be looked at; a new wish tries again
        self._is_told = False  # that it could not
        # Of the main thread alone:
        self._heard: Shown | None = None
        self._may_wait = True
        # One of no time ends after the window is painted, unlike QTimer.singleShot(0).
        self._after_painting = QTimer(self)
        self._after_painting.setSingleShot(True)
        self._after_painting.setInterval(0)
        self._after_painting.timeout.connect(self._hear_painted)
        # Of the thread alone:
        self._colorizer: Colorizer | None = None
        self._looked_at: View | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._last: Rendered | None = None  # what was rendered last
        self._at_work: Wish | None = None
        self._inside: tuple[LabelMap, NDArray[np.bool_]] | None = None
        self._question_is_due = False
        self._came.connect(self._hear)
        self._left.connect(self._forget)

    # of the main thread

    def look(self, view: View, wish: Wish) -> None:
        """Look at another plane and show it; what was wanted of the last one is dropped."""
        with self._lock:
            self._view, self._wish, self._stage = view, wish, "part"
            self._drop_questions()
            self._is_broken = self._is_told = False
        self._wake()

    def show(self, wish: Wish) -> None:
        """Show what is wanted, and nothing older."""
        with self._lock:
            self._wish, self._stage = wish, "part"
            self._is_broken = self._is_told = False
        self._wake()

    def wait(self) -> None:
        """Wait a moment for the colours of what is in view, and tell of them at once.

        Not twice before the window is painted: it would stand still while many things change.
        """
        if not self._may_wait or self.is_over:
            return
        self._may_wait = False
        with self._lock:
            is_drawn = self._lock.wait_for(lambda: self._stage != "part", HEAD_START)
            fresh = self._fresh
        if is_drawn and fresh is not None:
            self._hear(fresh)

    def ask(self, question: Question) -> None:
        """Work something out when the colours are on screen."""
        with self._lock:
            self._questions.append(question)
            self._is_broken = False
        self._wake()

    def close(self) -> None:
        """Drop what can be dropped and let go of the network, as soon as the thread sees it."""
        self._closed.set()
        with self._lock:
            self._lock.notify_all()
            self._drop_questions()
            if not self._is_running and self._colorizer is not None:
                self._let_go()

    @property
    def is_over(self) -> bool:
        """Whether it was closed, or Python is at its end."""
        return self._closed.is_set() or not threading.main_thread().is_alive()

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._is_running

    def _wake(self) -> None:
        with self._lock:
            self._lock.notify_all()
            if self._is_running or self.is_over:
                return
            self._is_running = True
        self._living.append(self)
        threading.Thread(target=self._work, name="colours that are steered").start()

    def _drop_questions(self) -> None:
        kept = [question for question in self._questions if question.of is not None]
        self._questions = deque(kept)

    @Slot(object)
    def _forget(self, thread: threading.Thread) -> None:
        thread.join()  # it is leaving; nothing of Qt may be dropped last by it
        self._living.remove(self)

    @Slot(object)
    def _hear(self, message: Message) -> None:
        if isinstance(message, Shown):
            if message is not self._fresh or message is self._heard:
                return  # outdated, or heard before by who waited
            self._heard = message
            self._after_painting.start()
        if not self.is_over:
            self.told.emit(message)

    @Slot()
    def _hear_painted(self) -> None:
        self._may_wait = True
        with self._lock:
            self._seen = self._heard
            self._lock.notify_all()

    # of the thread

    def _tell(self, message: Message) -> None:
        if isinstance(message, Shown):
            self._fresh = message
        with contextlib.suppress(RuntimeError):  # Qt's half of this is gone
            self._came.emit(message)

    def _work(self) -> None:
        self._work_off()
        with contextlib.suppress(RuntimeError):
            self._left.emit(threading.current_thread())

    def _work_off(self) -> None:
        """Do all there is to do."""
        while (job := self._next()) is not None:
            try:
                job()
            except Cancelled:
                continue  # something else is wanted
            except Exception as error:
                if self._at_work is not None:
                    self._stage_is_over("", self._at_work)
                self._tell(Failed(_sentence(error)))

    def _next(self) -> Callable[[], None] | None:
        """Return the next job; None ends the thread, and the next wish starts another."""
        with self._lock:
            job = self._choose()
            if job is None:
                self._is_running = False
            return job

    def _choose(self) -> Callable[[], None] | None:
        self._at_work = None
        kept = (q for q in self._questions if q.of is not None)
        for question in kept:
            if self.is_over or question.of is not self._view:
                self._questions.remove(question)
                return lambda: self._answer(question)
        if self.is_over:
            return self._let_go if self._colorizer is not None else None
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
                self._lock.notify_all()

    def _look(self, view: View) -> None:
        def is_outdated() -> bool:
            return self.is_over or self._view is not view

        try:
            self._look_at(view, is_outdated)
        except Cancelled:
            raise
        except Exception as error:
            with self._lock:
                if self._view is not view:
                    raise
                was_told, self._is_broken, self._is_told = self._is_told, True, True
                questions = list(self._questions)
                self._questions.clear()
            for question in questions:
                self._tell(Answered(question.failed, _sentence(error)))
            if not was_told:
                raise

    def _look_at(self, view: View, is_outdated: Callable[[], bool]) -> None:
        from napari_colorize.api import open_colorizer

        if self._colorizer is None:
            self._colorizer = open_colorizer(self._model, self._device)
        colorizer = self._colorizer
        (key, _), source = next(view.source.cuts()), view.source
        plane = source.read_for_people(key)
        if is_outdated():
            raise Cancelled("Another plane is in view.")
        colorizer.set_picture(plane, contrast_limits=source.contrast_limits, cancel=is_outdated)
        self._looked_at = view
        fits = view.shown is not None and view.shown.shape == (*view.shape, 3)
        self._pixels, self._last = (view.shown if fits else None), None
        self._tell(Looked(view, colorizer.model_name, dict(colorizer.card)))

    def _draw_part(self, wish: Wish) -> None:
        view, part, before = self._viewed(), wish.part, self._pixels
        if part is None or before is None:
            self._draw(wish, lambda: self._is_outdated(wish))
            return
        if is_whole(part, view.shape):
            self._draw(wish, self._is_elsewhere)
            return
        rendered = self._colors().render(wish.steering, window=part, cancel=self._is_elsewhere)
        inside = self._where(wish.steering.region)
        self._pixels = painted(before, rendered.pixels, part, inside)
        self._tell(Shown(view, wish, self._pixels))
        self._stage_is_over("whole", wish)

    def _draw_whole(self, wish: Wish) -> None:
        def is_seen() -> bool:
            return self._seen is self._fresh or self._is_outdated(wish)

        with self._lock:
            self._lock.wait_for(is_seen, PATIENCE)
        self._draw(wish, lambda: self._is_outdated(wish))

    def _draw(self, wish: Wish, cancel: Callable[[], bool]) -> None:
        rendered = self._colors().render(wish.steering, cancel=cancel)
        self._pixels, self._last = rendered.pixels, rendered
        record = as_dict(wish.steering)  # here, as it takes long where much is painted
        self._tell(Shown(self._viewed(), wish, rendered.pixels, rendered, record))
        self._stage_is_over("trust", wish)

    def _judge(self, wish: Wish) -> None:
        rendered = self._last
        assert rendered is not None
        trust = self._colors().trust(rendered.pixels, cancel=lambda: self._is_outdated(wish))
        self._tell(Trusted(wish, trust, rendered.fitted))
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
            if question.of is not None and question.of is not self._looked_at:
                self._look_at(question.of, lambda: False)
            answer = question.work(self._colors())
        except Cancelled:
            if not self.is_over:
                self._tell(Answered(question.failed, "It was cancelled."))
        except Exception as error:
            self._tell(Answered(question.failed, _sentence(error)))
        else:
            self._tell(Answered(question.done, answer))

    def _let_go(self) -> None:
        colorizer, self._colorizer = self._colors(), None
        self._looked_at = self._pixels = self._last = self._fresh = None
        colorizer.close()

    def _is_outdated(self, wish: Wish) -> bool:
        return self._is_elsewhere() or self._wish is not wish

    def _is_elsewhere(self) -> bool:
        return self.is_over or self._view is not self._looked_at

    def _colors(self) -> Colorizer:
        assert self._colorizer is not None
        return self._colorizer

    def _viewed(self) -> View:
        assert self._looked_at is not None
        return self._looked_at


def _sentence(error: Exception) -> str:
    """Return what went wrong, for people; what nobody foresaw goes to the log."""
    if isinstance(error, ColorizeError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory to colour the picture."
    log.error("colouring failed", exc_info=error)
    gist = str(error).strip().splitlines() or ["no reason was given"]
    return f"Colouring failed ({type(error).__name__}): {gist[0]}"
