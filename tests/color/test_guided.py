"""Colour enlarged along the edges of lightness."""

from __future__ import annotations

import torch

from napari_colorize.color.guided import Guide


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
