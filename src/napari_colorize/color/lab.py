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
    curve = ((value.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(value > 0.04045, curve, value / 12.92)


def encode_srgb(linear: Tensor) -> Tensor:
    """Return sRGB values 0..1 of linear light 0..1 (IEC 61966-2-1)."""
    curve = 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, curve, linear * 12.92)


def _mix(matrix: Tensor, channels: Tensor) -> Tensor:
    """Multiply the channels, third axis from the end, by a 3 x 3 matrix."""
    weights = matrix.to(channels.device, channels.dtype)
    return torch.einsum("ij,...jhw->...ihw", weights, channels)  # (..., 3, H, W)


def _compress(ratio: Tensor) -> Tensor:
    """Return f(t) of CIELAB for t = X / Xn and the like."""
    root = ratio.clamp_min(EPSILON) ** (1 / 3)
    return torch.where(ratio > EPSILON, root, (KAPPA * ratio + 16) / 116)


def _expand(f: Tensor) -> Tensor:
    """Return t of f(t), the inverse of `_compress`."""
    return torch.where(f > CORNER, f * f * f, (116 * f - 16) / KAPPA)


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
    fit_to_gamut : only the second half.
    """
    _check_channels(lab, "lab")
    fitted = fit_to_gamut(lab.float())
    return encode_srgb(_linear(fitted).clamp(0, 1)).to(lab.dtype)


def fit_to_gamut(lab: Tensor) -> Tensor:
    """Return the colours with chroma lowered, at fixed L and hue, until sRGB can show them.

    Parameters
    ----------
    lab : Tensor of shape (..., 3, H, W), float32
        L (clipped to 0..100), a, b.

    Returns
    -------
    Tensor of shape (..., 3, H, W), float32
        Colours inside the gamut come back unchanged.
    """
    lightness = lab[..., :1, :, :].clamp(0, 100)
    ab = lab[..., 1:, :, :]
    with torch.no_grad():
        factor = _chroma_factor(lightness[..., 0, :, :], ab)
    return torch.cat((lightness, ab * factor.unsqueeze(-3)), dim=-3)


def _chroma_factor(lightness: Tensor, ab: Tensor) -> Tensor:
    """Return the largest factor 0..1 by which ab may be multiplied, (..., H, W)."""
    factor = torch.ones_like(lightness)
    outside = ~_inside(_linear(torch.cat((lightness.unsqueeze(-3), ab), dim=-3)))
    if outside.any():
        chosen = torch.stack(
            (lightness[outside], ab[..., 0, :, :][outside], ab[..., 1, :, :][outside])
        )
        factor[outside] = largest_factor(chosen)
    return factor


def largest_factor(lab: Tensor) -> Tensor:
    """Return, by bisection, the factor 0..1 on chroma at which each colour enters the gamut.

    Parameters
    ----------
    lab : Tensor of shape (3, N), float32

    Returns
    -------
    Tensor of shape (N,), float32
    """
    low = torch.zeros_like(lab[0])
    high = torch.ones_like(lab[0])
    for _ in range(GAMUT_HALVINGS):
        middle = (low + high) / 2
        trial = torch.stack((lab[0], lab[1] * middle, lab[2] * middle))
        fits = _inside(_linear(trial[:, :, None]))[:, 0]
        low = torch.where(fits, middle, low)
        high = torch.where(fits, high, middle)
    return low


def _linear(lab: Tensor) -> Tensor:
    """Return linear sRGB, unclipped, of CIELAB colours, (..., 3, H, W)."""
    lightness, a, b = lab.unbind(-3)
    fy = (lightness + 16) / 116
    ratios = _expand(torch.stack((fy + a / 500, fy, fy - b / 200), dim=-3))  # (..., 3, H, W)
    return _mix(XYZ_TO_RGB * WHITE, ratios)


def _inside(linear: Tensor) -> Tensor:
    """Tell which pixels lie in the gamut, (..., H, W) bool."""
    low, high = linear.aminmax(dim=-3)
    return (low >= -GAMUT_TOLERANCE) & (high <= 1 + GAMUT_TOLERANCE)


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
