"""Write ``data/fermi.json``: gammapy's dataset of the Galactic centre and its fit.

Run it by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_fermi.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from astropy.coordinates import SkyCoord
from gammapy.datasets import MapDataset
from gammapy.irf import EDispKernelMap, PSFMap
from gammapy.maps import Map, WcsGeom
from gammapy.modeling import Fit
from gammapy.modeling.models import (
    PointSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpatialModel,
)

FOLDER = Path(os.environ["GAMMAPY_DATA"]) / "fermi-3fhl-gc"
NAME = str(FOLDER / "fermi-3fhl-gc-{}-cube.fits.gz")
CENTER = SkyCoord(0, 0, unit="deg", frame="galactic")
FIRST = 5
"""The first energy bin of the fit: 58 GeV."""


def made(first: int) -> MapDataset:
    """The dataset of the files, from an energy bin on."""
    counts = Map.read(NAME.format("counts")).slice_by_idx({"energy": slice(first, None)})
    counts = Map.from_geom(counts.geom, data=counts.data.astype(float))
    true = counts.geom.axes["energy"].copy(name="energy_true")
    geom = WcsGeom(wcs=counts.geom.wcs, npix=counts.geom.npix, axes=[true])
    return MapDataset(
        name="gc",
        counts=counts,
        exposure=Map.read(NAME.format("exposure")).interp_to_geom(geom),
        psf=PSFMap.read(NAME.format("psf"), format="gtpsf"),
        edisp=EDispKernelMap.from_diagonal_response(
            energy_axis=counts.geom.axes["energy"], energy_axis_true=true
        ),
    )


def main() -> None:
    dataset = made(0)
    true, counts = dataset.exposure.geom.axes["energy_true"], dataset.counts
    radius = dataset.psf.containment_radius(0.68, energy_true=true.center, position=CENTER)
    numbers = {
        "gammapy": gammapy.__version__,
        "counts": float(counts.data.sum()),
        "exposure": dataset.exposure.quantity.to_value("cm2 s").mean(axis=(1, 2)).tolist(),
        "radius": np.ravel(radius.to_value("deg")).tolist(),
    }
    # gammapy gets nothing from beyond a cutout, so the fit is in the middle of a wider one
    part = made(FIRST).cutout(CENTER, 6 * u.deg, name="part")
    coords = part.counts.geom.get_coord()
    lon, lat = (
        ((coords["lon"] + 180 * u.deg) % (360 * u.deg) - 180 * u.deg).to_value("deg"),
        coords["lat"].to_value("deg"),
    )
    inside = (np.abs(lon) < 1) & (np.abs(lat) < 1)
    part.mask_fit = Map.from_geom(part.counts.geom, data=inside)
    template = Map.read(FOLDER / "gll_iem_v06_gc.fits.gz")
    iem = SkyModel(
        PowerLawNormSpectralModel(),
        TemplateSpatialModel(template, normalize=False, filename="iem.fits"),
        name="iem",
    )
    source = SkyModel(
        PowerLawSpectralModel(index=2.7, amplitude="5e-10 cm-2 s-1 TeV-1", reference="100 GeV"),
        PointSpatialModel(lon_0="-0.05 deg", lat_0="-0.05 deg", frame="galactic"),
        name="gc",
    )
    source.spatial_model.lon_0.frozen = source.spatial_model.lat_0.frozen = True
    part.models = [source, iem]
    numbers["start"] = float(part.stat_sum())
    numbers["npred"] = {
        n: float(part.npred_signal([n]).data[inside].sum()) for n in ("gc", "iem")
    }
    result = Fit().run([part])
    numbers["stat"] = float(result.total_stat)
    numbers["fit"] = {
        f"{model.name}.spectral.{p.name}": [p.value, p.error]
        for model in part.models
        for p in model.spectral_model.parameters.free_parameters
    }
    text = json.dumps(numbers, indent=1) + "\n"
    (Path(__file__).with_name("data") / "fermi.json").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
