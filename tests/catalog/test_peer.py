"""Models and flux points beside those that gammapy reads from the same files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax import catalog

pytestmark = pytest.mark.data

PEER = json.loads((Path(__file__).parents[1] / "peer" / "catalogs.json").read_text())
FILES = {
    "3fgl": "catalogs/fermi/gll_psc_v16.fit.gz",
    "3fhl": "catalogs/fermi/gll_psch_v13.fit.gz",
    "2pc": "catalogs/fermi/2PC_catalog_v04.fits.gz",
    "hgps": "catalogs/hgps_catalog_v1.fits.gz",
    "gamma-cat": "catalogs/gammacat/gammacat.fits.gz",
    "3hwc": "catalogs/3HWC.ecsv",
    "1lhaaso": "catalogs/1LHAASO_catalog.fits",
}


@pytest.mark.parametrize("tag", FILES)
def test_spectra(data_path: Callable[[str], Path], tag: str) -> None:
    sources = catalog.load(tag, data_path(FILES[tag]))
    limits = []
    for key, expected in PEER[tag]["sources"].items():
        name, _, which = key.partition("|")
        if tag == "1lhaaso" and is_limit(sources[name], which):
            limits.append(name)
            continue
        part = sources[name].spectrum(which or None)
        model, (kind, parameters) = part.model, expected["spectral"]
        dnde = float(model(expected["energy"]))
        if tag == "2pc":
            # The peer's cutoff is 1 at the scale, and that of the table is not.
            scale = parameters["reference"][0] / parameters["ecut"][0]
            dnde *= np.exp(scale ** parameters["index_2"][0])
        else:
            assert type(model).__name__ == kind
            for parameter, (value, error) in parameters.items():
                np.testing.assert_allclose(getattr(model, parameter), value, rtol=1e-6)
                error = error if np.isfinite(error) else 0.0  # -inf in 3FGL: not known
                np.testing.assert_allclose(part.errors.get(parameter, 0.0), error, rtol=1e-5)
        np.testing.assert_allclose(dnde, expected["dnde"], rtol=1e-5)
    assert len(limits) == (6 if tag == "1lhaaso" else 0)


def is_limit(source: Any, which: str) -> bool:
    """Whether a detector has but a limit, which the peer takes for the flux."""
    ending = "" if source.text("Model_a").startswith(which) else "_b"
    if not source.number(f"N0_ul{ending}", "cm-2 s-1 TeV-1") > 0:
        return False
    with pytest.raises(ValueError, match=f"{which} gives no flux, only the limit"):
        source.spectral_model(which)
    return True


@pytest.mark.parametrize("tag", ["3fgl", "3fhl", "2pc", "hgps", "3hwc", "1lhaaso"])
def test_shapes(data_path: Callable[[str], Path], tag: str) -> None:
    """All but gamma-cat, whose measured positions and ellipses the peer leaves aside."""
    sources = catalog.load(tag, data_path(FILES[tag]))
    for key, expected in PEER[tag]["sources"].items():
        name, _, which = key.partition("|")
        if tag == "1lhaaso" and is_limit(sources[name], which):
            continue
        model = sources[name].spatial_model(which or None)
        kind, parameters = expected["spatial"]
        place = SkyCoord(
            parameters["lon_0"][0], parameters["lat_0"][0], unit="deg", frame=expected["frame"]
        )
        assert model.position.separation(place).deg < 2e-3
        if tag == "hgps" and parameters.get("sigma", [1])[0] < 1e-3:
            assert type(model).__name__ == "PointSpatialModel"  # the peer: a size of 0
            continue
        assert type(model).__name__ == kind
        for parameter in set(parameters) - {"lon_0", "lat_0"}:
            value = parameters[parameter][0]
            if tag in ("3fgl", "3fhl") and parameter == "sigma":
                value /= np.sqrt(-2 * np.log(0.32))  # the peer takes a radius of 68 % for it
            np.testing.assert_allclose(getattr(model, parameter), value, rtol=1e-6)


@pytest.mark.parametrize("tag", ["3fgl", "3fhl", "hgps", "gamma-cat"])
def test_flux_points(data_path: Callable[[str], Path], tag: str) -> None:
    sources = catalog.load(tag, data_path(FILES[tag]))
    for name, expected in PEER[tag]["points"].items():
        if expected is None:
            continue
        points, kind = sources[name].flux_points, expected["sed_type"]
        assert points.sed_type == kind
        known = np.array(expected[kind], dtype=float)
        np.testing.assert_allclose(points.value, known, rtol=1e-6)
        endings = {"error_low": "_errn", "error_high": "_errp", "error": "_err"}
        for ours, ending in endings.items():
            if kind + ending in expected and not points.is_limit.any():
                theirs = np.array(expected[kind + ending], dtype=float)
                np.testing.assert_allclose(getattr(points, ours), theirs, rtol=1e-6)
