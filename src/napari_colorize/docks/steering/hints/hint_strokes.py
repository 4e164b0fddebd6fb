"""A Labels layer of napari as strokes: each label is an area with the colour it is shown in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_colorize.color.hints import Color
from napari_colorize.color.strokes import LabelMap, Strokes
from napari_colorize.docks.geometry import lay
from napari_colorize.docks.layers import geometry_of
from napari_colorize.docks.steering.session.places import GEOMETRY, Passage, Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorize.docks.layers import Source

# Width of a new brush: this part of the picture's short side, but so many pixels at least.
_PART, _LEAST = 1 / 30, 4
# `labels_update` comes while the brush moves, `set_data` with undo and redo.
_EVENTS = ("data", "set_data", "labels_update", "paint", "colormap", *GEOMETRY)


def new_strokes(source: Source) -> Labels:
    """Return an empty Labels layer for the plane in view, ready to be painted into."""
    layer = Labels(
        np.zeros(source.result_shape[:-1], np.uint16),
        name=f"{source.layer.name} [strokes]",
        opacity=0.6,
        colormap=_colormap({}),
        **_geometry(source),
    )
    layer.brush_size = max(_LEAST, round(min(Plane.of(source).shape) * _PART))
    return layer


def _geometry(source: Source) -> dict[str, Any]:
    """Return where the picture's plane lies now."""
    return geometry_of(source.layer, source.axes, source.place)


