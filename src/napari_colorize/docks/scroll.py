"""A form that scrolls instead of making napari's window taller than the screen."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import Container
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

# Pixels that a dock keeps when another is opened below it: enough to see that there is a form.
LEAST_HEIGHT = 180


class ScrollArea(QScrollArea):
    """A scroll area that tells when it comes into view."""

    shown = Signal()
    _magic_widget: Container[Any]  # napari finds the form of a dock by this name

    def minimumSizeHint(self) -> QSize:
        """Return a size that is wide enough for what is in it: it scrolls up and down only."""
        hint, inner, bar = super().minimumSizeHint(), self.widget(), self.verticalScrollBar()
        if inner is not None and bar is not None and not self._scrolls_sideways():
            width = inner.minimumSizeHint().width() + bar.sizeHint().width()
            hint.setWidth(max(hint.width(), width))
        return hint

    def _scrolls_sideways(self) -> bool:
        return self.horizontalScrollBarPolicy() != Qt.ScrollBarPolicy.ScrollBarAlwaysOff

    def showEvent(self, event: QShowEvent | None) -> None:
        """Tell that the area is shown."""
        super().showEvent(event)
        self.shown.emit()


def scrolled(*widgets: QWidget) -> ScrollArea:
    """Return a scroll area with widgets one above the other, as wide as it is."""
    inner = QWidget()
    layout = QVBoxLayout(inner)
    layout.setContentsMargins(6, 6, 6, 6)
    for widget in widgets:
        layout.addWidget(widget)
    layout.addStretch()
    area = ScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inner)
    return area


class ScrollContainer(Container[Any]):
    """A magicgui form whose `native`, what napari puts into a dock, is a scroll area.

    magicgui's own ``scrollable=True`` has no effect in a dock: napari docks the inner widget.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        form = super().native
        form.layout().addStretch()
        area = ScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setMinimumHeight(LEAST_HEIGHT)
        area.setWidget(form)
        area._magic_widget = self
        self._scroll_area = area

    @property
    def scroll_area(self) -> ScrollArea:
        """The scroll area around the form."""
        return self._scroll_area

    @property
    def native(self) -> Any:
        """The widget that napari docks: the scroll area, or the form while it is being made."""
        return self.__dict__.get("_scroll_area", super().native)
