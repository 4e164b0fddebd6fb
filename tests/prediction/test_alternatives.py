"""Several colourings of one picture, each coherent in itself."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from torch import Tensor

from napari_colorize.color.gamut import gamut_bins
from napari_colorize.color.hints import Hint
from napari_colorize.errors import Cancelled, PictureError
from napari_colorize.prediction.alternatives import ANCHORS, self_hints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_colorize.prediction.colorizer import Colorizer

ROWS, COLUMNS = 12, 16


class Undecided:
    """Answers four colours alike everywhere, but nothing else than its first hint's once hinted."""

    def __init__(self, doubtful: tuple[int, int]) -> None:
        self.bins = gamut_bins()
        self.asked: list[Tensor] = []
        self.doubtful = doubtful

    def __call__(self, planes: Tensor) -> Tensor:
        """Return logits, most doubtful at one place."""
        self.asked.append(planes.clone())
        shares = torch.full((len(planes), len(self.bins), ROWS, COLUMNS), 1e-6)
        places = [(60, 40), (-40, 40), (10, -60), (70, -60)]
        for share, place in zip((0.4, 0.3, 0.2, 0.1), places, strict=True):
            near = (self.bins == torch.tensor(place)).all(dim=1).nonzero()
            shares[:, int(near)] = share
        flat = shares[:, :, self.doubtful[0], self.doubtful[1]]
        flat += 0.001
        return shares.log()


def hints_of(network: Undecided, count: int, seed: int = 0) -> Tensor:
    """Return the planes of some alternatives."""
    generator = torch.Generator().manual_seed(seed)
    anchors = self_hints(network, network.bins, count, (ROWS, COLUMNS), generator)
    return anchors.planes((ROWS, COLUMNS))


def roughness(pixels: NDArray[Any]) -> float:
    """Return how far neighbouring pixels differ in ab, in the mean."""
    ab = rgb2lab(pixels)[..., 1:]
    return float(np.abs(np.diff(ab, axis=0)).mean() + np.abs(np.diff(ab, axis=1)).mean())


class TestSelfHints:
    """The anchors."""

    def test_the_first_is_where_doubt_is_greatest_and_differs_in_each(self) -> None:
        """Four colours are possible there: four alternatives take one each, the likeliest first."""
        network = Undecided((9, 3))
        hints_of(network, 4)
        first = network.asked[1]
        assert (first[:, 2, 9, 3] == 1).all()
        colors = first[:, :2, 9, 3]
        assert (torch.pdist(colors) > 40).all()
        assert (colors[0] - torch.tensor([60.0, 40])).norm() < 10

    def test_there_are_four_far_from_one_another(self) -> None:
        """Each hint is a patch of its own."""
        planes = hints_of(Undecided((2, 2)), 3)
        assert planes.shape == (3, 3, ROWS, COLUMNS)
        for one in planes[:, 2]:
            full = (one > 0.99).nonzero().double()
            assert len(full) == ANCHORS
            assert torch.pdist(full).min() > 3

    def test_later_ones_know_the_earlier(self) -> None:
        """The network is asked once a place, with one hint more each time."""
        network = Undecided((5, 5))
        hints_of(network, 2)
        hinted = [int((planes[0, 2] > 0.99).sum()) for planes in network.asked]
        assert hinted == list(range(ANCHORS))

    def test_the_seed_decides(self) -> None:
        """The same gives the same, another another."""
        network = Undecided((5, 5))
        assert torch.equal(hints_of(network, 4), hints_of(network, 4))
        assert not torch.equal(hints_of(network, 4), hints_of(network, 4, seed=1))

    def test_more_than_there_are_colours(self) -> None:
        """Then some are drawn again."""
        assert hints_of(Undecided((5, 5)), 9).isfinite().all()


class TestAlternatives:
    """The pictures."""

    def test_what_they_are(self, painter: Colorizer) -> None:
        """Pictures of one lightness and different colours."""
        results = painter.alternatives(3)
        assert results.shape == (3, 60, 80, 3)
        assert results.dtype == np.uint8
        assert painter.alternatives(1, dtype="uint16").dtype == np.uint16
        for one, other in itertools.combinations(results, 2):
            assert np.abs(one.astype(int) - other.astype(int)).mean() > 0.5
            assert np.abs(rgb2lab(one)[..., 0] - rgb2lab(other)[..., 0]).mean() < 0.6

    def test_the_seed_decides(self, painter: Colorizer) -> None:
        """The same gives the same pixels; torch's own random numbers are left alone."""
        torch.manual_seed(1)
        wanted = torch.rand(1)
        torch.manual_seed(1)
        one = painter.alternatives(2, seed=5)
        assert torch.equal(torch.rand(1), wanted)
        assert np.array_equal(painter.alternatives(2, seed=5), one)
        assert not np.array_equal(painter.alternatives(2, seed=6), one)

    def test_they_are_as_smooth_as_one_colouring(self, painter: Colorizer) -> None:
        """Neighbours belong together: nothing is drawn for single pixels."""
        usual = roughness(painter.colorize())
        for one in painter.alternatives(4):
            assert roughness(one) < 2 * usual

    def test_hints_hold_in_all(self, painter: Colorizer) -> None:
        """Where a person said a colour, the alternatives' own hints give way."""
        everywhere = [Hint(30, 40, (20, 60, 230), size=200)]
        results = painter.alternatives(3, everywhere)
        assert np.array_equal(results[0], results[1])
        assert np.array_equal(results[0], painter.colorize(everywhere))

    def test_progress(self, painter: Colorizer) -> None:
        """Alternatives done rise to all."""
        told: list[tuple[int, int]] = []
        painter.alternatives(3, progress=lambda *counts: told.append(counts))
        assert told == [(1, 3), (2, 3), (3, 3)]

    def test_cancel(self, painter: Colorizer) -> None:
        """Whenever the wish comes, the work ends there; afterwards it goes on as before."""
        calls = itertools.count()
        painter.alternatives(2, cancel=lambda: next(calls) < 0)
        asked = next(calls)
        assert asked >= ANCHORS + 2
        for turn in (0, ANCHORS, asked - 1):
            turns = itertools.count()
            with pytest.raises(Cancelled):
                painter.alternatives(2, cancel=lambda: next(turns) >= turn)  # noqa: B023
        assert painter.alternatives(1).shape == (1, 60, 80, 3)

    @pytest.mark.parametrize("count", [0, 17, -3, "x", 2.0, None])
    def test_odd_counts(self, painter: Colorizer, count: Any) -> None:
        """Only whole numbers from 1 to 16."""
        with pytest.raises(
            PictureError, match=r"alternatives has to be a whole number from 1 to 16"
        ):
            painter.alternatives(count)

    @pytest.mark.parametrize("seed", [-1, 2**63, "x", 0.5, None])
    def test_odd_seeds(self, painter: Colorizer, seed: Any) -> None:
        """Only whole numbers from 0."""
        with pytest.raises(PictureError, match="seed has to be a whole number from 0"):
            painter.alternatives(2, seed=seed)

    def test_numpy_counts_are_taken(self, painter: Colorizer) -> None:
        """As they come out of arrays."""
        wanted = painter.alternatives(2, seed=3)
        got = painter.alternatives(np.int64(2), seed=np.uint8(3))  # type: ignore[arg-type]
        assert np.array_equal(got, wanted)