class HintStrokes:
    """Keeps watch over one Labels layer.

    Parameters
    ----------
    layer
        The labels.
    source
        The plane that is painted on; may be set anew.
    changed
        Called whenever strokes may be others, often in vain.
    label_chosen
        Called when another label is selected, or a label's colour is another.
    """

    def __init__(
        self,
        layer: Labels,
        source: Source,
        changed: Callable[[], None],
        label_chosen: Callable[[], None],
    ) -> None:
        self.layer = layer
        self.source = source
        self._changed = changed
        self._label_chosen = label_chosen
        self._brush_is_down = self._is_ended = False
        self._is_taken = False  # a part of the stroke that is being painted
        for name in _EVENTS:
            getattr(layer.events, name).connect(self._hear)
        layer.events.selected_label.connect(self._hear_label)
        for name in GEOMETRY:
            getattr(source.layer.events, name).connect(self._hear_picture)
            getattr(layer.events, name).connect(self._hear_geometry)
        self._hear_geometry()

    def close(self) -> None:
        """Let go of the layer."""
        for name in _EVENTS:
            getattr(self.layer.events, name).disconnect(self._hear)
        self.layer.events.selected_label.disconnect(self._hear_label)
        for name in GEOMETRY:
            getattr(self.source.layer.events, name).disconnect(self._hear_picture)
            getattr(self.layer.events, name).disconnect(self._hear_geometry)

    def problem(self) -> str:
        """Return why the layer cannot be painted into for this picture, or nothing."""
        wanted = tuple(self.source.result_shape[:-1])
        if tuple(self.layer.data.shape) == wanted:
            return ""
        return (
            f"'{self.layer.name}' has the shape {_told(self.layer.data.shape)} and not "
            f"{_told(wanted)} as the picture: its strokes are not used. Add new strokes."
        )

    def strokes(self, color: Color) -> tuple[Strokes, ...]:
        """Return the strokes as a tuple of one, empty where nothing is painted.

        Parameters
        ----------
        color
            What labels get that have none of their own: a person may count them up.
        """
        if self.problem():
            return ()
        areas = LabelMap.from_array(self._on_picture())
        if not areas.labels:
            return ()
        known = self._colors()
        if new := {label: color for label in areas.labels if label not in known}:
            self._set_colors(known | new)
        colors = known | new
        return (Strokes(areas, tuple((n, colors[n]) for n in areas.labels)),)

    def write(self, strokes: tuple[Strokes, ...]) -> None:
        """Bring the layer to these strokes, the later ones above; its colours stay known."""
        labels = np.zeros(Plane.of(self.source).shape, np.uint16)
        colors = self._colors()
        for one in strokes:
            if one.areas.shape != labels.shape:
                continue
            array = one.areas.to_array()
            for label, color in one.colors:
                wanted = _label_of(color, colors)
                colors[wanted] = color
                labels[array == label] = wanted
        self._set_colors(colors)
        self._align()
        self.layer.data = labels.reshape(self.layer.data.shape)

    def goes_on(self, is_changed: bool) -> bool:
        """Return whether a stroke goes on of which a part was taken before.

        One stroke is one step of undo, however often it is looked at on its way.

        Parameters
        ----------
        is_changed
            Whether this look takes something.
        """
        went_on = self._is_taken
        self._is_taken = self._brush_is_down and (went_on or is_changed)
        self._is_ended = False
        return went_on

    def use_color(self, color: Color) -> None:
        """Paint with this colour from now on: with its label, or with a new one."""
        colors, selected = self._colors(), int(self.layer.selected_label)
        label = _label_of(color, colors)
        if label not in colors:
            # Whoever drags through a palette leaves no label for each of its colours.
            if selected in colors and not (np.asarray(self.layer.data) == selected).any():
                label = selected
            self._set_colors(colors | {label: color})
        self.layer.selected_label = label

    def recolor(self, color: Color) -> None:
        """Give the areas of the selected label this colour."""
        label = int(self.layer.selected_label)
        if label:
            self._set_colors(self._colors() | {label: color})

    @property
    def color(self) -> Color | None:
        """The colour of the selected label, None of a label without one, and of the eraser."""
        return self._colors().get(int(self.layer.selected_label))

    def _colors(self) -> dict[int, Color]:
        """Return the colour of each label that has one."""
        colormap = self.layer.colormap
        if isinstance(colormap, DirectLabelColormap):
            pairs = colormap.color_dict.items()
            return {int(label): _picture_color(rgba) for label, rgba in pairs if label}
        used = np.unique(np.asarray(self.layer.data))
        return {int(n): _picture_color(colormap.map(int(n))) for n in used[used > 0]}

    def _set_colors(self, colors: dict[int, Color]) -> None:
        if colors != self._colors() or not isinstance(self.layer.colormap, DirectLabelColormap):
            self.layer.colormap = _colormap(colors)

    def _on_picture(self) -> NDArray[Any]:
        """Return the labels at the picture's pixels, where both layers lie now."""
        data = np.asarray(self.layer.data)
        shape = Plane.of(self.source).shape
        passage = self._passage()
        if passage is None:
            return data.reshape(shape)
        flat = data.reshape(shape)
        found = np.zeros(shape, data.dtype)
        columns = np.arange(shape[1])
        for row in range(shape[0]):  # as one array it would be eight times the picture
            places = passage(np.stack([np.full(shape[1], row), columns], axis=1))
            y, x = np.round(places).astype(np.int64).T
            inside = (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])
            found[row, inside] = flat[y[inside], x[inside]]
        return found

    def _passage(self) -> Passage | None:
        """Return the way from the picture's pixels to the labels', None where it is the same."""
        plane, picture, layer = Plane.of(self.source), self.source.layer, self.layer
        corners = np.array([(0, 0), (1, 0), (0, 1)], float)
        places = plane.filled(corners, plane.place)
        ends = []
        for place in places:
            world = np.asarray(picture.data_to_world(place))
            there = np.asarray(layer.world_to_data(world[self._world_axes()]))
            ends.append(there[list(self._layer_axes())])
        passage = Passage(np.stack([ends[1] - ends[0], ends[2] - ends[0]], axis=1), ends[0])
        return None if passage.is_none else passage

    def _layer_axes(self) -> tuple[int, int]:
        """Return the axes of the labels that are painted on."""
        return (0, 1) if self.source.is_flat else self.source.axes

    def _world_axes(self) -> list[int]:
        """Return the axes of the picture's world that the labels have."""
        return list(self.source.axes) if self.source.is_flat else list(range(self.layer.ndim))

    def _align(self) -> None:
        """Bring the labels to where the picture lies."""
        lay(self.layer, _geometry(self.source))

    def _hear_geometry(self, _: Any = None) -> None:
        self._goes_along = self._passage() is None

    def _hear_picture(self, _: Any = None) -> None:
        """Go along with the picture if the labels lay on it; else they say where they are."""
        if self._goes_along:
            self._align()
            self._goes_along = True
        self._changed()

    def _hear(self, event: Any) -> None:
        # napari tells of a stroke's parts while the brush moves, and of the whole at its end; of
        # what a command paints in the other order.
        if event.type == "paint":
            self._brush_is_down, self._is_ended = False, True
        elif event.type == "labels_update" and not self._is_ended:
            self._brush_is_down = True
        self._changed()
        if event.type == "colormap":
            self._label_chosen()

    def _hear_label(self, event: Any) -> None:
        self._label_chosen()


def _label_of(color: Color, colors: dict[int, Color]) -> int:
    """Return the label of a colour, or the first that is free."""
    for label, known in colors.items():
        if np.allclose(known, color, atol=0.5):
            return label
    return max(colors, default=0) + 1


def _colormap(colors: dict[int, Color]) -> DirectLabelColormap:
    table: dict[int | None, Any] = {0: np.zeros(4), None: np.array([1.0, 1.0, 1.0, 1.0])}
    for label, color in colors.items():
        table[label] = np.array([*(channel / 255 for channel in color), 1.0])
    return DirectLabelColormap(color_dict=table)


def _picture_color(rgba: Any) -> Color:
    red, green, blue = (float(round(255 * float(channel), 3)) for channel in np.ravel(rgba)[:3])
    return red, green, blue


def _told(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
