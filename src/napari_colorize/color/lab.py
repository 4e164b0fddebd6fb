"""sRGB and CIELAB (D65), there and back, in batches and with gradients."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Linear sRGB -> XYZ: Rec. 709 primaries, D65 white at x = 0.312713, y = 0.329016 (ITU-R BT.709).
RGB_TO_XYZ = torch.tensor(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ],
    dtype=torch.float64,
)
# The white of this very matrix, so that greys have a = b = 0 to the last digit.
WHITE = RGB_TO_XYZ.sum(dim=1)
XYZ_TO_RGB = torch.linalg.inv(RGB_TO_XYZ)

# Each curve below is a power above a corner and a line under it. It is written without a branch, as
# power(max(x, corner)) + slope * (x - max(x, corner)): quicker, and its gradient is finite.

# Where the cube root of CIELAB becomes a line, and the slope there (CIE 15:2004, exact fractions).
EPSILON = 216 / 24389
KAPPA = 24389 / 27
# Corner of f: t = (6 / 29) ** 3 maps to 6 / 29.
CORNER = 6 / 29

# How far outside 0..1 a linear channel may lie and still count as inside the gamut.
GAMUT_TOLERANCE = 1e-5
# Halvings of the chroma factor: the largest sRGB chroma (134) is met to 134 * 2 ** -10 = 0.13.
GAMUT_HALVINGS = 10


def decode_srgb(value: Tensor) -> Tensor:
    """Return linear light 0..1 of sRGB values 0..1 (IEC 61966-2-1)."""
    upper = value.clamp_min(0.04045)
    return ((upper + 0.055) / 1.055) ** 2.4 + (value - upper) / 12.92


def encode_srgb(linear: Tensor) -> Tensor:
    """Return sRGB values 0..1 of linear light 0..1 (IEC 61966-2-1)."""
    upper = linear.clamp_min(0.0031308)
    return 1.055 * upper ** (1 / 2.4) - 0.055 + 12.92 * (linear - upper)


def _mix(matrix: Tensor, channels: Tensor) -> Tensor:
    """Multiply the channels, third axis from the end, by a 3 x 3 matrix."""
    weights = matrix.to(channels.device, channels.dtype)
    return torch.einsum("ij,...jhw->...ihw", weights, channels)  # (..., 3, H, W)


def _compress(ratio: Tensor) -> Tensor:
    """Return f(t) of CIELAB for t = X / Xn and the like."""
    upper = ratio.clamp_min(EPSILON)
    return upper ** (1 / 3) + KAPPA / 116 * (ratio - upper)


def _expand(f: Tensor) -> Tensor:
    """Return t of f(t), the inverse of `_compress`."""
    upper, slope = f.clamp_min(CORNER), 116 / KAPPA
    return upper.pow(3).add_(f, alpha=slope).sub_(upper, alpha=slope)


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Return the CIELAB colours of sRGB pictures.

    Parameters
    ----------
    rgb : Tensor of shape (..., 3, H, W), any float dtype
        sRGB, 0..1.

    Returns
    -------
    Tensor of shape (..., 3, H, W), dtype of `rgb`
        L in 0..100, a and b about -86..98 and -108..94 (D65, 2 degrees). Computed in float32.

    See Also
    --------
    lab_to_rgb : the inverse.

    References
    ----------
    CIE 15:2004, Colorimetry, 3rd edition; IEC 61966-2-1:1999.
    """
    _check_channels(rgb, "rgb")
    white_scaled = RGB_TO_XYZ / WHITE[:, None]
    f = _compress(_mix(white_scaled, decode_srgb(rgb.float())))  # (..., 3, H, W)
    fx, fy, fz = f.unbind(-3)
    lab = torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), dim=-3)
    return lab.to(rgb.dtype)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Return sRGB pictures of CIELAB colours, brought into the gamut.

    A colour that sRGB cannot show keeps its L and hue and loses chroma until it fits.

    Parameters
    ----------
    lab : Tensor of shape (..., 3, H, W), any float dtype
        L in 0..100 (clipped to it), a, b.

    Returns
    -------
    Tensor of shape (..., 3, H, W), dtype of `lab`
        sRGB, 0..1. Computed in float32.

    See Also
    --------
    rgb_to_lab : the inverse.
    """
    _check_channels(lab, "lab")
    lightness, a, b = lab.float().unbind(-3)
    linear = torch.stack(fitted_linear(lightness.clamp(0, 100), a, b).linear, dim=-3)
    return encode_srgb(linear).to(lab.dtype)


class Fitted(NamedTuple):
    """Linear red, green and blue, 0..1, and which of the colours lay outside the gamut, bool."""

    linear: list[Tensor]
    outside: Tensor


def fitted_linear(lightness: Tensor, a: Tensor, b: Tensor) -> Fitted:
    """Return the light of L (within 0..100), a and b of one shape.

    A colour outside the gamut loses chroma, at fixed L and hue, until sRGB can show it; colours
    inside stay as they are.
    """
    fy = (lightness + 16) / 116
    linear = _linear(fy, torch.add(fy, a, alpha=1 / 500), torch.sub(fy, b, alpha=1 / 200))
    outside = _excess(linear) > GAMUT_TOLERANCE
    places = outside.reshape(-1).nonzero()[:, 0]
    if len(places):
        at_y, at_a, at_b = (part.reshape(-1)[places] for part in (fy, a, b))
        lowered = _lower_chroma(at_y, at_a / 500, at_b / -200)
        for channel, values in zip(linear, lowered, strict=True):
            channel.view(-1)[places] = values
    return Fitted([channel.clamp(0, 1) for channel in linear], outside)


def _lower_chroma(fy: Tensor, to_x: Tensor, to_z: Tensor) -> list[Tensor]:
    """Return linear sRGB of colours outside the gamut, brought to its border; (N,) each."""
    with torch.no_grad():
        factor = _chroma_factor(fy, torch.stack((to_x, to_z)))
    return _linear(fy, fy + to_x * factor, fy + to_z * factor)


def _chroma_factor(fy: Tensor, to_xz: Tensor) -> Tensor:
    """Return, by bisection, the factor 0..1 on chroma at which each colour enters the gamut.

    As few operations as can be, of all channels at once: colours outside the gamut are few, and
    the number of operations costs more than what they do. A channel is inside where it is at most
    1/2 away from 1/2.
    """
    mix = (XYZ_TO_RGB * WHITE).to(fy)
    of_y = mix[:, 1:2] * _expand(fy) - 0.5
    mix_x, mix_z = mix[:, :1], mix[:, 2:]
    middle, step = torch.full_like(fy, 0.5), torch.tensor(0.25)
    for _ in range(GAMUT_HALVINGS):
        xz = _expand(torch.addcmul(fy, to_xz, middle))
        channels = torch.addcmul(of_y, mix_x, xz[:1]).addcmul_(mix_z, xz[1:])
        worst = channels.abs_().amax(dim=0)
        middle -= torch.copysign(step, worst.sub_(0.5))
        step = step / 2
    return (middle - 2 * step).clamp_min(0)


def _linear(fy: Tensor, fx: Tensor, fz: Tensor) -> list[Tensor]:
    """Return linear red, green and blue, unclipped, of f(Y), f(X) and f(Z) of any shape."""
    x, y, z = _expand(fx), _expand(fy), _expand(fz)
    rows = (XYZ_TO_RGB * WHITE).tolist()
    return [(x * row[0]).add_(y, alpha=row[1]).add_(z, alpha=row[2]) for row in rows]


def _excess(linear: list[Tensor]) -> Tensor:
    """Return how far the worst of linear red, green and blue lies outside 0..1; negative inside."""
    red, green, blue = linear
    lowest = torch.minimum(torch.minimum(red, green), blue)
    highest = torch.maximum(torch.maximum(red, green), blue)
    return torch.maximum(-lowest, highest - 1)


def lightness_of_grey(value: Tensor) -> Tensor:
    """Return L, 0..100, of grey sRGB values 0..1, any shape, in float32.

    Mid-grey 0.5 is L 53.4: a grey goes through the sRGB curve like any colour.
    """
    return 116 * _compress(decode_srgb(value.float())) - 16


def grey_of_lightness(lightness: Tensor) -> Tensor:
    """Return grey sRGB values 0..1 of L 0..100, any shape, in float32.

    See Also
    --------
    lightness_of_grey : the inverse.
    """
    return encode_srgb(_expand((lightness.float() + 16) / 116))


def _check_channels(tensor: Tensor, name: str) -> None:
    if tensor.ndim < 3 or tensor.shape[-3] != 3 or not tensor.is_floating_point():
        raise ValueError(
            f"{name} must be a float tensor of shape (..., 3, H, W), "
            f"got {tensor.dtype} of shape {tuple(tensor.shape)}"
        )
