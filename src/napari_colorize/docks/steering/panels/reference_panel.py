"""Another picture sets the mood: its palette steers the colours, as strongly as is wanted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
)
from superqt.utils import signals_blocked

from napari_colorize.color.steering import Reference, Steering
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.layers import take_source
from napari_colorize.docks.steering.panels.amount import AmountRow, Scale
from napari_colorize.docks.steering.panels.palette_stripes import PaletteStripes, Stripe, stripes_of
from napari_colorize.docks.steering.panels.panel import SteeringPanel, column
from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.files.pictures import PICTURE_SUFFIXES, read_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from napari.layers import Layer

    from napari_colorize.prediction.colorizer import Colorizer

_NONE = "Choose a layer…"
_STRENGTH = Scale(0, 200, 1, " %", factor=100)
_STRENGTH_TIP = (
    "How strongly the palette of the reference draws the colours: 0 % is as if there were none, "
    "200 % holds to it closely."
)


class ReferencePanel(SteeringPanel):
    """Choose a layer or a file whose palette sets the mood, see its colours, set its strength."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._stripes_of: tuple[float, ...] = ()
        self._layers: list[Layer] = []
        self._make_widgets()
        self._lay_out()
        self._listen()
        self._list_layers()
        self._show(Steering())
        self.setEnabled(False)
        self.setAcceptDrops(True)

    def take_file(self, path: Path) -> None:
        """Take the palette of a picture file."""
        self._take(lambda: _pixels_of_file(path), path.name)

    def take_layer(self, layer: Layer) -> None:
        """Take the palette of a layer, of a stack that of the plane in view."""
        try:
            source = take_source(self._viewer, layer, whole=False)
        except PictureError as error:
            self.note.tell(str(error))
            return
        key = next(source.cuts())[0]
        self._take(lambda: source.read(key), layer.name)

    def remove(self) -> None:
        """Go on without a reference."""
        if self._session is not None:
            self._change(replace(self._session.steering, reference=None))

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Take a picture file that is dragged here."""
        if event is not None and _dropped_file(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Take the palette of a file that is dropped here."""
        path = None if event is None else _dropped_file(event)
        if event is not None and path is not None:
            event.acceptProposedAction()
            self.take_file(path)

    def _make_widgets(self) -> None:
        self.layer = QComboBox()
        self.layer.setToolTip("A colour layer whose palette sets the mood.")
        self.layer.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.layer.setMinimumContentsLength(12)
        self.file = QPushButton("File…")
        self.file.setToolTip("A picture file whose palette sets the mood; drop one here as well.")
        self.named = QLabel()
        self.named.setTextFormat(Qt.TextFormat.PlainText)
        self.named.setWordWrap(True)
        self.stripes = PaletteStripes()
        self.strength = AmountRow(self, "Strength", _STRENGTH, _STRENGTH_TIP)
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip("Go on without a reference.")
        self.note = FieldNote()

    def _lay_out(self) -> None:
        layout = column(self)
        choice = QHBoxLayout()
        choice.addWidget(self.layer, 1)
        choice.addWidget(self.file)
        layout.addLayout(choice)
        layout.addWidget(self.note)
        shown = QHBoxLayout()
        shown.addWidget(self.named, 1)
        shown.addWidget(self.remove_button)
        layout.addLayout(shown)
        layout.addWidget(self.stripes)
        grid = QGridLayout()
        self.strength.place(grid, 0)
        layout.addLayout(grid)
        layout.addStretch()

    def _listen(self) -> None:
        self.layer.activated.connect(self._choose_layer)
        self.file.clicked.connect(self._choose_file)
        self.remove_button.clicked.connect(self.remove)
        self.strength.moved.connect(self._set_strength)
        self.strength.reset_wanted.connect(lambda: self._set_strength(1.0))
        events = self._viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            event.connect(self._list_layers)

    def _list_layers(self, _: Any = None) -> None:
        if self._life.over:
            return
        layers = [layer for layer in reversed(self._viewer.layers) if _has_colors(layer)]
        result = None if self._session is None else self._session.result
        self._layers = [layer for layer in layers if layer is not result and layer != result]
        with signals_blocked(self.layer):
            self.layer.clear()
            self.layer.addItem(_NONE if self._layers else "No other colour layer is open")
            self.layer.addItems([layer.name for layer in self._layers])

    def _begin(self, session: Any) -> None:
        self._list_layers()

    def _end(self) -> None:
        self.note.tell("")

    def _choose_layer(self, index: int) -> None:
        if 0 < index <= len(self._layers):
            self.take_layer(self._layers[index - 1])

    def _choose_file(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in sorted(PICTURE_SUFFIXES))
        path, _ = QFileDialog.getOpenFileName(
            self, "A picture whose palette sets the mood", "", f"Pictures ({patterns})"
        )
        if path and not self._life.over:
            self.take_file(Path(path))

    def _take(self, read: Callable[[], Any], name: str) -> None:
        if self._session is None:
            return
        kept = self._session.steering.reference
        strength = 1.0 if kept is None else kept.strength
        self.note.tell("")
        self.named.setText(f"Reading {name}…")

        def work(colorizer: Colorizer) -> Reference:
            reference: Reference = colorizer.reference_of(read(), name, strength)
            return reference

        self._ask(work, self._set_reference, self._refuse)

    def _set_reference(self, reference: Reference) -> None:
        if self._session is not None:
            self._change(replace(self._session.steering, reference=reference))
            self._show(self._session.steering)

    def _refuse(self, reason: str) -> None:
        self.note.tell(reason)
        if self._session is not None:
            self._show(self._session.steering)

    def _set_strength(self, value: float) -> None:
        if self._session is None or self._session.steering.reference is None:
            return
        steering = self._session.steering
        reference = replace(steering.reference, strength=value)  # type: ignore[type-var]
        self._change(replace(steering, reference=reference))

    def _show(self, steering: Steering) -> None:
        reference = steering.reference
        self.named.setText("No reference yet." if reference is None else reference.name)
        self.named.setToolTip("What the palette was taken from.")
        self.remove_button.setEnabled(reference is not None)
        self.strength.set_enabled(reference is not None)
        self.strength.show_value(1.0 if reference is None else reference.strength, 1.0)
        shares = () if reference is None else reference.shares
        if shares == self._stripes_of:
            return
        self._stripes_of = shares
        self.stripes.show_stripes(())
        if shares:
            self._ask(lambda _: (shares, stripes_of(shares)), self._show_stripes, self.note.tell)

    def _show_stripes(self, answer: tuple[tuple[float, ...], tuple[Stripe, ...]]) -> None:
        shares, stripes = answer
        if shares == self._stripes_of:
            self.stripes.show_stripes(stripes)


def _has_colors(layer: Layer) -> bool:
    return isinstance(layer, Image) and bool(layer.rgb)


def _pixels_of_file(path: Path) -> Any:
    try:
        return read_picture(path).pixels
    except PictureError as error:  # its text does not name the file
        reason = str(error).rstrip(".")
        raise ColorizeError(f"{path.name} cannot be used: {reason}.") from error


def _dropped_file(event: QDropEvent) -> Path | None:
    """Return the one picture file that is dropped, None when it is something else."""
    data = event.mimeData()
    urls = [] if data is None else data.urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return path if path.suffix.lower() in PICTURE_SUFFIXES else None
