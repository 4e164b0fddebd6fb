"""Labels that hold a sentence of any length, and the labels of a form."""

from __future__ import annotations

from magicgui.widgets import Label
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget


def text_label(name: str, tooltip: str) -> Label:
    """Return a hidden label whose text wraps, is taken literally, and widens nothing."""
    label = Label(name=name, value="", tooltip=tooltip, visible=False)
    label.native.setWordWrap(True)
    label.native.setTextFormat(Qt.TextFormat.PlainText)
    label.native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    label.native.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def show_text(label: Label, text: str) -> None:
    """Show a text, or nothing at all when it is empty."""
    # Qt breaks a line after a slash of itself, but not after a backslash.
    label.value = text.replace("\\", "\\\u200b")
    label.visible = bool(text)


def sentence(tooltip: str) -> QLabel:
    """Return the same without magicgui around it; `tell` shows a text in it."""
    label = QLabel()
    label.setToolTip(tooltip)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setVisible(False)
    return label


def tell(label: QLabel, text: str) -> None:
    """Show a text in a label of `sentence`, or nothing at all when it is empty."""
    label.setText(text.replace("\\", "\\\u200b"))
    label.setVisible(bool(text))


def align_labels(form: QWidget) -> None:
    """Make the labels of a form equally wide; call it when napari's style is on them."""
    labels = form.findChildren(QLabel)
    widest = max(label.sizeHint().width() for label in labels)
    for label in labels:
        label.setMinimumWidth(widest)
