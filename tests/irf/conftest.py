"""Response tables for tests, of a few nodes each."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.irf import (
    Background2D,
    Background3D,
    EffectiveAreaTable2D,
    EnergyDependentMultiGaussPSF,
    EnergyDispersion2D,
    GridAxis,
    PSFKing,
    RadMax2D,
)

EDGES = np.geomspace(0.1, 100, 7)
TRUE = GridAxis.from_edges(EDGES, "energy_true", "TeV", "log")
RECO = GridAxis.from_edges(EDGES, "energy", "TeV", "log")
OFFSET = GridAxis.from_edges([0.0, 1.0, 2.0, 3.0], "offset", "deg")
FOV = np.linspace(-3, 3, 10)


def example(name: str):
    """A table of the class of this name."""
    widths = 0.1 * (TRUE.center[:, None] ** -0.2) * (1 + 0.3 * OFFSET.center)
    rate = 1e2 * RECO.center[:, None] ** -2.5 * np.exp(-OFFSET.center / 2)
    lon = GridAxis.from_edges(FOV, "fov_lon", "deg")
    lat = GridAxis.from_edges(np.linspace(-2, 2, 8), "fov_lat", "deg")
    if name == "EffectiveAreaTable2D":
        area = 1e9 * TRUE.center[:, None] ** 0.5 / (1 + OFFSET.center)
        return EffectiveAreaTable2D((TRUE, OFFSET), area)
    if name == "EnergyDispersion2D":
        return EnergyDispersion2D.from_gauss(EDGES, 0.2, 0.05, np.linspace(0, 3, 31), range(4))
    if name == "EnergyDependentMultiGaussPSF":
        parts = [np.ones_like(widths), widths, 0.2 + 0 * widths, 2 * widths]
        return EnergyDependentMultiGaussPSF((TRUE, OFFSET), [*parts, 0 * widths, 0 * widths])
    if name == "PSFKing":
        return PSFKing((TRUE, OFFSET), [2.0 + 0 * widths, widths])
    if name == "PSF3D":
        return example("EnergyDependentMultiGaussPSF").to_psf3d()
    if name == "Background2D":
        return Background2D((RECO, OFFSET), rate)
    if name == "Background3D":
        shape = np.exp(-np.hypot(lon.center[:, None] - 0.5, lat.center) / 2)
        return Background3D((RECO, lon, lat), rate[:, :1, None] * shape, fov_alignment="ALTAZ")
    return RadMax2D((RECO, OFFSET), 0.1 + 0 * rate, point_like=True)


NAMES = (
    "Background2D",
    "Background3D",
    "EffectiveAreaTable2D",
    "EnergyDependentMultiGaussPSF",
    "EnergyDispersion2D",
    "PSF3D",
    "PSFKing",
    "RadMax2D",
)


@pytest.fixture(params=NAMES)
def irf(request):
    """A table of each class."""
    return example(request.param)


@pytest.fixture
def make():
    """A function from the name of a class to a table."""
    return example
