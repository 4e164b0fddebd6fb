"""What is asked of a whole stack: the meaning of its axes, whether colours hold still, and who."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui import widgets

from napari_colorize.docks import preferences
from napari_colorize.docks.labels import align_labels
from napari_colorize.docks.stack_axes import MEANINGS, changed, meanings_of, remember

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image

_SECTION, _KEY = "colorizing", "scheduler"
_MEANING = (
    "What this axis is taken as. Along time and depth a thing keeps its colour; planes of an "
    "independent axis (channels, positions) have nothing to do with one another."
)
_HOLD = (
    "A thing keeps its colour from plane to plane: colours are carried along its motion, and "
    "begun anew where the picture changes all at once. Without it each plane is coloured by "
    "itself, which is faster and flickers."
)


class StackFields:
    """A row for each axis that is no plane axis, and the switches for a stack.

    The rows stand in the form itself, so that all its labels have one column.
    """

    def __init__(self) -> None:
        self._layers: Sequence[Image] = ()
        self._plane = (0, 0)
        self._shown: tuple[Any, ...] = ()
        self.rows: list[widgets.ComboBox] = []
        self.coherent = widgets.CheckBox(
            name="coherent", text="Hold colours still", value=True, tooltip=_HOLD
        )
        self.hints = widgets.CheckBox(
            name="hints",
            value=True,
            tooltip="Colour as the hints of the Steer dock say: each follows its thing to the "
            "planes around, until another hint says otherwise.",
        )
        self.scheduler = widgets.LineEdit(
            name="scheduler",
            label="Cluster",
            value=preferences.remembered(_KEY, "", _SECTION),
            tooltip="The address of a Dask scheduler, such as tcp://10.0.0.1:8786: its workers "
            "do the colouring. Empty is this computer.",
        )
        self.scheduler.native.setPlaceholderText("this computer")
        self.scheduler.changed.connect(self._keep_scheduler)

    @property
    def address(self) -> str:
        """The address of the scheduler, empty for this computer."""
        return str(self.scheduler.value).strip()

    def hide(self) -> None:
        """Ask nothing: no whole stack is to be coloured."""
        for field in (*self.rows, self.coherent, self.hints, self.scheduler):
            field.visible = False

    def show(self, *, hints: int, planes: int, lazy: bool) -> None:
        """Ask what concerns stacks; hints are those that there are, on so many planes."""
        for row in self.rows:
            row.visible = True
        self.coherent.visible = True
        self.hints.text = f"With {_count(hints, 'hint')} on {_count(planes, 'plane')}"
        self.hints.visible = bool(hints) and not lazy
        self.scheduler.visible = not lazy

    def suit(
        self, form: widgets.Container[Any], layers: Sequence[Image], plane: tuple[int, int]
    ) -> None:
        """Show what the axes of the first layer are taken as; a choice holds for all like it.

        Parameters
        ----------
        form : Container
            The rows are put into it, above the switches.
        layers : sequence of Image
            Layers of more than two axes.
        plane : (int, int)
            The axes of a plane in the first of them.
        """
        self._layers, self._plane = layers, plane
        layer, meanings = layers[0], meanings_of(layers[0], plane)
        others = [axis for axis in range(layer.ndim) if axis not in plane]
        data = layer.data[0] if layer.multiscale else layer.data
        told = tuple((str(layer.axis_labels[axis]), int(data.shape[axis])) for axis in others)
        if told != self._shown:
            self._shown = told
            self._renew(form, told)
        for row, meaning in zip(self.rows, meanings, strict=True):
            with row.changed.blocked():
                row.value = meaning

    def _renew(self, form: widgets.Container[Any], told: tuple[tuple[str, int], ...]) -> None:
        with form.changed.blocked():
            for row in self.rows:
                form.remove(row)
            self.rows = [self._row(number, *axis) for number, axis in enumerate(told)]
            for row in self.rows:
                form.insert(form.index(self.coherent), row)
        align_labels(form.native)

    def _row(self, number: int, label: str, length: int) -> widgets.ComboBox:
        row = widgets.ComboBox(
            name=f"axis_{number}",
            label=f"Axis {label} ({length})",
            choices=[(words, key) for key, words in MEANINGS.items()],
            tooltip=_MEANING,
        )
        row.changed.connect(lambda key: self._take(number, key))
        return row

    def _take(self, number: int, meaning: str) -> None:
        first = self._layers[0]
        meanings = changed(meanings_of(first, self._plane), number, meaning)
        for layer in self._layers:
            if layer.ndim == first.ndim:
                remember(layer, self._plane, meanings)

    def _keep_scheduler(self) -> None:
        preferences.remember(_KEY, self.address, _SECTION)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
