"""Whether a widget still is: Python's half of it may outlive Qt's, and signals still reach it."""

from __future__ import annotations

from qtpy.QtCore import QObject


class Life:
    """``over`` once Qt has destroyed the object; keep it on the object that it is of.

    A slot of the object itself would not be called any more by its own ``destroyed``.
    """

    def __init__(self, of: QObject) -> None:
        self.over = False
        of.destroyed.connect(self._end)

    def _end(self) -> None:
        self.over = True
