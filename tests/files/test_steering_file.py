"""What steers a picture comes back from its file as it was; what is no such file is told."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Reference, Steering
from napari_colorize.color.strokes import LabelMap, Strokes
from napari_colorize.errors import PictureError, StorageError
from napari_colorize.files import steering_file
from napari_colorize.files.steering_file import (
    Saved,
    as_dict,
    from_dict,
    read_hints,
    read_steering,
    write_steering,
)

if TYPE_CHECKING:
    from pathlib import Path

numbers = st.floats(-1e9, 1e9, allow_nan=False)
colors = st.tuples(*[st.floats(0, 255)] * 3)
sizes = st.floats(0, 1e6, exclude_min=True)
hints = st.builds(Hint, numbers, numbers, colors, sizes)
texts = st.text(st.characters(), max_size=20)  # lone surrogates too, as in odd names of files


@st.composite
def areas(draw: st.DrawFn) -> LabelMap:
    """Draw a small map of labels, some of them large."""
    height, width = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    labels = st.sampled_from([0, 1, 2, 2**63 - 1])
    values = draw(st.lists(labels, min_size=height * width, max_size=height * width))
    return LabelMap.from_array(np.array(values, dtype=np.uint64).reshape(height, width))


@st.composite
def strokes(draw: st.DrawFn) -> Strokes:
    """Draw painted areas, each with its colour."""
    area = draw(areas())
    return Strokes(area, tuple((label, draw(colors)) for label in area.labels))


@st.composite
def references(draw: st.DrawFn) -> Reference:
    """Draw a palette in which most shares are nothing."""
    shares = draw(st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 1.0]), min_size=1, max_size=40))
    return Reference(draw(texts), tuple(shares), draw(st.floats(0, 2)))


adjustments = st.builds(
    Adjustments, st.floats(0, 2), st.floats(-1, 1), st.floats(-180, 180), st.floats(0, 1)
)
any_hints = st.lists(hints | strokes(), max_size=4).map(tuple)
steerings: st.SearchStrategy[Steering] = st.deferred(
    lambda: st.builds(
        Steering,
        any_hints,
        st.none() | st.floats(0, 1),
        st.none() | references(),
        adjustments,
        st.none() | areas(),
        st.none() | steerings,
    )
)
places = st.lists(st.integers(-3, 1000), min_size=1, max_size=3).map(tuple)
pictures = st.fixed_dictionaries(
    {}, optional={"name": texts, "hash": texts, "shape": st.just((4, 5))}
)
files = st.builds(
    Saved,
    steerings,
    st.dictionaries(places, any_hints, max_size=3),
    pictures,
    texts,
    texts,
    texts,
    st.dictionaries(st.sampled_from(["later", "more"]), st.lists(st.integers()), max_size=2),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files)
def test_the_way_there_and_back_is_exact(tmp_path: Path, saved: Saved) -> None:
    """Every number, label, name, plane and unknown entry is what it was."""
    path = tmp_path / "cat.json"
    write_steering(path, saved)
    assert read_steering(path) == saved
    assert read_hints(path) == saved.steering.hints
    assert from_dict(json.loads(json.dumps(as_dict(saved.steering)))) == saved.steering
    assert os.listdir(tmp_path) == ["cat.json"]


def test_strokes_are_small(tmp_path: Path) -> None:
    """A disc in 2048 x 2048 pixels takes some kilobytes."""
    y, x = np.mgrid[:2048, :2048]
    disc = (y - 1000) ** 2 + (x - 900) ** 2 < 300**2
    painted = Strokes(LabelMap.from_array(disc), ((1, (200.0, 90.0, 20.0)),))
    write_steering(tmp_path / "x.json", Saved(Steering((painted,))))
    assert (tmp_path / "x.json").stat().st_size < 12_000
    (back,) = read_steering(tmp_path / "x.json").steering.hints
    assert isinstance(back, Strokes)
    np.testing.assert_array_equal(back.areas.to_array() > 0, disc)


def test_what_a_file_leaves_out_is_as_at_first(tmp_path: Path) -> None:
    """Only format, version and steering have to be there."""
    path = tmp_path / "x.json"
    told = {"format": "napari-colorize steering", "version": 1, "steering": {"version": 1}}
    path.write_text(json.dumps(told))
    assert read_steering(path) == Saved()


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was saved before is still there, and nothing else."""
    path = tmp_path / "x.json"
    before = Saved(Steering((Hint(1, 2, (3, 4, 5)),)))
    write_steering(path, before)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="no space left on device"):
        write_steering(path, Saved())
    assert read_steering(path) == before
    assert os.listdir(tmp_path) == ["x.json"]


def broken(**changed: Any) -> str:
    """Return the text of a file with changed entries of its steering."""
    write = {"version": 1, **changed}
    return json.dumps({"format": "napari-colorize steering", "version": 1, "steering": write})


