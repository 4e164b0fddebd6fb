"""Parts of a stack: all planes once, in order, and what each needs to be looked at before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_colorize.files.stacks.axes import Axes
from napari_colorize.stacks.parts import WARM_UP, parts_of


def test_a_movie_is_one_part() -> None:
    """Nothing has to be looked at before it."""
    (part,) = parts_of(Axes("tyx", (5, 8, 8)))
    assert [place for place, _ in part.planes] == [(t,) for t in range(5)]
    assert part.warm_up == []


def test_parts_of_a_length() -> None:
    """Each but the first is led in by the planes before it."""
    parts = list(parts_of(Axes("tyx", (50, 8, 8)), longest=20))
    assert [len(part.planes) for part in parts] == [20, 20, 10]
    assert [place for place, _ in parts[1].warm_up] == [(t,) for t in range(20 - WARM_UP, 20)]
    assert parts[1].planes[0] == ((20,), (19,))


def test_rows_of_a_volume_in_time() -> None:
    """A row in time begins with its neighbour in depth."""
    first, second = parts_of(Axes("tzyx", (3, 2, 8, 8)))
    assert first.planes == [((0, 0), None), ((1, 0), (0, 0)), ((2, 0), (1, 0))]
    assert second.planes == [((0, 1), (0, 0)), ((1, 1), (0, 1)), ((2, 1), (1, 1))]
    assert second.warm_up == [((0, 0), None)]


def test_what_stands_alone() -> None:
    """Independent planes lie together in a part, and need none before them."""
    for axes, coherent in ((Axes("cyx", (5, 8, 8)), True), (Axes("tyx", (5, 8, 8)), False)):
        parts = list(parts_of(axes, coherent=coherent, longest=3))
        assert [len(part.planes) for part in parts] == [3, 2]
        assert not any(part.warm_up for part in parts)


@given(
    st.sampled_from(["tyx", "zyx", "tzyx", "ztyx", "ctzyx", "tczyx"]),
    st.data(),
    st.none() | st.integers(1, 7),
)
def test_every_wanted_plane_once(names: str, data: st.DataObject, longest: int | None) -> None:
    """Whatever is done already: the rest comes once each, after what it is carried from."""
    outer = tuple(data.draw(st.integers(1, 4)) for _ in names[:-2])
    axes = Axes(names, (*outer, 8, 8))
    order = dict(axes.places())
    done = data.draw(st.sets(st.sampled_from(list(order))))
    parts = list(parts_of(axes, done=done, longest=longest))
    planes = [plane for part in parts for plane in part.planes]
    assert planes == [(place, order[place]) for place in order if place not in done]
    for part in parts:
        known = {place for place, _ in part.warm_up}
        for place, before in part.planes:
            assert before is None or before in known
            known.add(place)
