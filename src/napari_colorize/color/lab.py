"""sRGB and CIELAB (D65), there and back, in batches and with gradients."""

from __future__ import annotations

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
# Halvings of the chroma factor: 2 ** -14 of the largest sRGB chroma (134) is 0.008.
GAMUT_HALVINGS = 14


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
    upper = f.clamp_min(CORNER)
    return upper * upper * upper + 116 / KAPPA * (f - upper)


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
    return encode_srgb(fitted_linear(lab.float())).to(lab.dtype)


def fitted_linear(lab: Tensor) -> Tensor:
    """Return linear sRGB, 0..1, of CIELAB colours (..., 3, H, W) brought into the gamut.

    Chroma is lowered, at fixed L and hue, until sRGB can show the colour; colours inside the gamut
    stay as they are.
    """
    lightness, a, b = lab.unbind(-3)
    return fitted_channels(lightness.clamp(0, 100), a, b, dim=-3)


def fitted_channels(lightness: Tensor, a: Tensor, b: Tensor, dim: int) -> Tensor:
    """Return linear sRGB of L (within 0..100), a and b of one shape, stacked along a new axis.

    See Also
    --------
    fitted_linear : the same for three channels in one tensor.
    """
    linear = _linear(lightness, a, b)
    outside = _outside(linear)
    if outside.any():
        factor = torch.ones_like(lightness)
        with torch.no_grad():
            factor[outside] = _chroma_factor(lightness[outside], a[outside], b[outside])
        linear = _linear(lightness, a * factor, b * factor)
    return torch.stack(linear, dim=dim).clamp(0, 1)


def _chroma_factor(lightness: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return, by bisection, the factor 0..1 on chroma at which each colour enters the gamut."""
    low, high = torch.zeros_like(lightness), torch.ones_like(lightness)
    for _ in range(GAMUT_HALVINGS):
        middle = (low + high) / 2
        outside = _outside(_linear(lightness, a * middle, b * middle))
        low = torch.where(outside, low, middle)
        high = torch.where(outside, middle, high)
    return low


def _linear(lightness: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    """Return linear red, green and blue, unclipped, of L, a and b of any shape."""
    fy = (lightness + 16) / 116
    ratios = (_expand(fy + a / 500), _expand(fy), _expand(fy - b / 200))
    rows = (XYZ_TO_RGB * WHITE).tolist()
    return tuple(x * ratios[0] + y * ratios[1] + z * ratios[2] for x, y, z in rows)


def _outside(linear: tuple[Tensor, ...]) -> Tensor:
    """Tell which colours, given as linear red, green and blue, lie outside the gamut."""
    red, green, blue = linear
    lowest = torch.minimum(torch.minimum(red, green), blue)
    highest = torch.maximum(torch.maximum(red, green), blue)
    return torch.maximum(-lowest, highest - 1) > GAMUT_TOLERANCE


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
