"""From the safe average to the likeliest colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import torch
from hypothesis import given
from torch import Tensor

from napari_colorize.color.gamut import NEAREST, annealed_mean, squares_to
from napari_colorize.color.guided import Guide
from napari_colorize.networks.interface import Prediction
from napari_colorize.prediction import vividness
from napari_colorize.prediction.vividness import EVENED, vivid_ab

if TYPE_CHECKING:
    from napari_colorize.prediction.colorizer import Colorizer

BINS = torch.tensor([[0.0, 0.0], [80.0, 0.0], [0.0, 80.0]])
EVEN = torch.full((3,), 1 / 3).log()
CELL = Guide(torch.full((1, 1), 50.0), EVENED)


def prediction(*shares: float) -> Prediction:
    """Return a safe average of (-5, 7) beside a distribution over three bins."""
    ab = torch.tensor([-5.0, 7.0]).view(1, 2, 1, 1)
    return Prediction(ab, torch.tensor(shares).log().view(1, 3, 1, 1))


def color(amount: float, log_prior: Tensor = EVEN) -> Tensor:
    """Return a and b, (2,), of half grey, a third red, a sixth yellow."""
    return vivid_ab(prediction(1 / 2, 1 / 3, 1 / 6), BINS, log_prior, amount, CELL).flatten()


def test_nought_is_the_safe_average() -> None:
    """Untouched by the distribution."""
    assert color(0).tolist() == [-5, 7]


def test_where_the_distribution_has_taken_over() -> None:
    """Its plain mean: nothing of the safe average is left and nothing is sharpened yet."""
    got = color(vividness.TAKEN_OVER)
    wanted = annealed_mean(
        prediction(1 / 2, 1 / 3, 1 / 6).logits, BINS, EVEN,
        vividness.TEMPERATURE[0], vividness.ADJUSTMENT[0],
    )  # fmt: skip
    assert torch.allclose(got, wanted.flatten(), atol=1e-4)


def test_one_is_sharpest() -> None:
    """The temperature of 1, with as much of the prior taken out as ever."""
    prior = torch.tensor([0.8, 0.1, 0.1]).log()
    mixed = ((1 - vividness.EVEN) * prior.exp() + vividness.EVEN / 3).log()
    wanted = annealed_mean(
        prediction(1 / 2, 1 / 3, 1 / 6).logits, BINS, mixed,
        vividness.TEMPERATURE[1], vividness.ADJUSTMENT[1],
    )  # fmt: skip
    assert torch.allclose(color(1, prior), wanted.flatten(), atol=1e-4)


@given(st.floats(0, 1))
def test_there_is_no_jump(amount: float) -> None:
    """A slider that moves a little moves colours a little."""
    prior = torch.tensor([0.8, 0.1, 0.1]).log()
    for other in (max(0.0, amount - 1e-3), min(1.0, amount + 1e-3)):
        assert (color(amount, prior) - color(other, prior)).norm() < 1


def test_what_is_common_everywhere_counts_less_and_less() -> None:
    """Where grey is common, chroma rises from the plain mean on."""
    prior = torch.tensor([0.8, 0.1, 0.1]).log()
    steps = torch.linspace(vividness.TAKEN_OVER, 1, 8)
    chroma = torch.stack([color(float(step), prior).norm() for step in steps])
    assert (chroma.diff() > 0).all()


def test_white_things_stay_white() -> None:
    """Where grey is common, a doubtful cell takes less colour the brighter it is."""
    prior = torch.tensor([0.8, 0.1, 0.1]).log()
    doubtful = prediction(0.8, 0.05, 0.15)
    chroma = [
        vivid_ab(doubtful, BINS, prior, 1, Guide(torch.full((1, 1), lightness), EVENED)).norm()
        for lightness in (20.0, 60.0, 80.0, 100.0)
    ]
    assert chroma[0] == chroma[1]
    assert chroma[1] > chroma[2] + 5 > chroma[3] + 10


def halves(shares: Tensor, lightness: Tensor) -> Tensor:
    """Return a and b, (2, 24, 24), at full vividness of shares (3, 24, 24) over a grey regression.

    L is that of the cells, (24, 24).
    """
    told = Prediction(torch.zeros(1, 2, 24, 24), shares.clamp_min(1e-6).log()[None])
    return vivid_ab(told, BINS, EVEN, 1, Guide(lightness, EVENED))[0]


def two_colours() -> Tensor:
    """Return shares, (3, 24, 24), of red on the left and yellow on the right."""
    shares = torch.zeros(3, 24, 24)
    shares[1, :, :12] = shares[2, :, 12:] = 1
    return shares


def test_a_thing_without_an_edge_is_even() -> None:
    """What changes from red to yellow within one thing does so slowly."""
    got = halves(two_colours(), torch.full((24, 24), 50.0))
    assert got.diff(dim=2).norm(dim=0).max() < 20
    assert got[0, :, 0].min() > 75
    assert got[1, :, -1].min() > 75


def test_at_an_edge_of_lightness_colours_part() -> None:
    """Red stays on its side and yellow on the other."""
    lightness = torch.full((24, 24), 30.0)
    lightness[:, 12:] = 80
    got = halves(two_colours(), lightness)
    assert got[0, :, :12].min() > 60
    assert got[0, :, 12:].max() < 20
    assert got[1, :, 12:].min() > 60
    assert got[1, :, :12].max() < 20


def test_the_safe_average_is_a_step_nearer_to_the_median(painter: Colorizer) -> None:
    """From each cell's colour the mean distance to what is possible there falls."""
    look = painter._looked()
    bins = look.palette("a distribution").bins
    with torch.inference_mode():
        rows, columns = look.seen.cells(look.network.cell)
        raw = look.network.decode(look.seen.features, None).inside(rows, columns)
        answer = look.predict()
    assert raw.logits is not None
    shares = raw.logits.softmax(dim=1)
    before, after = (
        (shares * (squares_to(bins, ab) + NEAREST).sqrt()).sum(dim=1) for ab in (raw.ab, answer.ab)
    )
    assert (after <= before + 1e-3).all()
    assert after.mean() < before.mean() - 0.1
