"""The ab bins, distributions over them, and colours out of distributions."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from napari_colorize.color import gamut
from napari_colorize.color.gamut import (
    BIN,
    PRIOR_FLOOR,
    annealed_mean,
    confidence_of,
    encode_softly,
    entropy,
    gamut_bins,
    histogram,
    rebalancing_weights,
    smoothed_prior,
    squares_to,
    toward_median,
)
from napari_colorize.color.lab import rgb_to_lab

CHANNEL = st.floats(0, 1, width=32)
# Nine bins around grey, in rows of a.
SQUARE = torch.tensor([[a, b] for a in (-10.0, 0.0, 10.0) for b in (-10.0, 0.0, 10.0)])


def ab_of(red: float, green: float, blue: float) -> Tensor:
    """Return a and b, (2,), of an sRGB colour 0..1."""
    return rgb_to_lab(torch.tensor([red, green, blue]).view(3, 1, 1))[1:, 0, 0]


def faces(steps: int) -> Tensor:
    """Return a and b, (N, 2) float64, of the colours on the faces of the RGB cube."""
    side = torch.linspace(0, 1, steps, dtype=torch.float64)
    face = torch.cartesian_prod(side, side).T
    level = torch.ones_like(face[:1])
    turned = [torch.cat((level * end, face)).roll(axis, 0) for axis in range(3) for end in (0, 1)]
    return rgb_to_lab(torch.cat(turned, dim=1)[..., None])[1:, :, 0].T


def logits_of(*shares: float) -> Tensor:
    """Return logits (1, Q, 1, 1) of a distribution."""
    return torch.tensor(shares).log().view(1, -1, 1, 1)


def ab_at(a: float, b: float) -> Tensor:
    """Return a colour of one cell, (1, 2, 1, 1)."""
    return torch.tensor([a, b], dtype=torch.float32).view(1, 2, 1, 1)


class TestBins:
    """Where the bins are."""

    def test_their_number(self) -> None:
        """261 centres on a grid of ten, each but once, in order; weights of networks rest on it."""
        bins = gamut_bins()
        assert bins.shape == (261, 2)
        assert bins.dtype == torch.float32
        assert torch.equal(bins, (bins / BIN).round() * BIN)
        assert torch.equal(bins, torch.unique(bins, dim=0))
        assert bins.amin(dim=0).tolist() == [-90, -110]
        assert bins.amax(dim=0).tolist() == [100, 90]

    def test_their_number_is_the_same_everywhere(self) -> None:
        """No bin hangs on rounding: each has a colour, and each other cell none, by far more."""
        bins = {tuple(pair) for pair in (gamut_bins() / BIN).int().tolist()}
        ab = faces(gamut.FACE_STEPS) / BIN
        cells = ab.round()
        depth = 0.5 - (ab - cells).abs().amax(dim=1)
        deepest: dict[tuple[int, ...], float] = {}
        for cell, inside in zip(cells.int().tolist(), depth.tolist(), strict=True):
            deepest[tuple(cell)] = max(deepest.get(tuple(cell), 0.0), inside)
        assert deepest.keys() == bins
        assert min(deepest.values()) > 1e-2
        around = {(a + i, b + j) for a, b in bins for i in (-1, 0, 1) for j in (-1, 0, 1)} - bins
        nearest = torch.cdist(torch.tensor(sorted(around)).double(), ab, p=math.inf).amin()
        assert float(nearest) - 0.5 > 1e-3

    @given(CHANNEL, CHANNEL, CHANNEL)
    def test_every_colour_has_one(self, red: float, green: float, blue: float) -> None:
        """Within half a bin, or a tenth of a unit beside it."""
        distance = (gamut_bins() - ab_of(red, green, blue)).abs().amax(dim=1).min()
        assert distance <= BIN / 2 + 0.1

    def test_each_call_gives_its_own(self) -> None:
        """Whoever writes into the bins changes nobody else's."""
        gamut_bins().zero_()
        assert gamut_bins().any()

    def test_bins_have_numbers_where_networks_have_no_memory(self) -> None:
        """Under the meta device, too."""
        with torch.device("meta"):
            assert not gamut_bins().is_meta