HINT = {"y": 1, "x": 2, "color": [1, 2, 3]}
AREA = {"shape": [1, 4], "runs": [0, 2, 1, 2]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is no JSON or is cut short (line 1, column 1: "),
        (broken()[:-4], "it is no JSON or is cut short (line 1, column "),
        ("[" * 100_000, "it is no JSON that makes sense"),
        ('{"version": ' + "9" * 5000 + "}", "it is no JSON that makes sense"),
        ("[1, 2]", 'it is no file of steering: "format" is not "napari-colorize steering"'),
        ('{"hints": []}', 'it is no file of steering: "format" is not'),
        (
            broken().replace('"version": 1, "st', '"version": 2, "st'),
            "it was written by a newer version of napari-colorize (format 2, known is 1); update",
        ),
        (broken(version=7), "newer version of napari-colorize (format 7"),
        (broken(version="1"), "its version is none: '1'"),
        (broken(version=True), "its version is none: True"),
        (broken(vividness=float("nan")), "it holds NaN, which is no number"),
        (broken(vividness=float("inf")), "it holds Infinity, which is no number"),
        (broken(vividness=1.5), "vividness has to be a number from 0 to 1, got 1.5"),
        (broken(vividness=True), "the vividness has to be a number, got True"),
        (broken(vividness="1"), "the vividness has to be a number, got '1'"),
        (broken(hints={}), "the list of hints has to be a list in brackets, got a dict of 0"),
        (broken(hints=[3]), "hint 1 has to be an object in braces, got 3"),
        (broken(hints=[HINT, {**HINT, "y": None}]), "y of hint 2 has to be a number, got nothing"),
        (broken(hints=[{**HINT, "colour": 1}]), "hint 1 has an unknown entry 'colour'; known are"),
        (broken(hints=[{**HINT, "y": 10**400}]), "y of hint 1 has to be finite, got a huge number"),
        (broken(hints=[{**HINT, "color": [1, 2]}]), "the colour of hint 1 has to be"),
        (broken(hints=[{**HINT, "color": [1, 2, 300]}]), "hint 1: The colour of a hint has to be"),
        (broken(hints=[{**HINT, "color": "red"}]), "three numbers, got 'red'"),
        (broken(hints=[{**HINT, "size": 0}]), "hint 1: The size of a hint has to be more than 0"),
        (broken(hints=[{"areas": AREA, "colors": []}]), "Label 1 is painted and has no colour"),
        (broken(hints=[{"areas": AREA, "colors": [[1]]}]), "have to be pairs [label, colour]"),
        (broken(region={**AREA, "runs": [1, 3]}), "do not fill its 1 x 4 pixels"),
        (broken(region={**AREA, "runs": [1]}), "the region has no shape of two whole numbers"),
        (broken(region={**AREA, "runs": [1.0, 4]}), "the region has no shape of two whole"),
        (broken(region={**AREA, "runs": [-1, 4]}), "has no such shape or runs"),
        (broken(region={**AREA, "runs": [2**63, 4]}), "the region has a label that is too large"),
        (
            broken(region={"shape": [10**6, 10**6], "runs": [1, 10**12]}),
            "the region has 1000000 x 1000000 pixels, at most 1,000,000,000 are possible",
        ),
        (broken(reference={"count": 10**9}), "the list of bins of the reference has to be a list"),
        (
            broken(reference={"count": 10**9, "bins": [], "shares": []}),
            "the reference has no usable palette",
        ),
        (
            broken(reference={"count": 3, "bins": [3], "shares": [1.0]}),
            "the reference has a bin that is none of its 3",
        ),
        (broken(reference={"count": 3, "bins": [2], "shares": [2]}), "is none"),
        (broken(adjustments={"chroma": 3}), "chroma has to be a number from 0 to 2, got 3"),
        (broken(adjustments={"glow": 3}), "the entry of adjustments has an unknown entry 'glow'"),
        (broken(outside=[]), "what holds outside the region has to be an object"),
    ],
)
def test_broken_files(tmp_path: Path, text: str, message: str) -> None:
    """One sentence that names the file and what is wrong."""
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(PictureError) as caught:
        read_steering(path)
    told = str(caught.value)
    assert told.startswith(f"{path} cannot be used: ")
    assert told.endswith(".")
    assert message in told
    assert "\n" not in told
    assert len(told) < len(str(path)) + 300


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, a folder, no text, too large."""
    with pytest.raises(PictureError, match="cannot be used: there is no such file"):
        read_steering(tmp_path / "none.json")
    with pytest.raises(PictureError, match="cannot be used: "):
        read_steering(tmp_path)
    (tmp_path / "x.json").write_bytes(b"\xff\xfe{\0}\0")
    with pytest.raises(PictureError, match="it is no text in UTF-8"):
        read_steering(tmp_path / "x.json")
    monkeypatch.setattr(steering_file, "LARGEST", 10)
    (tmp_path / "x.json").write_text(broken())
    with pytest.raises(PictureError, match="it is larger than"):
        read_steering(tmp_path / "x.json")


def test_a_deep_chain_of_regions_is_refused_or_read(tmp_path: Path) -> None:
    """Regions in regions come back; brackets without end are no steering."""
    steering = Steering()
    for _ in range(50):
        steering = Steering(region=LabelMap((1, 1), ((1, 1),)), outside=steering)
    write_steering(tmp_path / "x.json", Saved(steering))
    assert read_steering(tmp_path / "x.json").steering == steering
    text = '{"outside": ' * 5000 + "null" + "}" * 5000
    (tmp_path / "x.json").write_text(broken().replace('{"version": 1}', text))
    with pytest.raises(PictureError, match="cannot be used"):
        read_steering(tmp_path / "x.json")


def test_a_plain_list_of_hints(tmp_path: Path) -> None:
    """Colours as text or numbers, sizes that may lack, the mark that Windows puts in front."""
    path = tmp_path / "hints.json"
    told = [
        {"y": 120, "x": 80.5, "color": "#1e5ac8"},
        {"y": 1, "x": 2, "color": [255, 0, 0.5], "size": 12},
    ]
    path.write_text("\ufeff" + json.dumps(told), encoding="utf-8")
    assert read_hints(path) == (
        Hint(120, 80.5, (30, 90, 200)),
        Hint(1, 2, (255, 0, 0.5), 12),
    )
    path.write_text("[]")
    assert read_hints(path) == ()
    path.write_text('{"y": 1}')
    with pytest.raises(PictureError, match="it is no file of steering"):
        read_hints(path)
