"""The list of models with the card of the chosen one, and what can be done with it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.theme import get_theme
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QFileDialog, QGridLayout, QPushButton, QVBoxLayout, QWidget

from napari_colorize.docks.errand import run_errand
from napari_colorize.docks.life import Life
from napari_colorize.docks.model_events import model_wanted, models_changed
from napari_colorize.docks.models.model_bin import ModelBin
from napari_colorize.docks.models.model_card import ModelCard, plain_label
from napari_colorize.docks.models.model_measure import ModelMeasure
from napari_colorize.docks.models.models_list import Entry, ModelsList
from napari_colorize.docks.models.notes_field import NotesField
from napari_colorize.errors import ColorizeError
from napari_colorize.files.changing import note_model, rename_model
from napari_colorize.files.models import (
    SUFFIX,
    ModelInfo,
    duplicate_model,
    export_model,
    import_model,
)
from napari_colorize.files.removed import Removed, empty_bin, remove_model, restore_model

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from qtpy.QtGui import QDragEnterEvent, QDropEvent, QHideEvent

_CAME_ALONG = "This model came along and stays as it is; duplicate it to have one of your own."
_FAINT = 0.6  # of the text's colour
_FILES = f"Models (*{SUFFIX})"


class ModelsView(QWidget):
    """One's own and the bundled models, and the card of the chosen one.

    Parameters
    ----------
    viewer
        The viewer that the view belongs to.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._life = Life(self)
        self._busy = False
        self.setAcceptDrops(True)
        self._make_parts()
        self._lay_out()
        self._listen()
        self._restyle()
        self.refresh()

    # What others call.

    def refresh(self) -> None:
        """Read the list anew and keep what is chosen."""
        if not self._life.over:
            self.bin.read()
            self.list.read()

    def show_model(self, name: str) -> None:
        """Choose a model by its name, if there is one."""
        for entry in self.list.entries():
            if entry.name == name and entry.card is not None:
                self.list.choose(entry.path)
                return

    # Building.

    def _make_parts(self) -> None:
        """Make the parts."""
        self.list = ModelsList()
        self.use = _button("&Use", "Choose this model in the Colorize dock.")
        self.rename = _button("&Rename", "Type another name in the list (F2).")
        self.duplicate = _button("&Duplicate", "Copy this model among your own.")
        self.delete = _button(
            "Dele&te", "Put this model into the bin (Delete); Undo brings it back."
        )
        self.import_ = _button(
            "&Import…", "Copy model files among your own; dropping them does too."
        )
        self.export = _button("&Export…", "Copy this model to a file, to give it away.")
        self.measure = _button(
            "Measure…", "Colour photographs whose colours are known, and keep the figures."
        )
        self.status = plain_label("", "What was done, or why it could not be.")
        self.bin = ModelBin()
        self.measuring = ModelMeasure()
        self.notes = NotesField()
        self.card = ModelCard()

    def _lay_out(self) -> None:
        """Stack the parts."""
        buttons = QGridLayout()
        buttons.setSpacing(4)
        first = (self.use, self.rename, self.duplicate, self.delete)
        second = (self.import_, self.export, self.measure)
        for row, parts in enumerate((first, second)):
            for column, part in enumerate(parts):
                buttons.addWidget(part, row, column)
        layout = QVBoxLayout(self)
        layout.addWidget(self.list)
        layout.addLayout(buttons)
        lower: tuple[QWidget, ...] = (
            *(self.status, self.measuring, self.bin),
            *(self.notes, self.card),
        )
        for widget in lower:
            layout.addWidget(widget)
        layout.addStretch()
        self.status.hide()

    def _listen(self) -> None:
        """Connect the parts."""
        self.list.chosen.connect(self._show_chosen)
        self.list.renamed.connect(self._rename)
        self.list.remove_asked.connect(self._delete)
        self.list.undo_asked.connect(self._undo)
        self.notes.kept.connect(self._keep_notes)
        self.bin.undo_asked.connect(self._undo)
        self.bin.empty_asked.connect(self._empty)
        self.measuring.ended.connect(lambda said: self._changed(None, said))
        does: list[tuple[QPushButton, Callable[[], Any]]] = [
            (self.use, self._use),
            (self.rename, self.list.edit_name),
            (self.duplicate, self._duplicate),
            (self.delete, self._delete),
            (self.import_, self._choose_imports),
            (self.export, self._export),
            (self.measure, self._measure),
        ]
        for button, action in does:
            button.clicked.connect(lambda _, act=action: act())
        models_changed.connect(self.refresh)
        self._viewer.events.theme.connect(self._restyle)

    # The chosen model.

    def _show_chosen(self) -> None:
        """Show the card of what is chosen, and enable what can be done with it."""
        if self._life.over:
            return
        entry = self.list.current()
        if entry is None or entry.card is None:
            self.card.show_card(None)
            self.notes.hide()
            if entry is not None:
                self._say(entry.reason)
        else:
            self.card.show_card(entry.card, {"Size": _size(entry.path), "File": str(entry.path)})
            notes = entry.card.get("notes")
            self.notes.show_notes(str(entry.path), notes if isinstance(notes, str) else "")
            self.notes.setVisible(not entry.bundled)
        self._enable(entry)

    def _enable(self, entry: Entry | None) -> None:
        """Enable the buttons that suit what is chosen; the others say why not."""
        usable = entry is not None and entry.card is not None
        own = entry is not None and not entry.bundled
        free = not self._busy
        for button in (self.use, self.duplicate, self.export):
            button.setEnabled(usable and free)
        for button in (self.rename, self.measure):
            button.setEnabled(usable and own and free)
        self.measure.setEnabled(self.measure.isEnabled() and not self.measuring.is_under_way())
        self.delete.setEnabled(own and free)
        self.import_.setEnabled(free)
        for button in (self.rename, self.measure, self.delete):
            told = button.property("told")
            button.setToolTip(_CAME_ALONG if entry is not None and entry.bundled else told)

    def _use(self) -> None:
        entry = self.list.current()
        if entry is not None:
            model_wanted.emit(entry.name)
            self._say(f"The Colorize dock takes {entry.name!r}.")

    # Changes: beside the event loop, since files are copied.

    def _rename(self, entry: Entry, name: str) -> None:
        def done(model: ModelInfo) -> None:
            self.notes.move_draft(str(entry.path), str(model.path))
            changed = model.name != name.strip()
            kept = " (names have letters, digits, - _ and .)" if changed else ""
            self._changed(model.path, f"{entry.name!r} is called {model.name!r} now{kept}.")

        self._run(lambda: rename_model(entry.path, name), done)

    def _duplicate(self) -> None:
        entry = self.list.current()
        if entry is None:
            return

        def done(model: ModelInfo) -> None:
            self._changed(model.path, f"{model.name!r} is a copy of {entry.name!r}.")

        self._run(lambda: duplicate_model(entry.path), done)

    def _keep_notes(self, notes: str) -> None:
        entry = self.list.current()
        if entry is not None:
            self._run(
                lambda: note_model(entry.path, notes),
                lambda model: self._changed(model.path, "The notes are in the model's file."),
            )

    def _delete(self) -> None:
        entry = self.list.current()
        if entry is None or not self.delete.isEnabled():
            if entry is not None and entry.bundled:
                self._say(_CAME_ALONG)
            return

        self._run(lambda: remove_model(entry.path), lambda _: self._changed(None, ""))

    def _undo(self) -> None:
        """Take back the last deletion, then the one before it."""
        path = None if self.bin.last is None else self.bin.last.path
        self._run(
            lambda: restore_model(path),
            lambda back: self._changed(back, f"{back.stem!r} is back."),
        )

    def _empty(self, lying: list[Removed]) -> None:
        self._run(
            lambda: empty_bin(lying),
            lambda freed: self._changed(None, f"{freed[1] / 1e6:,.1f} MB freed."),
        )

    # Files that come and go.

    def _choose_imports(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, "Import models", "", _FILES)
        self._import([Path(file) for file in files])

    def _import(self, files: list[Path]) -> None:
        """Import files one after the other; one that cannot be is told and does not stop others."""

        def work() -> tuple[list[ModelInfo], list[str]]:
            models, reasons = [], []
            for file in files:
                try:
                    models.append(import_model(file))
                except ColorizeError as error:
                    reasons.append(str(error))
            return models, reasons

        def done(outcome: tuple[list[ModelInfo], list[str]]) -> None:
            models, reasons = outcome
            names = ", ".join(repr(model.name) for model in models)
            told = [f"In the list now: {names}."] * bool(models) + reasons
            self._changed(models[-1].path if models else None, "\n".join(told))

        if files:
            self._run(work, done)

    def _export(self) -> None:
        entry = self.list.current()
        if entry is None:
            return
        target, _ = QFileDialog.getSaveFileName(self, "Export model", entry.path.name, _FILES)
        if target:
            # The dialog asked about the file that was named, not about one with a suffix added.
            asked = Path(target).suffix == SUFFIX
            self._run(
                lambda: export_model(entry.path, target, force=asked),
                lambda path: self._say(f"Copied to {path}"),
            )

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Take model files, and nothing else."""
        if event is not None and _dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Import the files that are dropped."""
        if event is not None and self.import_.isEnabled():
            event.acceptProposedAction()
            self._import(_dropped(event))

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Keep notes that were typed: nobody may come back to them."""
        super().hideEvent(event)
        if self._life.over:
            return
        drafts = self.notes.drafts()
        for key, text in drafts.items():
            with contextlib.suppress(ColorizeError):  # it stays a draft
                note_model(Path(key), text)
                self.notes.settle(key, text)
        if drafts:
            self.refresh()

    def _measure(self) -> None:
        entry = self.list.current()
        if entry is not None and self.measuring.ask(entry.path):
            self._say("")
            self._enable(entry)

    # Keeping up.

    def _run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Do something with files in a thread, one thing at a time."""
        if self._busy:
            self._say("Still busy with what was asked for before; try again in a moment.")
            return
        self._busy = True
        self._enable(self.list.current())

        def ended(act: Callable[[], None]) -> None:
            self._busy = False
            if not self._life.over:
                act()
                self._enable(self.list.current())
            else:
                models_changed.emit()

        run_errand(
            work,
            lambda result: ended(lambda: done(result)),
            lambda reason: ended(lambda: self._failed(reason)),
        )

    def _changed(self, path: Path | None, said: str) -> None:
        """Tell all docks of a change, choose what it made, and say it."""
        models_changed.emit()
        if path is not None:
            self.list.choose(path)
        self._say(said)

    def _failed(self, reason: str) -> None:
        """Say why; the list may be older than what lies on the disk."""
        models_changed.emit()
        self._say(reason)

    def _say(self, text: str) -> None:
        # Qt breaks a line after a slash of itself, but not after a backslash.
        self.status.setText(text.replace("\\", "\\\u200b"))
        self.status.setVisible(bool(text))

    def _restyle(self) -> None:
        """Follow napari's theme."""
        if not self._life.over:
            grey = QColor(get_theme(self._viewer.theme).text.as_hex())
            grey.setAlphaF(_FAINT)
            self.list.set_grey(grey)


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setProperty("told", tooltip)
    return button


def _size(path: Path) -> str:
    """Return the size of a file in words; nothing where it is gone."""
    try:
        return f"{path.stat().st_size / 1e6:,.1f} MB"
    except OSError:
        return ""


def _dropped(event: QDropEvent) -> list[Path]:
    """Return the model files that are dragged."""
    data = event.mimeData()
    urls = data.urls() if data is not None else []
    files = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return [file for file in files if file.suffix.lower() == SUFFIX]
