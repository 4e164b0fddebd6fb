"""The Train dock: starts a training as a process of its own, and watches its run folder.

The dock holds nothing that matters: closed and opened again, it finds the run that is under way.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from magicgui.widgets import Container, ProgressBar, PushButton, TextEdit

from napari_colorize.docks.curves import LossHistory, LossPlot
from napari_colorize.docks.labels import align_labels, show_text, text_label
from napari_colorize.docks.model_events import models_changed
from napari_colorize.docks.run_watcher import RunWatcher
from napari_colorize.docks.scroll import ScrollContainer
from napari_colorize.docks.training_form import TrainingForm
from napari_colorize.errors import ColorizeError, StorageError
from napari_colorize.files.models import import_model
from napari_colorize.runs import words
from napari_colorize.runs.events import CLOSING, Event, Healed, Preparing, Started, Step, Validated
from napari_colorize.runs.folder import RunFolder, RunState
from napari_colorize.runs.process import known_runs, start_training

if TYPE_CHECKING:
    import napari

_LEAVES = "The training goes on when this dock or napari is closed; open the dock again to see it."
# Of the runs that are known, so many of the latest are asked whether they are under way.
_ASKED_RUNS = 10
_RESUMABLE = ("stopped", "failed", "died")


class TrainDock(ScrollContainer):
    """Form, buttons, progress and curves of a training.

    Parameters
    ----------
    viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(labels=False)
        self._viewer = viewer
        self._open = True
        self._run: RunFolder | None = None
        self._state: RunState | None = None
        self._stopping = False
        self._make_widgets()
        self._watcher = RunWatcher(self.native)
        self._watcher.told.connect(self._take_events)
        self._watcher.stands.connect(self._take_state)
        self.scroll_area.shown.connect(self._be_shown)
        self.scroll_area.destroyed.connect(self._mark_closed)
        viewer.events.theme.connect(self._restyle)
        self._forget_run()
        self._find_run()

    # Building.

    def _make_widgets(self) -> None:
        """Make the parts and stack them."""
        self.form = TrainingForm()
        self.start = PushButton(text="Start")
        self.stop = PushButton(text="Stop")
        self.new_run = PushButton(text="New run")
        self.stop.tooltip = "Save after the current step and leave; Resume goes on from there."
        self.new_run.tooltip = "Put this run aside and fill in the form for another one."
        self.reason = text_label("reason", "Why Start cannot be pressed.")
        self.progress = ProgressBar(min=0, max=1, value=0)
        self.progress.tooltip = _LEAVES
        self.status = text_label("status", "What the training is doing, or how it ended.")
        self.notes = text_label("notes", "What the training has told so far.")
        self.log = TextEdit()
        self.log.tooltip = "The last lines that the training process wrote."
        self.log.read_only = True
        self.log.native.setMaximumHeight(140)
        self.log.native.setLineWrapMode(self.log.native.LineWrapMode.WidgetWidth)
        self.plot: LossPlot | None = None
        self._plot_place: Container[Any] = Container(labels=False)
        self._plot_place.margins = (0, 0, 0, 0)
        buttons: Container[Any] = Container(
            widgets=[self.start, self.stop, self.new_run], layout="horizontal", labels=False
        )
        buttons.margins = (0, 0, 0, 0)
        told = [self.reason, self.progress, self.status, self.log, self._plot_place, self.notes]
        self.extend([self.form, buttons, *told])
        self.form.changed.connect(self._form_changed)
        self.start.changed.connect(self._start)
        self.stop.changed.connect(self._stop)
        self.new_run.changed.connect(self._prepare_new_run)

    # What the user does.

    def _form_changed(self) -> None:
        """Turn to the run that is named, if it is one; else see whether it can start."""
        run = self.form.run()
        if run is None or not run.exists():
            if self._run is not None:
                self._forget_run()
        elif self._run is None or self._run.path != run.path:
            self._attach(run)
        self._refresh_buttons()

    def _start(self) -> None:
        """Start or resume, and watch."""
        run = self.form.run()
        if run is None:
            return
        # Asked anew: another dock or a shell may have been at work here since.
        state = run.state().name if run.exists() else ""
        try:
            if state not in _RESUMABLE:
                run.create(self.form.config(), force=state == "new")
            start_training(run, resume=state in _RESUMABLE)
        except ColorizeError as exc:
            show_text(self.reason, str(exc))
            return
        self._attach(run)

    def _stop(self) -> None:
        """Ask the training to leave after the current step."""
        if self._run is None:
            return
        try:
            self._run.request_stop()
        except StorageError as exc:
            show_text(self.reason, str(exc))
            return
        self._stopping = True
        self._refresh_buttons()

    def _prepare_new_run(self) -> None:
        """Name another run folder; all else in the form stays."""
        self.form.suggest_run_folder()
        self._form_changed()

    # Attaching to a run.

    def _find_run(self) -> None:
        """Attach to the newest run under way, or to one whose model has not been fetched."""
        runs = [RunFolder(path) for path in known_runs()[:_ASKED_RUNS]]
        states = [run.state().name for run in runs]
        for run, state in zip(runs, states, strict=True):
            if state == "running":
                self._show_run(run)
                return
        if states and states[0] == "finished" and not runs[0].imported_file.exists():
            self._show_run(runs[0])

    def _show_run(self, run: RunFolder) -> None:
        """Name a run in the form, which attaches to it."""
        self.form.run_folder.value = run.path
        self._form_changed()

    def _attach(self, run: RunFolder) -> None:
        """Watch a run and show its settings."""
        self._forget_run()
        self._run = run
        try:
            with self.form.changed.blocked():
                self.form.show_config(run.read_config())
        except ColorizeError as exc:
            show_text(self.notes, str(exc))
        self._watcher.watch(run)
        self._refresh_buttons()

    def _forget_run(self) -> None:
        """Watch nothing and clear what was shown of a run."""
        self._watcher.leave()
        self._run = self._state = None
        self._stopping = False
        self._history = LossHistory()
        self._epochs = 0
        self._notes: dict[str, str] = {}
        for part in (self.reason, self.status, self.notes):
            show_text(part, "")
        self.log.visible = self.progress.visible = self._plot_place.visible = False
        self._refresh_buttons()

    # What the run tells.

    def _take_events(self, events: list[Event]) -> None:
        """Show what new events say."""
        if not self._open:
            return
        for event in events:
            self._history.add(event)
            self._note(event)
        news = next((e for e in reversed(events) if isinstance(e, Step | Preparing)), None)
        if isinstance(news, Step):
            self._show_progress(news.step, news.steps, words.progress_line(news, self._epochs))
        elif isinstance(news, Preparing):
            self._show_progress(news.done, news.total, words.preparing_line(news))
        show_text(self.notes, "\n".join(self._notes.values()))
        self._draw()

    def _note(self, event: Event) -> None:
        """Keep the sentence that an event is worth, one of each kind."""
        if isinstance(event, Started):
            self._epochs = event.epochs
            self._notes = {
                "examination": words.examination_line(event),
                "device": words.device_line(event),
            }
        elif isinstance(event, Healed):
            self._notes["healed"] = words.healed_line(event)
        elif isinstance(event, Validated) and event.best:
            self._notes["score"] = words.score_line(event)

    def _take_state(self, state: RunState) -> None:
        """Show how the run stands."""
        if not self._open or self._run is None:
            return
        previous, self._state = self._state, state
        if state.name == "running":
            self._show_running(state)
        elif previous is None or (previous.name, previous.detail) != (state.name, state.detail):
            self._show_ending(state)
        # Only then: the form is checked with it, and that looks into folders.
        if previous is None or previous.name != state.name:
            self._refresh_buttons()

    def _show_running(self, state: RunState) -> None:
        """Show that the run is under way, and repeat a stop that a starting child overlooked."""
        self.log.visible = False
        if state.last_event is None or isinstance(state.last_event, CLOSING):
            self._show_progress(0, 0, "starting the training process…")
        if self._stopping and self._run is not None and not self._run.stop_requested():
            with contextlib.suppress(StorageError):
                self._run.request_stop()

    def _show_ending(self, state: RunState) -> None:
        """Show how the run ended; a finished one gives its model to the Colorize dock."""
        self._stopping = False
        self.progress.visible = state.name == "finished"
        if state.name == "finished":
            self.progress.native.setRange(0, 1)
            self.progress.native.setValue(1)
        said = words.ending(state)
        if state.name == "finished" and self._run is not None:
            said = f"{said} {_fetch_model(self._run)}"
        show_text(self.status, said)
        tail = self._run.log_tail() if self._run and state.name in ("died", "failed") else ""
        # A failure that was foreseen is told whole by the status.
        unforeseen = state.name == "died" or "Traceback" in tail
        self.log.value = tail if unforeseen else ""
        self.log.visible = bool(self.log.value)

    def _show_progress(self, done: int, total: int, line: str) -> None:
        """Show the bar (moving without end where ``total`` is 0) and the line below it."""
        self.progress.visible = True
        self.progress.native.setRange(0, total)
        self.progress.native.setValue(done)
        show_text(self.status, line)

    # Keeping up.

    def _be_shown(self) -> None:
        """Align the form, and watch on if the dock was out of the window."""
        align_labels(self.form.native)
        self._watcher.go_on()

    def _is_resumable(self) -> bool:
        """Return whether the run that is watched can go on."""
        return self._state is not None and self._state.name in _RESUMABLE

    def _refresh_buttons(self) -> None:
        """Enable what can be done, and say why Start cannot."""
        name = self._state.name if self._run is not None and self._state else ""
        fresh = self._run is None or name == "new"
        problem = self.form.problem() if fresh else ""
        if name == "finished":
            problem = "This run is finished. New run prepares another one."
        self.form.set_editable(fresh)
        self.start.text = "Resume" if self._is_resumable() else "Start"
        self.start.enabled = (fresh and not problem) or self._is_resumable()
        self.start.tooltip = problem or _LEAVES
        self.stop.enabled = name == "running" and not self._stopping
        self.stop.text = "Stopping…" if self._stopping else "Stop"
        self.new_run.visible = not fresh
        show_text(self.reason, problem)

    def _draw(self) -> None:
        """Draw the curves; the plot is made when there is something to draw."""
        if self._history.is_empty():
            return
        if self.plot is None:
            self.plot = LossPlot(self._viewer.theme)
            self._plot_place.native.layout().addWidget(self.plot.widget)
        self._plot_place.visible = True
        self.plot.draw(self._history)

    def _restyle(self) -> None:
        """Follow napari's theme."""
        if self._open and self.plot is not None:
            self.plot.restyle(self._viewer.theme)

    def _mark_closed(self) -> None:
        """Touch nothing any more: the Qt widgets are gone."""
        self._open = False


def _fetch_model(run: RunFolder) -> str:
    """Copy a finished run's model among the user's own, and return what to say about it.

    It is done once: a model that the user removed later does not come back.
    """
    if run.imported_file.exists():
        return "Its model was put into the Colorize dock."
    try:
        model = import_model(run.best_model, run.read_config().name or run.path.name)
    except ColorizeError as exc:
        return f"Its model could not be put into the Colorize dock: {exc}"
    with contextlib.suppress(OSError):
        run.imported_file.touch()
    models_changed.emit()
    return f"The model {model.name} is in the Colorize dock."
