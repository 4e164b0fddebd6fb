"""What is always at hand below the panels: where, before and after, undo, save, trust."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from napari_colorize.color.steering import Steering
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.steering.panels.panel import SteeringPanel
from napari_colorize.docks.steering.panels.region_row import RegionRow
from napari_colorize.docks.steering.panels.trust_line import trust_sentence
from napari_colorize.docks.steering.saving import KINDS, Order, checked_file, proposed_file, save
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari

    from napari_colorize.docks.steering.session.session import Session


class SteeringFoot(SteeringPanel):
    """Only here, Before, Undo, Redo, Reset, Save…, the line of trust, and what went wrong.

    Attributes
    ----------
    saved : Signal(Path)
        The picture was written there; its hints are to be kept beside it.
    """

    saved = Signal(object)

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._folder: Path | None = None
        self.region = RegionRow(viewer)
        self.before = _button("Before", "Show the picture as it was; once more, as it is now.")
        self.before.setCheckable(True)
        self.undo = _button("Undo", "Take the last change back (Ctrl+Z).")
        self.redo = _button("Redo", "Do it again (Ctrl+Shift+Z).")
        self.reset = _button("Reset", "Want nothing any more; this can be undone as well.")
        self.save = _button(
            "Save…",
            "Write the picture at full resolution, with a record of what made it, and the hints "
            "beside it.",
        )
        self.trust = FieldNote("aside")
        self.state = FieldNote("aside")
        self.problem = FieldNote()
        self._lay_out()
        self._listen()
        self._show(Steering())
        self.setEnabled(False)

    def attach(self, session: Session) -> None:
        """Follow a session, and let the region do so."""
        super().attach(session)
        self.region.attach(session)

    def detach(self) -> None:
        """Follow nothing any more; what *Before* hid is shown."""
        self.before.setChecked(False)
        self.region.detach()
        super().detach()

    def save_to(self, path: Path, kind: str = "PNG") -> None:
        """Write the picture to a file, beside the window; of a kind where it has no suffix."""
        session = self._session
        if session is None:
            return
        self.problem.tell("")
        try:
            target = checked_file(path, session.source, kind)
        except PictureError as error:
            self.problem.tell(str(error))
            return
        order = Order.of(target, session.steering, session.source)
        self.save.setEnabled(False)
        self.state.tell(f"Saving {target.name}…")
        self._ask(
            lambda colorizer: save(colorizer, order),
            self._tell_saved,
            self._tell_not_saved,
            kept=True,
        )

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.before, self.undo, self.redo, self.reset, self.save):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.region)
        layout.addLayout(buttons)
        for note in (self.state, self.problem, self.trust):
            layout.addWidget(note)

    def _listen(self) -> None:
        self.before.toggled.connect(self._show_before)
        self.undo.clicked.connect(lambda: self._with_session("undo"))
        self.redo.clicked.connect(lambda: self._with_session("redo"))
        self.reset.clicked.connect(lambda: self._with_session("reset"))
        self.save.clicked.connect(self._choose_file)

    def bind_keys(self, dock: Any) -> None:
        """Let Ctrl+Z and Ctrl+Shift+Z work wherever the keyboard is in a dock, and on the canvas.

        There a layer that has such keys of its own, as labels have, goes before.
        """
        for key, button in (("Ctrl+Z", self.undo), ("Ctrl+Shift+Z", self.redo)):
            shortcut = QShortcut(QKeySequence(key), dock)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(button.click)
            self._viewer.bind_key(key, self._pressing(button), overwrite=True)

    def _pressing(self, button: QPushButton) -> Callable[[Any], None]:
        """Return what presses a button for a key of the viewer, which may outlive it.

        It is a function, since napari asks what is bound to keys for its name.
        """

        def press(_: Any) -> None:
            if not self._life.over:
                button.click()

        return press

    def _listen_to(self, session: Session) -> None:
        self._link(session.trusted, self._tell_trust)
        self._link(session.failed, self._tell_problem)
        self._link(session.rendered, self._forget_problem)
        self._link(session.noted, self._check_trust)

    def _hear_change(self, steering: Steering) -> None:
        """Show it; what was said before, of what is another now, goes."""
        self.before.setChecked(False)
        super()._hear_change(steering)
        if self._session is not None and self._session.is_ready and self.save.isEnabled():
            self.state.tell("")

    def _show(self, steering: Steering) -> None:
        session = self._session
        self.undo.setEnabled(session is not None and session.can_undo)
        self.redo.setEnabled(session is not None and session.can_redo)
        self.reset.setEnabled(steering != Steering())

    def _end(self) -> None:
        self.before.setChecked(False)
        self.trust.tell("")
        self.problem.tell("")
        if self._session is None or self.save.isEnabled():  # else it goes on being saved
            self.save.setEnabled(True)
            self.state.tell("")

    def _with_session(self, wish: str) -> None:
        if self._session is not None:
            getattr(self._session, wish)()
            self._show(self._session.steering)

    def _show_before(self, original: bool) -> None:
        if self._session is not None:
            self._session.show_original(original)

    def _choose_file(self) -> None:
        session = self._session
        if session is None:
            return
        proposed = proposed_file(session.source)
        if self._folder is not None:
            proposed = self._folder / proposed.name
        kinds = ";;".join(
            f"{kind} ({' '.join('*' + suffix for suffix in suffixes)})"
            for kind, suffixes in KINDS.items()
        )
        path, kind = QFileDialog.getSaveFileName(self, "Save the picture", str(proposed), kinds)
        if path and not self._life.over:
            self._folder = Path(path).parent
            self.save_to(Path(path), kind.partition(" ")[0] or "PNG")

    def _tell_saved(self, path: Path) -> None:
        self.save.setEnabled(True)
        self.state.tell(f"Saved {path.name}, its hints beside it.")
        self.saved.emit(path)

    def _tell_not_saved(self, reason: str) -> None:
        self.save.setEnabled(True)
        self.state.tell("")
        self.problem.tell(f"Not saved: {reason}")

    def _tell_trust(self, trust: Any, fitted: float) -> None:
        if self._session is not None and not self._life.over:
            self.trust.tell(trust_sentence(trust, fitted))

    def _check_trust(self, _: str) -> None:
        """Say nothing of colours that are gone."""
        if self._session is not None and not self._life.over and self._session.result is None:
            self.trust.tell("")

    def _tell_problem(self, reason: str) -> None:
        if self._session is not None and not self._life.over:
            self.problem.tell(reason)

    def _forget_problem(self, _: Any) -> None:
        if self._session is not None and not self._life.over:
            self.problem.tell("")


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(40)
    return button