class TestEncodeSoftly:
    """Colours as shares of bins."""

    def test_by_hand(self) -> None:
        """(2, 5) lies a fifth of the way to a = 10 and half of it to b = 10."""
        shares = encode_softly(torch.tensor([[2.0, 5.0]]), SQUARE)[0].view(3, 3)
        wanted = torch.tensor([[0.0, 0, 0], [0, 0.4, 0.4], [0, 0.1, 0.1]])
        assert torch.allclose(shares, wanted, atol=1e-4)

    def test_a_centre_is_its_bin(self) -> None:
        """And hardly anything else."""
        shares = encode_softly(gamut_bins(), gamut_bins())
        assert (shares.diagonal() > 0.9998).all()

    @given(st.floats(-10, 10), st.floats(-10, 10))
    def test_the_mean_is_the_colour(self, a: float, b: float) -> None:
        """Wherever all four bins around it exist."""
        ab = torch.tensor([[a, b]])
        assert torch.allclose(encode_softly(ab, SQUARE) @ SQUARE, ab, atol=5e-3)

    @given(CHANNEL, CHANNEL, CHANNEL)
    def test_colours_of_srgb(self, red: float, green: float, blue: float) -> None:
        """The mean is never further off than the rim of the gamut cuts off; shares sum to 1."""
        ab, bins = ab_of(red, green, blue)[None], gamut_bins()
        shares = encode_softly(ab, bins)
        assert float(shares.sum()) == pytest.approx(1, abs=1e-5)
        assert (shares >= 0).all()
        assert (shares @ bins - ab).norm() < BIN / 2

    @given(st.floats(-1000, 1000), st.floats(-1000, 1000))
    def test_colours_that_do_not_exist(self, a: float, b: float) -> None:
        """However far outside, the shares sum to 1 and the nearest bin has most."""
        ab, bins = torch.tensor([[a, b]]), gamut_bins()
        shares = encode_softly(ab, bins)[0]
        distance = torch.cdist(ab, bins)[0]
        assert float(shares.sum()) == pytest.approx(1, abs=1e-5)
        assert distance[shares.argmax()] < distance.min() + 0.01

    def test_gradients_are_finite(self) -> None:
        """On a centre, between bins and outside."""
        ab = torch.tensor([[0.0, 0.0], [3.0, 4.0], [500.0, 0.0]], requires_grad=True)
        encode_softly(ab, gamut_bins()).square().sum().backward()
        assert ab.grad is not None
        assert ab.grad.isfinite().all()


class TestHistogram:
    """Shares of bins in pictures."""

    def test_by_hand(self) -> None:
        """A picture three quarters of which are one colour, beside one of another."""
        ab = torch.zeros(2, 2, 2, 2)
        ab[0, 0, 1, 1] = 10
        ab[1, 1] = -10
        shares = histogram(ab, SQUARE)
        assert shares.shape == (2, 9)
        assert torch.allclose(shares[0], torch.eye(9)[4] * 0.75 + torch.eye(9)[7] * 0.25, atol=1e-3)
        assert torch.allclose(shares[1], torch.eye(9)[3], atol=1e-3)


class TestPrior:
    """How common colours are."""

    def test_one_colour_spreads_to_its_neighbours(self) -> None:
        """Largest where it was, less with the distance, and nowhere zero."""
        bins = gamut_bins()
        grey = int((bins == 0).all(dim=1).nonzero())
        prior = smoothed_prior(torch.eye(len(bins))[grey], bins)
        assert float(prior.sum()) == pytest.approx(1, abs=1e-5)
        assert prior.min() >= PRIOR_FLOOR / len(bins)
        distance = bins.norm(dim=1)
        # The kernel at 10 with a deviation of 5 is exp(-2).
        beside = prior[distance == 10]
        assert torch.allclose(beside / prior[grey], torch.full((4,), math.exp(-2)), rtol=0.02)
        assert prior[distance > 40].max() < 1e-5

    @given(st.lists(st.floats(0, 1), min_size=9, max_size=9).filter(lambda x: sum(x) > 1e-3))
    def test_it_is_a_distribution(self, counts: list[float]) -> None:
        """Whatever was seen, and however much of it."""
        prior = smoothed_prior(torch.tensor(counts), SQUARE)
        assert float(prior.sum()) == pytest.approx(1, abs=1e-5)
        assert (prior > 0).all()


