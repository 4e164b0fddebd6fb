"""Closing napari while a training is under way: it asks whether the training goes on.

A training needs no napari: it is a process of its own. Whoever closes the window may not know.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QMainWindow, QMessageBox, QWidget

from napari_colorize.docks.preferences import remembered
from napari_colorize.errors import StorageError
from napari_colorize.runs.folder import RunFolder
from napari_colorize.runs.process import known_runs

_NAME = "napari-colorize-closing"
# Of the runs that are known, so many of the latest are asked whether they are under way.
_ASKED_RUNS = 10
_ROLE = QMessageBox.ButtonRole


def guard_closing(widget: QWidget) -> None:
    """Let the window that holds a widget ask before it closes; it is enough to do it once.

    The window keeps asking after the widget is gone: its training may go on.
    """
    window = widget.window()
    if isinstance(window, QMainWindow) and window.findChild(QObject, _NAME) is None:
        window.installEventFilter(_ClosingGuard(window))


def runs_under_way() -> list[RunFolder]:
    """Return the known runs that a process of this machine is at work in now."""
    runs = [RunFolder(path) for path in known_runs()[:_ASKED_RUNS]]
    return [run for run in runs if _works_here(run) and run.state().name == "running"]


class _ClosingGuard(QObject):
    """Sees the wish of a window to close before the window does."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self.setObjectName(_NAME)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Ask, and keep the window open if that is the answer."""
        if event is None or event.type() != QEvent.Type.Close:
            return False
        if not isinstance(watched, QMainWindow) or _is_closed_by_code(watched):
            return False
        runs = runs_under_way() if remembered("ask_on_close", True) else []
        if not runs or _may_close(watched, runs):
            return False
        event.ignore()
        return True


def _may_close(window: QWidget, runs: list[RunFolder]) -> bool:
    """Ask what becomes of the trainings, see to it, and return whether the window may close."""
    box = QMessageBox(window)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("A training is under way")
    box.setTextFormat(Qt.TextFormat.PlainText)
    names = ", ".join(run.path.name for run in runs)
    one = len(runs) == 1
    box.setText(f"The training {names} is under way." if one else f"Under way: {names}.")
    it = "it" if one else "them"
    box.setInformativeText(
        f"{'It goes' if one else 'They go'} on without napari, if you leave {it} running; open "
        f"the Train dock again to see {it}. Stopping keeps the best and the last weights, so that "
        f"you can resume later."
    )
    leave = box.addButton("&Leave it running" if one else "&Leave them running", _ROLE.AcceptRole)
    stop = box.addButton("&Stop it and close" if one else "&Stop them and close", _ROLE.AcceptRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(leave)
    box.setEscapeButton(cancel)
    box.exec()
    pressed = box.clickedButton()
    box.deleteLater()
    if pressed is stop:
        return _stop_all(window, runs)
    return pressed is leave


def _stop_all(window: QWidget, runs: list[RunFolder]) -> bool:
    """Ask the trainings to leave, without waiting for them; return whether they were asked."""
    try:
        for run in runs:
            run.request_stop()
    except StorageError as error:
        QMessageBox.warning(window, "The training cannot be stopped", str(error))
        return False
    return True


def _works_here(run: RunFolder) -> bool:
    """Return whether the process that was started is one of this machine."""
    child = run.started_child()
    return child is not None and child.is_alive()


def _is_closed_by_code(window: QMainWindow) -> bool:
    """Return whether ``viewer.close()`` is at work: it has closed what is in the window before.

    A script that closes its viewer is not asked: nobody might be there to answer.
    """
    middle = window.centralWidget()
    flags = Qt.FindChildOption.FindDirectChildrenOnly
    parts = [] if middle is None else middle.findChildren(QWidget, options=flags)
    return bool(parts) and all(part.isHidden() for part in parts)
