"""Smoothing and convolution of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.maps.arrays import is_jax, namespace
from gammajax.units import to_value

REACH = 5.0
"""A Gaussian kernel ends at so many sigma."""


def kernel(geom: Any, width: Any, name: str) -> np.ndarray:
    """A normalised kernel of odd size for the pixels of a geometry; ``width`` in deg."""
    if name not in ("gauss", "disk", "tophat", "box"):
        raise ValueError(
            f"smooth: kernel is {name!r}, expected 'gauss', 'disk', 'tophat' or 'box'"
        )
    size = float(to_value(width, "deg", where="smooth: width"))
    if not size > 0:
        raise ValueError(f"smooth: width is {size:g} deg, expected one above 0")
    reach = {"gauss": REACH * size, "box": size / 2}.get(name, size)
    step = geom.pixel_scales
    x, y = (
        np.arange(-n, n + 1) * s
        for n, s in ((int(np.ceil(reach / s)), s) for s in step.tolist())
    )
    if name == "gauss":
        found = np.exp(-0.5 * (x**2 + y[:, None] ** 2) / size**2)
    elif name == "box":
        found = _covered(x, step[0], size / 2) * _covered(y, step[1], size / 2)[:, None]
    else:
        found = (np.hypot(x, y[:, None]) <= size * (1 + 1e-9)).astype(float)
    return found / found.sum()


def _covered(x: np.ndarray, step: float, half: float) -> np.ndarray:
    """The fraction of each pixel that lies within ``half`` of 0."""
    return np.clip((half - np.abs(x)) / step + 0.5, 0, 1)


def convolve(data: Any, kernel: Any) -> Any:
    """Convolution of the last two axes through their Fourier transforms; 0 outside."""
    xp = namespace(data, kernel)
    shape = np.shape(kernel)[-2:]
    if any(size % 2 == 0 for size in shape):
        raise ValueError(f"convolve: the kernel has shape {shape}, expected odd numbers")
    full = [n + k - 1 for n, k in zip(data.shape[-2:], shape, strict=True)]
    if is_jax(data) or is_jax(kernel):
        fft, inverse = xp.fft.rfft2, xp.fft.irfft2
    else:
        from scipy import fft as scipy_fft

        full = [scipy_fft.next_fast_len(n, real=True) for n in full]
        fft, inverse = scipy_fft.rfft2, scipy_fft.irfft2
    values = xp.asarray(data, dtype=float)
    one: Any = fft(values, s=full)
    two: Any = fft(xp.asarray(kernel, dtype=float), s=full)
    result: Any = inverse(one * two, s=full)
    y, x = (size // 2 for size in shape)
    ny, nx = data.shape[-2:]
    return result[..., y : y + ny, x : x + nx]


def dilate(mask: Any, width: Any) -> Any:
    """Bools, true within ``width`` (deg) of a true pixel."""
    from gammajax.maps.arithmetic import require_mask

    require_mask(mask)
    return convolve(mask.data, kernel(mask.geom, width, "disk") > 0) > 0.5