class TestRebalancing:
    """What a rare colour counts."""

    def test_by_hand(self) -> None:
        """Of three bins: 1 / (p / 2 + 1 / 6), over the mean by the prior."""
        prior = torch.tensor([0.6, 0.3, 0.1])
        raw = [1 / (0.3 + 1 / 6), 1 / (0.15 + 1 / 6), 1 / (0.05 + 1 / 6)]
        mean = 0.6 * raw[0] + 0.3 * raw[1] + 0.1 * raw[2]
        wanted = torch.tensor(raw) / mean
        assert torch.allclose(rebalancing_weights(prior, 100), wanted)
        cut = wanted.clamp_max(1.5)
        assert wanted[2] > 1.5
        assert torch.allclose(rebalancing_weights(prior, 1.5), cut / (cut @ prior))

    def test_one_leaves_all_alike(self) -> None:
        """Then nothing is rebalanced."""
        prior = torch.tensor([0.9, 0.09, 0.01])
        assert torch.equal(rebalancing_weights(prior, 1), torch.ones(3))

    @given(st.lists(st.floats(1e-6, 1), min_size=9, max_size=9), st.floats(1.01, 50))
    def test_the_mean_is_one(self, counts: list[float], largest: float) -> None:
        """Over the prior; the rarer a bin the more it counts, up to a limit."""
        prior = torch.tensor(counts) / sum(counts)
        weights = rebalancing_weights(prior, largest)
        assert float(prior @ weights) == pytest.approx(1, abs=1e-4)
        rising = weights[prior.argsort(descending=True)]
        assert (rising.diff() >= -1e-5).all()


class TestTowardMedian:
    """A step to the colour from which the mean distance is least."""

    bins = torch.tensor([[0.0, 0.0], [60.0, 0.0], [0.0, 60.0]])

    def test_by_hand(self) -> None:
        """From (60, 0): 3 to the bin there, 60.07 and 84.91 to the others."""
        got = toward_median(ab_at(60, 0), logits_of(0.5, 0.1, 0.4), self.bins).flatten()
        weights = [0.5 / math.sqrt(3609), 0.1 / 3, 0.4 / math.sqrt(7209)]
        wanted = [60 * weights[1] / sum(weights), 60 * weights[2] / sum(weights)]
        assert got.tolist() == pytest.approx(wanted, rel=1e-4)

    def test_a_colour_that_half_hold_stays(self) -> None:
        """There lies the median, whatever the others say."""
        got = toward_median(ab_at(0, 0), logits_of(0.6, 0.2, 0.2), self.bins).flatten()
        assert got.norm() < 3
        assert toward_median(got.view(1, 2, 1, 1), logits_of(0.6, 0.2, 0.2), self.bins).norm() < 3

    @settings(max_examples=50)
    @given(
        st.lists(st.floats(0.01, 1), min_size=9, max_size=9), st.floats(-20, 20), st.floats(-20, 20)
    )
    def test_the_mean_distance_falls(self, shares: list[float], a: float, b: float) -> None:
        """From wherever the step is taken."""
        logits = logits_of(*shares)
        ab = ab_at(a, b)

        def distance(ab: Tensor) -> float:
            squares = squares_to(SQUARE, ab) + gamut.NEAREST
            return float((logits.softmax(dim=1) * squares.sqrt()).sum())

        assert distance(toward_median(ab, logits, SQUARE)) <= distance(ab) + 1e-3

    def test_squared_distances(self) -> None:
        """Of two cells to all bins, as Pythagoras has them."""
        ab = torch.tensor([[3.0, 60.0], [4.0, -80.0]]).view(1, 2, 1, 2)
        got = squares_to(self.bins, ab)
        assert got.shape == (1, 3, 1, 2)
        wanted = [[25.0, 10000], [57**2 + 16, 6400], [9 + 56**2, 3600 + 140**2]]
        assert torch.allclose(got[0, :, 0], torch.tensor(wanted), atol=1e-2)


