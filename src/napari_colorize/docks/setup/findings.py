"""The box below the photographs: what the folder doctor found, or how far it has come."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_colorize.docks.labels import sentence, tell
from napari_colorize.docks.setup.examining import THUMBNAILS, Findings, Progress, Thumbnail

_SIDE = 40  # of a thumbnail: eight of them fit into a dock 400 pixels wide
_GAP = 4
_DETAILS_HEIGHT = 110
_NO_LIKENESS = "Near duplicates were not looked for: the package imagehash is not installed."


class FindingsBox(QWidget):
    """Shows how a look at photographs goes on, and what was found.

    ``cancelled`` and ``again`` tell that its buttons were pressed.
    """

    cancelled = Signal()
    again = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._make_progress()
        self._make_summary()
        self.strip = ThumbnailStrip()
        self._make_details()
        self._parts = (
            self._progress_row,
            self._summary_row,
            self.strip,
            self._left_out_row,
            self.details,
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_GAP)
        for part in self._parts:
            layout.addWidget(part)
        layout.addStretch()
        self.clear()

    def clear(self) -> None:
        """Show nothing."""
        for part in self._parts:
            part.hide()
        self.toggle.setChecked(False)

    def set_editable(self, editable: bool) -> None:
        """Let it be looked again or not."""
        self.look_again.setEnabled(editable)

    def show_progress(self, progress: Progress) -> None:
        """Show how far the look has come; what was found before goes."""
        if self._progress_row.isHidden():
            self.clear()
            self._progress_row.show()
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)
        count = f": {progress.done} of {progress.total}" if progress.total else "…"
        self.bar.setFormat((progress.doing + count).replace("%", "%%"))

    def show_note(self, text: str) -> None:
        """Show a sentence in the place of findings, and the way to look again."""
        self.clear()
        tell(self.summary, text)
        self._summary_row.show()

    def show_findings(self, findings: Findings) -> None:
        """Show what was found."""
        self.show_note(_summary(findings))
        self.strip.show_thumbnails(findings.thumbnails)
        left_out = sum(one.count for one in findings.left_out)
        self._left_out_row.setVisible(bool(left_out))
        self.toggle.setText(f"{left_out:,} left out")
        tell(self.why, ", ".join(f"{one.count:,} {one.reason}" for one in findings.left_out))
        self.details.setPlainText(_names(findings))

    def _make_progress(self) -> None:
        self.bar = QProgressBar()
        self.bar.setToolTip(
            "The photographs are looked at and made ready for the training, which need not "
            "do it again."
        )
        self.bar.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Do not look at the photographs now; the training will do it.")
        self.cancel.setAccessibleName("Cancel the look at the photographs")
        self.cancel.clicked.connect(lambda: self.cancelled.emit())
        self._progress_row = _row((self.bar, 1), (self.cancel, 0))

    def _make_summary(self) -> None:
        self.summary = sentence("What the photographs will be used for.")
        self.look_again = QPushButton("Look again")
        self.look_again.setToolTip("Look at the photographs once more, for example after a change.")
        self.look_again.clicked.connect(lambda: self.again.emit())
        self._summary_row = _row((self.summary, 1), (self.look_again, 0))

    def _make_details(self) -> None:
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.setToolTip("Show the names of the pictures that are left out.")
        self.toggle.setArrowType(Qt.ArrowType.RightArrow)
        self.toggle.toggled.connect(self._unfold)
        self.why = sentence("Why pictures are left out.")
        self._left_out_row = _row((self.toggle, 0), (self.why, 1))
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details.setFixedHeight(_DETAILS_HEIGHT)
        self.details.setTabChangesFocus(True)
        self.details.setAccessibleName("Pictures that are left out")
        self.details.setToolTip("Which pictures are left out, and why.")

    def _unfold(self, open_: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow
        self.toggle.setArrowType(arrow)
        self.details.setVisible(open_)


class ThumbnailStrip(QWidget):
    """A row of small pictures."""

    def __init__(self) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_GAP)
        self.labels = [QLabel() for _ in range(THUMBNAILS)]
        for label in self.labels:
            label.setFixedSize(QSize(_SIDE, _SIDE))
            layout.addWidget(label)
        layout.addStretch()

    def show_thumbnails(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        """Show these pictures; nothing at all if there are none."""
        self.setVisible(bool(thumbnails))
        for number, label in enumerate(self.labels):
            label.setVisible(number < len(thumbnails))
            if number < len(thumbnails):
                label.setPixmap(_pixmap(thumbnails[number], self.devicePixelRatioF()))
                label.setToolTip(thumbnails[number].name)


def _pixmap(thumbnail: Thumbnail, ratio: float) -> QPixmap:
    pixels = thumbnail.pixels
    height, width, _ = pixels.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    side = round(_SIDE * ratio)
    smooth = Qt.TransformationMode.SmoothTransformation
    pixmap = QPixmap.fromImage(
        image.scaled(side, side, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    )
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _row(*parts: tuple[QWidget, int]) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for number, (part, stretch) in enumerate(parts):
        layout.addWidget(part, stretch)
        side = Qt.AlignmentFlag.AlignRight if number else Qt.AlignmentFlag.AlignLeft
        if not stretch:
            layout.setAlignment(part, Qt.AlignmentFlag.AlignTop | side)
    return row


def _summary(findings: Findings) -> str:
    """Return in words what the pictures will be used for."""
    used = findings.total - sum(one.count for one in findings.left_out)
    split = f"{findings.train:,} to learn from, {findings.validation:,} to check with"
    lines = [f"{used:,} of {_pictures(findings.total)} can be used: {split}."]
    if not used:
        lines = [f"None of {_pictures(findings.total)} can be used."]
    if findings.doubles:
        lines.append(f"{findings.doubles:,} are only checked with: they are in both folders.")
    if not findings.near_sought:
        lines.append(_NO_LIKENESS)
    return "\n".join(lines)


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count:,} pictures"


def _names(findings: Findings) -> str:
    """Return the names of what is left out, below the reason of each."""
    lines: list[str] = []
    for one in findings.left_out:
        lines += [f"{one.reason} ({one.count}):", *(f"    {name}" for name in one.names)]
        if one.count > len(one.names):
            lines.append(f"    and {one.count - len(one.names)} more")
    return "\n".join(lines)
