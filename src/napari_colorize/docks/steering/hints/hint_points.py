"""A Points layer of napari as hints: one point is one hint, in pixels of the picture."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Points
from napari.utils.colormaps.standardize_color import transform_color

from napari_colorize.color.hints import Color, Hint
from napari_colorize.docks.geometry import lay, whole_geometry
from napari_colorize.docks.steering.session.places import GEOMETRY, Passage, Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

Place = tuple[int, ...]
# Side of a new hint: this part of the picture's short side, but so many pixels at least.
_PART, _LEAST = 1 / 40, 6.0
# What tells that hints may be others. `set_data` comes with all that is drawn anew: dragging,
# sizes, hiding and pasting have no event of their own.
_EVENTS = ("data", "set_data", "face_color", "current_face_color", "visible", *GEOMETRY)


@dataclass(frozen=True)
class PointsRead:
    """What a Points layer says.

    Attributes
    ----------
    hints : tuple of Hint
        Of the plane in view.
    rows : tuple of int
        The points that these hints are, in the same order.
    elsewhere : dict
        Hints of other planes, by the index of the plane.
    outside : int
        Points that lie on no pixel of the picture.
    """

    hints: tuple[Hint, ...]
    rows: tuple[int, ...]
    elsewhere: dict[Place, tuple[Hint, ...]]
    outside: int

    @property
    def problem(self) -> str:
        """What is wrong with the points, in a sentence."""
        if not self.outside:
            return ""
        one = self.outside == 1
        return (
            f"{self.outside} {'hint lies' if one else 'hints lie'} outside the picture and "
            f"{'is' if one else 'are'} not used: move or delete {'it' if one else 'them'}."
        )


def new_points(picture: Image, plane: Plane, color: Color) -> Points:
    """Return an empty Points layer for a picture, ready to be clicked into."""
    return Points(
        np.empty((0, picture.ndim)),
        ndim=picture.ndim,
        name=f"{picture.name} [hints]",
        size=max(_LEAST, round(min(plane.shape) * _PART)),
        face_color=np.array([*_napari_color(color), 1.0]),
        border_color="white",
        border_width=0.12,
        **whole_geometry(picture),
    )


class HintPoints:
    """Keeps watch over one Points layer.

    Parameters
    ----------
    layer
        The points; as many axes as the picture.
    picture
        The layer of the picture.
    plane
        The plane whose hints count; may be set anew.
    changed
        Called whenever hints may be others, often in vain.
    chosen
        Called with the number of the point that was added or selected last.
    """

    def __init__(
        self,
        layer: Points,
        picture: Image,
        plane: Plane,
        changed: Callable[[], None],
        chosen: Callable[[int], None],
    ) -> None:
        self.layer = layer
        self.picture = picture
        self.plane = plane
        self._changed = changed
        self._chosen = chosen
        for name in _EVENTS:
            getattr(layer.events, name).connect(self._hear)
        for name in GEOMETRY:
            getattr(picture.events, name).connect(self._hear_picture)
            getattr(layer.events, name).connect(self._hear_geometry)
        self._goes_along = Passage.between(layer, picture).is_none
        layer.selected_data.events.items_changed.connect(self._hear_selection)

    def close(self) -> None:
        """Let go of the layer."""
        for name in _EVENTS:
            getattr(self.layer.events, name).disconnect(self._hear)
        for name in GEOMETRY:
            getattr(self.picture.events, name).disconnect(self._hear_picture)
            getattr(self.layer.events, name).disconnect(self._hear_geometry)
        self.layer.selected_data.events.items_changed.disconnect(self._hear_selection)

    @property
    def fits(self) -> bool:
        """Whether the picture still has as many axes as the points."""
        return bool(self.layer.ndim == self.picture.ndim == len(self.plane.whole))

    def read(self) -> PointsRead:
        """Return the hints that the points are; none where they do not fit."""
        layer, plane = self.layer, self.plane
        if not self.fits:
            return PointsRead((), (), {}, 0)
        passage = Passage.between(layer, self.picture)
        places = passage(layer.data)
        shown = np.asarray(layer.shown, bool)
        inside = plane.inside(places) & np.isfinite(places).all(axis=1)
        planes = plane.planes(places)
        here = (planes == plane.place).all(axis=1)
        hints = self._hints(places, passage.growth(plane.axes))
        rows = np.flatnonzero(shown & inside & here).tolist()
        elsewhere: dict[Place, list[Hint]] = {}
        for row in np.flatnonzero(shown & inside & ~here).tolist():
            place = tuple(int(index) for index in planes[row])
            elsewhere.setdefault(place, []).append(hints(row))
        return PointsRead(
            tuple(hints(row) for row in rows),
            tuple(rows),
            {place: tuple(found) for place, found in elsewhere.items()},
            int((shown & ~inside).sum()),
        )

    def write(self, hints: tuple[Hint, ...]) -> None:
        """Bring the points of the plane in view to these hints; all others stay."""
        now = self.read()
        rows = np.array(now.rows[: len(hints)], np.int64)
        table = _Table.of(self.layer)
        if len(hints) > len(rows):
            rows = np.concatenate([rows, self._spare_rows(table, now, hints[len(rows) :])])
        data = self._from_picture(hints, self.plane.place)
        sizes = self._sizes(hints)
        known = rows >= 0
        table.set(rows[known], data[known], hints_at(hints, known), sizes[known])
        table.delete(np.setdiff1d(np.array(now.rows, np.int64), rows))
        table.append(data[~known], hints_at(hints, ~known), sizes[~known])
        table.put_into(self.layer)

    def add(self, hints: tuple[Hint, ...], place: Place) -> None:
        """Add points to any plane."""
        table = _Table.of(self.layer)
        table.append(self._from_picture(hints, place), hints, self._sizes(hints))
        table.put_into(self.layer)

    def use_color(self, color: Color, *, selected: bool) -> None:
        """Use a colour for the next point, and for those that are selected if so wanted."""
        with contextlib.nullcontext() if selected else self.layer.block_update_properties():
            self.layer.current_face_color = np.array([*_napari_color(color), 1.0])

    def use_size(self, size: float, *, selected: bool) -> None:
        """Use a size in the picture's pixels for the next point, and for those selected."""
        with contextlib.nullcontext() if selected else self.layer.block_update_properties():
            self.layer.current_size = max(1.0, float(size)) / self._growth

    @property
    def color(self) -> Color:
        """The colour of the next point."""
        rgba = transform_color(self.layer.current_face_color)[0]
        red, green, blue = (float(round(255 * channel)) for channel in rgba[:3].astype(float))
        return red, green, blue

    @property
    def next_size(self) -> float:
        """The size of the next point, in the picture's pixels."""
        return float(self.layer.current_size) * (self._growth if self.fits else 1)

    @property
    def _growth(self) -> float:
        return Passage.between(self.layer, self.picture).growth(self.plane.axes)

    def _hints(self, places: NDArray[np.float64], growth: float) -> Callable[[int], Hint]:
        colors = np.clip(np.round(255 * self.layer.face_color[:, :3].astype(float), 3), 0, 255)
        sizes = np.maximum(np.round(self.layer.size * growth, 3), 1e-3)
        flat = np.round(places[:, list(self.plane.axes)], 4)

        def hint(row: int) -> Hint:
            y, x = flat[row]
            return Hint(y, x, tuple(colors[row]), sizes[row])

        return hint

    def _from_picture(self, hints: tuple[Hint, ...], place: Place) -> NDArray[np.float64]:
        flat = np.array([(hint.y, hint.x) for hint in hints], float).reshape(-1, 2)
        back = Passage.between(self.layer, self.picture).back()
        return back(self.plane.filled(flat, place))

    def _sizes(self, hints: tuple[Hint, ...]) -> NDArray[np.float64]:
        return np.array([hint.size for hint in hints], float) / self._growth

    def _spare_rows(
        self, table: _Table, now: PointsRead, hints: tuple[Hint, ...]
    ) -> NDArray[np.int64]:
        """Return for each hint a point that does not count but looks like it, or -1.

        A point that was hidden, or dragged out of the picture, comes back that way.
        """
        places = Passage.between(self.layer, self.picture)(table.data)
        here = (self.plane.planes(places) == self.plane.place).all(axis=1)
        free = [
            row
            for row in np.flatnonzero(here | ~np.isfinite(places).all(axis=1)).tolist()
            if row not in set(now.rows)
            and not (table.shown[row] and self.plane.inside(places[row : row + 1])[0])
        ]
        found = []
        sizes = self._sizes(hints)
        for hint, size in zip(hints, sizes, strict=True):
            color = _napari_color(hint.color)
            match = next(
                (
                    row
                    for row in free
                    if np.allclose(table.colors[row][:3], color, atol=2e-3)
                    and np.isclose(table.sizes[row], size, rtol=1e-3)
                ),
                -1,
            )
            if match >= 0:
                free.remove(match)
            found.append(match)
        return np.array(found, np.int64)

    def _hear_geometry(self, _: Any = None) -> None:
        self._goes_along = self.fits and Passage.between(self.layer, self.picture).is_none

    def _hear_picture(self, _: Any = None) -> None:
        """Go along with the picture if the points lay on it; else they say where they are."""
        if self._goes_along and self.fits:
            lay(self.layer, whole_geometry(self.picture))
            self._goes_along = True
        self._changed()

    def _hear(self, event: Any) -> None:
        self._changed()
        # At the end of a drag, so that suggestions follow once and not all the way.
        if event.type == "data" and str(event.action) == "changed" and len(event.data_indices) == 1:
            self._chosen(int(event.data_indices[0]))

    def _hear_selection(self, added: tuple[int, ...], removed: tuple[int, ...]) -> None:
        if added:
            self._chosen(int(max(added)))


