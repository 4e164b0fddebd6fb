"""What the shell's options say of the colours becomes what a Colorizer takes, or one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_colorize.color.hints import Hint
from napari_colorize.color.steering import Adjustments, Steering
from napari_colorize.color.strokes import LabelMap
from napari_colorize.commands.wishes import Wishes, left_out, read_wishes
from napari_colorize.errors import PictureError
from napari_colorize.files.steering_file import Saved, write_steering


def test_hints() -> None:
    """Places may be fractions, sizes may lack, and so may the mark that shells make much of."""
    wishes = read_wishes(hints=["120,80,#1e5ac8", " 0.5, 3 ,FF0000, 12.5 "])
    assert wishes.hints == (
        Hint(120, 80, (30, 90, 200), 6),
        Hint(0.5, 3, (255, 0, 0), 12.5),
    )


def test_a_file_of_hints_goes_before_single_ones(tmp_path: Path) -> None:
    """Later ones lie over earlier ones, and what is typed is meant most."""
    (tmp_path / "hints.csv").write_text("y,x,color\n1,2,#030405\n")
    wishes = read_wishes(hints=["3,4,#ff0000"], hints_file=tmp_path / "hints.csv")
    assert wishes.hints == (Hint(1, 2, (3, 4, 5)), Hint(3, 4, (255, 0, 0)))


def test_what_the_shell_does_not_take_from_a_file_is_told(tmp_path: Path) -> None:
    """Region and sliders are named; a file of hints alone and a table are not spoken of."""
    hints, path = (Hint(1, 2, (3, 4, 5)),), tmp_path / "cat.hints.json"
    write_steering(path, Saved(Steering(hints)))
    assert left_out(path) == ""
    region = LabelMap.from_array(np.ones((4, 4), np.uint8))
    write_steering(path, Saved(Steering(hints, 0.5, region=region, outside=Steering())))
    assert "cat.hints.json tells a region and sliders besides" in left_out(path)
    (tmp_path / "hints.csv").write_text("y,x,color\n1,2,#030405\n")
    assert left_out(tmp_path / "hints.csv") == ""


def test_adjustments() -> None:
    """What is not given is as it is."""
    assert read_wishes(adjustments={"chroma": 1.5, "hue": -20}).adjustments == Adjustments(
        chroma=1.5, hue=-20
    )
    assert read_wishes().adjustments == Adjustments()


def test_reference(tmp_path: Path) -> None:
    """A file of 8 or 16 bits, as it is, with its name and how much it counts."""
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    path = tmp_path / "mood.png"
    Image.fromarray(pixels).save(path)
    mood = read_wishes(reference=path).reference
    assert mood is not None
    np.testing.assert_array_equal(mood.pixels, pixels)
    assert (mood.name, mood.strength) == ("mood.png", 1)
    strong = read_wishes(reference=path, reference_strength=1.5).reference
    assert strong is not None
    assert strong.strength == 1.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vividness": 1.5}, "--vividness has to be a number from 0 to 1, got 1.5."),
        ({"vividness": float("nan")}, "--vividness has to be a number from 0 to 1, got nan."),
        ({"hints": ["3,4"]}, "--hint has to be Y,X,#RRGGBB or Y,X,#RRGGBB,SIZE, such as "),
        ({"hints": ["3,4,red"]}, "such as 120,80,#1e5ac8; got '3,4,red'."),
        ({"hints": ["3,4,#12345"]}, "got '3,4,#12345'."),
        ({"hints": [""]}, "got ''."),
        ({"hints": ["a,4,#123456"]}, "with numbers of pixels; got 'a,4,#123456'."),
        ({"hints": ["3,inf,#123456"]}, "--hint 3,inf,#123456: x of a hint has to be finite"),
        ({"hints": ["3,4,#123456,0"]}, "The size of a hint has to be more than 0 px, got 0."),
        ({"reference": Path("none.jpg")}, "The reference none.jpg cannot be used: no such file."),
        (
            {"adjustments": {"chroma": 2.5}},
            "--chroma has to be a number from 0 to 2, got 2.5.",
        ),
        (
            {"adjustments": {"hue": float("nan")}},
            "--hue-shift has to be a number from -180 to 180, got nan.",
        ),
        ({"hints_file": Path("none.csv")}, "none.csv cannot be used: there is no such file."),
        (
            {"reference_strength": 1.0},
            "--reference-strength goes with --reference FILE: give that too.",
        ),
        (
            {"adjustments": {"warmth": 0.5}, "alternatives": 2},
            "--hue-shift, --blend and --alternatives do not go together: leave one out.",
        ),
        ({"alternatives": 0}, "--alternatives has to be 1 to 16, got 0."),
        ({"alternatives": 17}, "--alternatives has to be 1 to 16, got 17."),
    ],
)
def test_wrong_values(options: dict[str, Any], message: str) -> None:
    """The option is named, and what was got."""
    with pytest.raises(PictureError) as caught:
        read_wishes(**options)
    assert message in str(caught.value)


def test_what_does_not_go_together(tmp_path: Path) -> None:
    """A grey picture sets no mood, and alternatives take none."""
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(PictureError, match=r"grey\.png is grey: choose a colour picture"):
        read_wishes(reference=tmp_path / "grey.png")
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / "x.png")
    with pytest.raises(PictureError, match="--reference-strength has to be a number from 0 to 2"):
        read_wishes(reference=tmp_path / "x.png", reference_strength=3)
    with pytest.raises(PictureError, match="--reference and --alternatives do not go together"):
        read_wishes(reference=tmp_path / "grey.png", alternatives=2)


def test_names() -> None:
    """What is wished is named as models know it."""
    assert Wishes().names == ""
    assert Wishes(0.0).names == "vividness"
    assert Wishes(adjustments=Adjustments(chroma=2)).names == ""
    assert Wishes(0.5, alternatives=2).names == "vividness and alternatives"
