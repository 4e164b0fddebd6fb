"""Colouring with hints, references and vividness, and the confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_colorize.color.hints import Hint
from napari_colorize.errors import ColorizeError, PictureError
from napari_colorize.prediction.colorizer import Colorizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Scene = Callable[[int, int], NDArray[np.uint8]]

BLUE = (20, 60, 230)


def difference(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the mean distance of two pictures in 8-bit steps."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


class TestHints:
    """What a person says about a picture."""

    def test_they_change_the_colours_and_not_the_lightness(self, painter: Colorizer) -> None:
        """L stays the picture's, whatever is wished for."""
        plain = painter.colorize()
        hinted = painter.colorize([Hint(30, 40, BLUE, size=12)])
        assert difference(plain, hinted) > 1
        assert np.abs(rgb2lab(plain)[..., 0] - rgb2lab(hinted)[..., 0]).mean() < 0.5

    def test_the_picture_is_looked_at_once(
        self, painter: Colorizer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However often it is coloured and asked about, the features are kept."""

        def never(*_: Any) -> None:
            raise AssertionError("the network looked again")

        monkeypatch.setattr(painter._network, "encode", never)
        hint = Hint(5, 5, BLUE)
        for hints in ([], [hint], [hint, Hint(20, 70, (200, 10, 10))]):
            painter.colorize(hints, vividness=0.7)
            painter.confidence(hints)
            painter.suggest(3, 3, hints=hints)
            painter.alternatives(2, hints)

    def test_a_hint_that_is_taken_back_leaves_nothing(self, painter: Colorizer) -> None:
        """The picture without it is as it was."""
        before = painter.colorize()
        painter.colorize([Hint(5, 5, BLUE)])
        assert np.array_equal(painter.colorize(), before)

    def test_their_order_does_not_matter(self, painter: Colorizer) -> None:
        """Hints are a set of wishes."""
        hints = [Hint(5, 5, BLUE), Hint(6, 8, (200, 10, 10), 9), Hint(50, 70, (0, 200, 0))]
        assert difference(painter.colorize(hints), painter.colorize(hints[::-1])) < 0.05

    def test_two_on_one_place(self, painter: Colorizer) -> None:
        """The same twice adds less than once; two colours are not the one nor the other."""
        blue, red = Hint(20, 20, BLUE), Hint(20, 20, (230, 60, 20))
        none, once, both = map(painter.colorize, ([], [blue], [blue, red]))
        assert difference(painter.colorize([blue, blue]), once) < difference(once, none)
        assert difference(both, once) > 0
        assert difference(both, painter.colorize([red])) > 0

    def test_a_thousand(self, painter: Colorizer) -> None:
        """Contradicting ones on top of one another, too."""
        rng = np.random.default_rng(0)
        hints = [
            Hint(y, x, color)
            for y, x, color in zip(
                rng.uniform(0, 59, 1000), rng.uniform(0, 79, 1000),
                rng.integers(0, 256, (1000, 3)), strict=True,
            )
        ]  # fmt: skip
        lab = rgb2lab(painter.colorize(hints))
        assert np.isfinite(lab).all()

    @pytest.mark.parametrize("place", [(-0.5, -0.5), (59.5, 79.5), (-0.5, 79.5), (0, 40)])
    def test_on_the_rim(self, painter: Colorizer, place: tuple[float, float]) -> None:
        """What of a patch lies outside is cut."""
        assert painter.colorize([Hint(*place, BLUE, size=30)]).shape == (60, 80, 3)

    @pytest.mark.parametrize("place", [(-1, 3), (60, 3), (3, 80), (3, 1e9)])
    def test_outside(self, painter: Colorizer, place: tuple[float, float]) -> None:
        """Every question refuses them and says which and where."""
        hints = [Hint(*place, BLUE)]
        for work in (painter.colorize, painter.confidence):
            with pytest.raises(PictureError, match=r"Hint 1 .* outside the picture of 60 x 80 px"):
                work(hints)
        with pytest.raises(PictureError, match="Hint 1"):
            painter.alternatives(2, hints)
        with pytest.raises(PictureError, match="Hint 1"):
            painter.suggest(1, 1, hints=hints)

    def test_a_single_hint_is_no_list(self, painter: Colorizer) -> None:
        """The likely mistake has its own words."""
        with pytest.raises(PictureError, match="have to be a list"):
            painter.colorize(Hint(1, 1, BLUE))  # type: ignore[arg-type]

    @pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (7, 5)])
    def test_any_size(self, painter: Colorizer, scene: Scene, shape: tuple[int, int]) -> None:
        """One pixel can be hinted, and a long thin strip."""
        painter.set_picture(scene(*shape))
        hints = [Hint(0, 0, BLUE)]
        assert painter.colorize(hints).shape == (*shape, 3)
        assert painter.alternatives(2, hints).shape == (2, *shape, 3)
        assert painter.confidence(hints).shape == shape
        assert painter.suggest(shape[0] - 1, shape[1] - 1, hints=hints)

    def test_no_picture(self, palette_model: Path) -> None:
        """Nothing can be asked before one was set."""
        colorizer = Colorizer(palette_model, "cpu")
        for work in (
            lambda: colorizer.colorize([Hint(1, 1, BLUE)]),
            colorizer.alternatives,
            colorizer.confidence,
            lambda: colorizer.suggest(1, 1),
        ):
            with pytest.raises(PictureError, match="set_picture"):
                work()


class TestOneAnswer:
    """A model that has but one colour for each place."""

    def test_what_it_does_not_know(self, plain_model: Path, scene: Scene) -> None:
        """Each wish is refused with the model's name and what to choose instead."""
        colorizer = Colorizer(plain_model, "cpu")
        colorizer.set_picture(scene(9, 9))
        assert not colorizer.has_distribution
        wishes: dict[str, Callable[[], object]] = {
            "hints": lambda: colorizer.colorize([Hint(1, 1, BLUE)]),
            "vividness": lambda: colorizer.colorize(vividness=0.5),
            "references": lambda: colorizer.colorize(reference=np.zeros((4, 4, 3))),
            "alternatives": colorizer.alternatives,
            "suggestions": lambda: colorizer.suggest(1, 1),
            "confidence": colorizer.confidence,
        }
        for name, work in wishes.items():
            with pytest.raises(
                ColorizeError, match=f"'loud' .* knows no .*{name}.*palette"
            ) as told:
                work()
            assert not isinstance(told.value, PictureError)
        assert colorizer.colorize().shape == (9, 9, 3)


class TestVividness:
    """From the safe average to the likeliest colours."""

    def test_it_changes_the_colours(self, painter: Colorizer) -> None:
        """And not the lightness."""
        safe, vivid = painter.colorize(vividness=0), painter.colorize(vividness=1)
        assert difference(safe, vivid) > 1
        assert np.abs(rgb2lab(safe)[..., 0] - rgb2lab(vivid)[..., 0]).mean() < 0.6

    def test_the_card_names_the_default(self, painter: Colorizer) -> None:
        """Without a card's word it is the package's."""
        usual = painter.colorize()
        painter.card["vividness"] = 1.0
        assert np.array_equal(painter.colorize(), painter.colorize(vividness=1))
        assert not np.array_equal(painter.colorize(), usual)

    @pytest.mark.parametrize("vividness", [-0.1, 1.1, float("nan"), "much", [0.5], 10**400])
    def test_what_is_none(self, painter: Colorizer, vividness: Any) -> None:
        """Numbers outside 0..1, and what is no number."""
        with pytest.raises(PictureError, match="vividness has to be a number from 0 to 1"):
            painter.colorize(vividness=vividness)
        with pytest.raises(PictureError, match="vividness has to be a number from 0 to 1"):
            painter.alternatives(2, vividness=vividness)


class TestReference:
    """Another picture that sets the mood."""

    def test_it_changes_the_colours(self, painter: Colorizer) -> None:
        """A red one and a blue one differently."""
        red, blue = (
            painter.colorize(reference=np.full((9, 9, 3), color, np.uint8))
            for color in ((220, 40, 30), BLUE)
        )
        assert difference(painter.colorize(), red) > 0.3
        assert difference(red, blue) > 0.3

    def test_what_is_none(self, painter: Colorizer) -> None:
        """A grey picture has no palette."""
        with pytest.raises(PictureError, match=r"colour picture \(H, W, 3\)"):
            painter.colorize(reference=np.zeros((9, 9)))


class TestConfidence:
    """How sure the model is."""

    def test_what_it_is(self, painter: Colorizer) -> None:
        """A plane of float32 from 0 to 1 as large as the picture, which differs between places."""
        confidence = painter.confidence()
        assert confidence.shape == (60, 80)
        assert confidence.dtype == np.float32
        assert confidence.min() >= 0
        assert confidence.max() <= 1
        assert np.ptp(confidence) > 0.01
        confidence[:] = 0  # it is the caller's own

    def test_hints_change_it(self, painter: Colorizer) -> None:
        """What is known at a place tells about others."""
        hints = [Hint(30, 40, BLUE, size=20)]
        assert np.abs(painter.confidence(hints) - painter.confidence()).max() > 1e-3