class _Table:
    """All points of a layer, to be changed and put back at once."""

    def __init__(self, **columns: Any) -> None:
        self.data: NDArray[np.float64] = columns["data"]
        self.colors: NDArray[np.float64] = columns["colors"]
        self.sizes: NDArray[np.float64] = columns["sizes"]
        self.shown: NDArray[np.bool_] = columns["shown"]

    @classmethod
    def of(cls, layer: Points) -> _Table:
        """Take the points of a layer."""
        return cls(
            data=np.array(layer.data, float),
            colors=np.array(layer.face_color, float).reshape(-1, 4),
            sizes=np.array(layer.size, float),
            shown=np.array(layer.shown, bool),
        )

    def set(self, rows: NDArray[Any], data: Any, hints: tuple[Hint, ...], sizes: Any) -> None:
        self.data[rows], self.sizes[rows], self.shown[rows] = data, sizes, True
        if hints:
            self.colors[rows] = [(*_napari_color(hint.color), 1) for hint in hints]

    def delete(self, rows: NDArray[Any]) -> None:
        for name in ("data", "colors", "sizes", "shown"):
            setattr(self, name, np.delete(getattr(self, name), rows, axis=0))

    def append(self, data: Any, hints: tuple[Hint, ...], sizes: Any) -> None:
        if not hints:
            return
        colors = [(*_napari_color(hint.color), 1) for hint in hints]
        self.data = np.concatenate([self.data, data])
        self.colors = np.concatenate([self.colors, colors])
        self.sizes = np.concatenate([self.sizes, sizes])
        self.shown = np.concatenate([self.shown, np.ones(len(hints), bool)])

    def put_into(self, layer: Points) -> None:
        selected = set(layer.selected_data)
        if len(self.data) != len(layer.data):
            # napari keeps the numbers of points that are gone
            selected = set()
            layer.selected_data = set()
        layer.data = self.data
        if len(self.data):
            layer.face_color = self.colors
            layer.size = self.sizes
            layer.shown = self.shown
        layer.selected_data = selected


def hints_at(hints: tuple[Hint, ...], mask: NDArray[np.bool_]) -> tuple[Hint, ...]:
    """Return the hints where the mask holds."""
    return tuple(hint for hint, wanted in zip(hints, mask, strict=True) if wanted)


def _napari_color(color: Color) -> Color:
    """Return red, green and blue from 0 to 1."""
    red, green, blue = color
    return red / 255, green / 255, blue / 255
