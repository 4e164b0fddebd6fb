"""Colour enlarged along the edges of lightness."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from napari_colorize.color.guided import FLATNESS, RADIUS, Guide, window_mean


def step_edge(height: int, width: int, edge: int) -> torch.Tensor:
    """Return L of 20 left of a column and 80 from there on."""
    lightness = torch.full((height, width), 20.0)
    lightness[:, edge:] = 80
    return lightness


class TestGuidedColor:
    """The rows of a large picture."""

    def test_flat_colour_stays(self) -> None:
        """One colour everywhere comes out as that colour everywhere."""
        ab = torch.tensor([12.0, -30.0])[:, None, None].expand(2, 20, 30)
        color = Guide(torch.rand(20, 30) * 100).fit(ab, (200, 300))
        got = color.rows(0, 200, torch.rand(200, 300) * 100)
        assert torch.allclose(got, ab[:, :1, :1].expand_as(got), atol=0.2)

    def test_colour_stops_at_an_edge(self) -> None:
        """A third of a soft colour step happens where L steps; enlarged it would be an 80th."""
        small, large = step_edge(24, 48, 24), step_edge(240, 480, 240)
        ramp = ((torch.arange(48) - 20) / 8).clamp(0, 1) * 60 - 30
        ab = torch.stack((ramp, ramp)).unsqueeze(1).expand(2, 24, 48)
        got = Guide(small).fit(ab, (240, 480)).rows(0, 240, large)
        jump = got[:, :, 240] - got[:, :, 239]
        assert (jump > 20).all()

    def test_strips_give_the_same_pixels_as_one_piece(self) -> None:
        """Bit by bit, whatever the height of the strips."""
        torch.manual_seed(0)
        large = torch.rand(97, 61) * 100
        color = Guide(torch.rand(12, 9) * 100).fit(torch.randn(2, 12, 9) * 40, (97, 61))
        whole = color.rows(0, 97, large)
        for height in (1, 7, 50):
            strips = [
                color.rows(row, min(row + height, 97), large[row : row + height])
                for row in range(0, 97, height)
            ]
            assert torch.equal(torch.cat(strips, dim=1), whole)

    def test_smallest_pictures(self) -> None:
        """One pixel, one row and one column."""
        for shape in ((1, 1), (1, 9), (9, 1)):
            color = Guide(torch.rand(shape) * 100).fit(torch.randn(2, *shape), shape)
            assert color.rows(0, shape[0], torch.rand(shape) * 100).shape == (2, *shape)


class TestGuide:
    """The small picture whose edges are followed."""

    def test_a_line_of_lightness_is_found(self) -> None:
        """Where L varies far more than what counts as flat, colour that is a line of L stays so."""
        torch.manual_seed(0)
        small, large = torch.rand(30, 40) * 100, torch.rand(60, 80) * 100
        ab = torch.stack((0.5 * small - 20, 30 - 0.4 * small))
        got = Guide(small).fit(ab, (60, 80)).rows(0, 60, large)
        # Slopes are shrunk by variance / (variance + flatness): 833 / 853 for even L of 0..100.
        assert torch.allclose(got, torch.stack((0.5 * large - 20, 30 - 0.4 * large)), atol=2.5)

    def test_a_flat_picture_gives_means(self) -> None:
        """Without edges colour is averaged over windows, twice, whatever L the large one has."""
        ab = torch.zeros(2, 40, 40)
        cells = (2 * RADIUS + 1) ** 2
        ab[0, 20, 20] = cells**2
        got = Guide(torch.full((40, 40), 50.0)).fit(ab, (40, 40)).rows(0, 40, torch.rand(40, 40))
        assert float(got[0, 20, 20]) == pytest.approx(cells, rel=1e-4)
        assert not got[0, : 20 - 2 * RADIUS].any()
        assert not got[1].any()

    def test_it_is_kept_between_colours(self) -> None:
        """Fitting one colour changes nothing for the next."""
        torch.manual_seed(0)
        guide, ab = Guide(torch.rand(20, 30) * 100), torch.randn(2, 20, 30)
        before = guide.fit(ab, (20, 30)).lines
        guide.fit(torch.randn(2, 20, 30) * 50, (9, 9))
        assert torch.equal(guide.fit(ab, (20, 30)).lines, before)
        assert guide.shape == (20, 30)

    def test_what_counts_as_flat(self) -> None:
        """A variance of the limit halves the slope."""
        rows = torch.full((40, 40), 50 - FLATNESS**0.5)
        rows[::2] += 2 * FLATNESS**0.5
        inside = Guide(rows).fit(torch.stack((rows, rows)), (40, 40)).lines[0, 12:28, 12:28]
        assert torch.allclose(inside, torch.tensor(0.5), atol=0.02)

    @pytest.mark.parametrize("shape", [(1, 1), (3, 2), (1, 20), (9, 5), (30, 41)])
    def test_windows(self, shape: tuple[int, int]) -> None:
        """As pooling has it, also where a window is larger than the picture."""
        torch.manual_seed(0)
        tensor = torch.randn(1, 3, *shape) * 100
        side = 2 * RADIUS + 1
        wanted = functional.avg_pool2d(tensor, side, 1, RADIUS, count_include_pad=False)
        assert torch.allclose(window_mean(tensor, RADIUS), wanted, atol=1e-4)