class TestAnnealedMean:
    """A colour out of a distribution."""

    bins = torch.tensor([[0.0, 0.0], [60.0, 0.0], [0.0, 60.0]])
    even = torch.full((3,), 1 / 3).log()

    def test_warm_and_unadjusted_it_is_the_mean(self) -> None:
        """0.5, 0.3 and 0.2 of (0, 0), (60, 0) and (0, 60)."""
        got = annealed_mean(logits_of(0.5, 0.3, 0.2), self.bins, self.even, 1, 0)
        assert got.shape == (1, 2, 1, 1)
        assert torch.allclose(got.flatten(), torch.tensor([18.0, 12.0]))

    def test_cold_it_is_the_likeliest_bin(self) -> None:
        """Also where another is nearly as likely."""
        got = annealed_mean(logits_of(0.33, 0.35, 0.32), self.bins, self.even, 1e-3, 0)
        assert torch.allclose(got.flatten(), self.bins[1])

    def test_half_the_temperature_squares_the_shares(self) -> None:
        """0.25, 0.09 and 0.04 of 0.38."""
        got = annealed_mean(logits_of(0.5, 0.3, 0.2), self.bins, self.even, 0.5, 0)
        assert torch.allclose(got.flatten(), torch.tensor([60 * 0.09 / 0.38, 60 * 0.04 / 0.38]))

    def test_a_prior_that_is_taken_out(self) -> None:
        """Fully, shares are divided by it; an even one changes nothing."""
        prior = torch.tensor([0.8, 0.1, 0.1])
        got = annealed_mean(logits_of(0.8, 0.1, 0.1), self.bins, prior.log(), 1, 1)
        assert torch.allclose(got.flatten(), torch.tensor([20.0, 20.0]))
        even = annealed_mean(logits_of(0.5, 0.3, 0.2), self.bins, self.even, 1, 1)
        assert torch.allclose(even.flatten(), torch.tensor([18.0, 12.0]))

    @settings(max_examples=30)
    @given(st.lists(st.floats(-30, 30), min_size=3, max_size=3), st.floats(0.05, 1))
    def test_it_stays_among_the_bins(self, logits: list[float], temperature: float) -> None:
        """A mean never leaves their hull."""
        got = annealed_mean(
            torch.tensor(logits).view(1, 3, 1, 1), self.bins, self.even, temperature, 0.5
        ).flatten()
        assert (got >= -1e-3).all()
        assert got.sum() <= 60.01


class TestConfidence:
    """How sure a distribution is."""

    def test_one_bin_alone(self) -> None:
        """1."""
        logits = torch.zeros(1, 261, 1, 1)
        logits[0, 7] = 100
        assert float(confidence_of(logits)) == pytest.approx(1, abs=1e-5)

    def test_all_alike(self) -> None:
        """0."""
        assert confidence_of(torch.full((1, 261, 1, 1), 3.0)).item() == pytest.approx(0, abs=1e-5)

    def test_two_of_four(self) -> None:
        """An entropy of log 2 out of log 4 is a half; where it is sure it is higher."""
        logits = torch.tensor([[5.0, 5, -95, -95], [5.0, -95, -95, -95]]).T[None, ..., None]
        assert torch.allclose(confidence_of(logits)[0, :, 0], torch.tensor([0.5, 1.0]), atol=1e-5)

    def test_entropy_by_hand(self) -> None:
        """In nats; what has no share adds nothing."""
        shares = torch.tensor([[0.5, 0.25, 0.25, 0.0]])
        assert float(entropy(shares)) == pytest.approx(1.5 * math.log(2))
