"""Coherent versions of the picture: pick one and go on from there, or have all as one layer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QToolButton,
)

from napari_colorize.color.steering import AnyHint, Steering
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.layers import RECORD
from napari_colorize.docks.steering.panels.panel import SteeringPanel, column
from napari_colorize.docks.steering.panels.version_maker import (
    Stacked,
    Version,
    find_versions,
    thumbnail,
)
from napari_colorize.docks.steering.session.places import Plane
from napari_colorize.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from numpy.typing import NDArray

    from napari_colorize.prediction.colorizer import Colorizer

_COLUMNS = 3
_ICON = QSize(96, 96)  # three of them fit into a narrow dock
_FEWEST, _MOST, _USUAL = 2, 16, 6
_ON_TOP = "'{}' lies on top: switch its eye off in the list of layers to go on with one colouring."
_EXPLANATION = "Each is one way the picture may have looked. Click one to go on from there."


class VersionsPanel(SteeringPanel):
    """Thumbnails of versions; a click takes one, a second click takes it back."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._seed = 0
        self._round = 0  # work of an older one is dropped
        self._versions: list[Version] = []
        self._base: tuple[AnyHint, ...] = ()
        self._dropped: set[AnyHint] = set()  # anchors of versions shown before these
        self.thumbnails: list[QToolButton] = []
        self._make_widgets()
        self._lay_out()
        self._listen()
        self._idle()
        self.setEnabled(False)

    # What a person presses.

    def show_versions(self) -> None:
        """Have versions made, and their small pictures; what is taken by now stays in all."""
        self._dropped = set()
        self._make_versions()

    def show_others(self) -> None:
        """Have versions made that are different from those that are shown."""
        self._seed += 1
        self._dropped |= {anchor for version in self._versions for anchor in version.anchors}
        self._make_versions()

    def cancel(self) -> None:
        """Stop what is being made; what is shown stays."""
        self._round += 1
        self._idle()

    def add_layer(self) -> None:
        """Add all versions as one layer, a slider goes through them."""
        session = self._session
        if session is None or not self._versions:
            return
        self._round += 1
        base = replace(session.steering, hints=self._base)
        try:
            stacked = Stacked(session.source, len(self._versions))
        except PictureError as error:
            self.problem.tell(str(error))
            return
        self._busy("Colouring the versions…", len(self._versions))
        self._fill_next(stacked, list(self._versions), base)

    def take(self, number: int) -> None:
        """Go on from a version, or without it if it is the one that is taken."""
        session = self._session
        if session is None:
            return
        version = self._versions[number - 1]
        kept = replace(session.steering, hints=self._without_versions(session.steering.hints))
        taken = self._is_taken(version, session.steering)
        self._change(kept if taken else version.joined_to(kept))
        self._show(session.steering)

    # The widgets.

    def _make_widgets(self) -> None:
        self.count = QSpinBox()
        self.count.setRange(_FEWEST, _MOST)
        self.count.setValue(_USUAL)
        self.count.setMaximumWidth(90)
        self.count.setToolTip(f"How many, {_FEWEST} to {_MOST}.")
        self.show_button = QPushButton("Show versions")
        self.show_button.setToolTip("Make that many colourings, each coherent in itself.")
        self.others = QPushButton("Other versions")
        self.others.setToolTip("Make as many that are different from these.")
        self.layer_button = QPushButton("As one layer")
        self.layer_button.setToolTip(
            "Add all of them in full size as one layer; napari's slider goes through them."
        )
        self.bar = QProgressBar()
        self.bar.setToolTip("How many are made.")
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop; what is shown already stays.")
        self.state = FieldNote("aside")
        self.problem = FieldNote()

    def _lay_out(self) -> None:
        layout = column(self)
        first = QHBoxLayout()
        first.addWidget(self.count)
        first.addWidget(self.show_button, 1)
        first.addWidget(self.others, 1)
        layout.addLayout(first)
        layout.addWidget(self.state)
        layout.addWidget(self.problem)
        progress = QHBoxLayout()
        progress.addWidget(self.bar, 1)
        progress.addWidget(self.cancel_button)
        layout.addLayout(progress)
        self._grid = QGridLayout()
        self._grid.setSpacing(4)
        layout.addLayout(self._grid)
        layout.addWidget(self.layer_button)
        layout.addStretch()

    def _listen(self) -> None:
        self.show_button.clicked.connect(self.show_versions)
        self.others.clicked.connect(self.show_others)
        self.cancel_button.clicked.connect(self.cancel)
        self.layer_button.clicked.connect(self.add_layer)
        self._viewer.events.theme.connect(self._restyle)

    def _make_thumbnail(self, version: Version) -> QToolButton:
        button = QToolButton()
        button.setCheckable(True)
        button.setIconSize(_ICON)
        button.setStyleSheet(self._mark_of_taken())
        button.setToolTip(
            f"Go on from version {version.number}; a second click takes it back. "
            "What it brings becomes hints, and can be undone."
        )
        button.setText(f"Version {version.number}…")
        button.clicked.connect(lambda: self.take(version.number))
        place = divmod(version.number - 1, _COLUMNS)
        self._grid.addWidget(button, *place, alignment=Qt.AlignmentFlag.AlignCenter)
        return button

    def _mark_of_taken(self) -> str:
        """Return the sheet that frames the version that is taken, in the theme's colour."""
        colour = get_theme(self._viewer.theme).current.as_hex()
        return (
            "QToolButton { border: 3px solid transparent; border-radius: 4px; padding: 0px }"
            f"QToolButton:checked {{ border-color: {colour} }}"
        )

    def _restyle(self, _: Any = None) -> None:
        """Follow napari's theme."""
        if not self._life.over:
            for button in self.thumbnails:
                button.setStyleSheet(self._mark_of_taken())

    # The work, one job of the session after the other.

    @property
    def _count(self) -> int:
        return self.count.value()

    def _make_versions(self) -> None:
        self._start_round()
        session = self._session
        if session is None:
            return
        self._base = self._without_versions(session.steering.hints)
        base, seed, count = replace(session.steering, hints=self._base), self._seed, self._count
        is_over = self._round_is_over()
        self._busy("Looking for versions…", count)
        self._ask(
            lambda colorizer: find_versions(colorizer, count, base, seed, is_over),
            self._in_round(lambda found: self._show_found(found, base)),
            self._in_round(self._fail),
        )

    def _start_round(self) -> None:
        self._round += 1
        self._versions = []
        self.problem.tell("")
        for button in self.thumbnails:
            self._grid.removeWidget(button)
            button.deleteLater()
        self.thumbnails = []

    def _in_round(self, hear: Any) -> Any:
        """Return the same, but deaf once another round has begun."""
        began = self._round

        def heard(answer: Any) -> None:
            if self._round == began:
                hear(answer)

        return heard

    def _round_is_over(self) -> Callable[[], bool]:
        """Return what tells whether the round of now has been cancelled, or replaced."""
        began = self._round
        return lambda: self._round != began

    def _show_found(self, versions: list[Version], base: Steering) -> None:
        self._versions = versions
        self.bar.setMaximum(max(1, len(versions)))
        self.thumbnails = [self._make_thumbnail(version) for version in versions]
        self._draw_next(list(versions), base)

    def _draw_next(self, left: list[Version], base: Steering) -> None:
        """Have the next small picture made: one at a time, so that steering comes between."""
        if not left or self._session is None:
            self._idle()
            return
        version, shape = left[0], Plane.of(self._session.source).shape

        def drawn(pixels: NDArray[np.uint8]) -> None:
            button = self.thumbnails[version.number - 1]
            button.setIcon(icon := _icon(pixels))
            button.setIconSize(icon.availableSizes()[0])
            self.bar.setValue(version.number)
            self._draw_next(left[1:], base)

        self._ask(
            lambda colorizer: thumbnail(colorizer, version.joined_to(base), shape),
            self._in_round(drawn),
            self._in_round(self._fail),
        )

    def _fill_next(self, stacked: Stacked, left: list[Version], base: Steering) -> None:
        if self._session is None:
            return
        if not left:
            self._add(stacked)
            self._idle()
            return
        version, is_over = left[0], self._round_is_over()

        def work(colorizer: Colorizer) -> None:
            wanted = version.joined_to(base)
            stacked.fill(colorizer, version.number - 1, wanted, is_over)

        def filled(_: None) -> None:
            self.bar.setValue(version.number)
            self._fill_next(stacked, left[1:], base)

        self._ask(work, self._in_round(filled), self._in_round(self._fail))

    def _add(self, stacked: Stacked) -> None:
        session = self._session
        if session is None:
            return
        name = session.source.layer.name
        record = {"model": session.model_name, "source": name, "versions": len(self._versions)}
        layer = Image(
            stacked.pixels,
            rgb=True,
            name=f"{name} [versions]",
            metadata={RECORD: record},
            **stacked.geometry(),
        )
        self._viewer.add_layer(layer)
        session.noted.emit(_ON_TOP.format(layer.name))

    def _fail(self, reason: str) -> None:
        self._idle()
        self.problem.tell(reason)

    # How it stands.

    def _busy(self, doing: str, total: int) -> None:
        self.problem.tell("")
        self.bar.setRange(0, total)
        self.bar.setValue(0)
        self.bar.setFormat(doing)
        self.bar.show()
        self.cancel_button.show()
        self._update()

    def _idle(self) -> None:
        self.bar.hide()
        self.cancel_button.hide()
        self._update()

    def _update(self) -> None:
        busy, any_ = not self.cancel_button.isHidden(), bool(self._versions)
        self.show_button.setEnabled(not busy)
        self.others.setEnabled(any_ and not busy)
        self.layer_button.setVisible(any_)
        self.layer_button.setEnabled(not busy)
        self.state.tell(_EXPLANATION)

    def _show(self, steering: Steering) -> None:
        for button, version in zip(self.thumbnails, self._versions, strict=False):
            button.setChecked(self._is_taken(version, steering))

    def _end(self) -> None:
        self._start_round()
        self._seed = 0
        self._dropped = set()
        self._idle()

    def _is_taken(self, version: Version, steering: Steering) -> bool:
        return bool(version.anchors) and set(version.anchors) <= set(steering.hints)

    def _without_versions(self, hints: tuple[AnyHint, ...]) -> tuple[AnyHint, ...]:
        """Return the hints without the anchors of the versions that are shown."""
        ours: set[AnyHint] = {anchor for version in self._versions for anchor in version.anchors}
        ours |= self._dropped
        return tuple(hint for hint in hints if hint not in ours)


def _icon(pixels: NDArray[np.uint8]) -> QIcon:
    """Return a small picture, (h, w, 3) uint8, as an icon."""
    height, width = pixels.shape[:2]
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    fitted = QPixmap.fromImage(image).scaled(
        _ICON,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    return QIcon(fitted)
