"""Opening a model file in napari: its card is shown, and it can be imported.

A model is no layer, so none is added. Only the header of the file is read until it is imported;
nothing in it is ever unpickled.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_colorize.errors import ColorizeError
from napari_colorize.files.cards import read_card
from napari_colorize.files.models import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_colorize.docks.models.model_dialog import ModelDialog


Paths = str | list[str]

# A dialog that no window owns lives only as long as Python knows it.
_shown: set[ModelDialog] = set()


def get_reader(path: Paths | None = None) -> Callable[[Paths], list[tuple[None]]] | None:
    """Return what opens model files; None for files of another kind.

    Napari's command palette calls it without a path: then it asks for files and shows them.
    """
    if path is None:
        from qtpy.QtWidgets import QFileDialog

        files, _ = QFileDialog.getOpenFileNames(None, "Open a model", "", f"Models (*{SUFFIX})")
        show_cards(files)
        return None
    if all(one.lower().endswith(SUFFIX) for one in _listed(path)):
        return show_cards
    return None


def show_cards(path: Paths, **_: Any) -> list[tuple[None]]:
    """Show the card of each file in a dialog, or tell why it cannot be used; add no layer."""
    from napari.utils.notifications import show_warning

    for one in _listed(path):
        try:
            card = read_card(one)
        except ColorizeError as error:
            show_warning(str(error))
            continue
        _show(Path(one), card)
    return [(None,)]


def _show(path: Path, card: dict[str, Any]) -> None:
    """Open the dialog; without a running Qt there is nobody to show it to, so the card is told."""
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is None:
        from napari.utils.notifications import show_info

        show_info(f"{path.name} is a model: napari-colorize models import {path}")
        return
    from napari_colorize.docks.models.model_dialog import ModelDialog

    dialog = ModelDialog(path, card)
    _shown.add(dialog)
    dialog.finished.connect(lambda _: _shown.discard(dialog))
    dialog.show()


def _listed(path: Paths) -> list[str]:
    return [path] if isinstance(path, str) else list(path)
