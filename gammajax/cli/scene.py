"""What the demonstration looks at: two sources, four runs, and their reduction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CRAB = (83.63, 22.01)
NEIGHBOUR = (84.45, 22.45)
WOBBLES = ((0.0, 0.5), (0.0, -0.5), (0.5, 0.0), (-0.5, 0.0))
"""Where the runs point, in deg east and north of the first source."""

MINUTES = 30.0
ON_RADIUS = 0.15
ON_AND_OFF = "spectra/pha_{name}.fits"


def sky_truth() -> Any:
    """A point source like the Crab nebula, and an extended source beside it."""
    from gammajax.models import (
        GaussianSpatialModel,
        LogParabolaSpectralModel,
        Models,
        PointSpatialModel,
        PowerLawSpectralModel,
        SkyModel,
    )

    crab = LogParabolaSpectralModel(
        amplitude="3.85e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.5, beta=0.10
    )
    flat = PowerLawSpectralModel(amplitude="1.5e-11 cm-2 s-1 TeV-1", index=2.2)
    return Models(
        [
            SkyModel(crab, PointSpatialModel(*CRAB), name="crab"),
            SkyModel(flat, GaussianSpatialModel(*NEIGHBOUR, 0.2), name="neighbour"),
        ]
    )


def sky_start() -> Any:
    """The same sources as one would guess them from a first look at the sky."""
    from gammajax.models import FoVBackgroundModel

    models = sky_truth() + FoVBackgroundModel(datasets_names="sky", name="background")
    guesses = {
        "*.amplitude": 2e-11, "*.alpha": 2.2, "*.beta": 0.0, "*.index": 2.2,
        "crab.spatial.lon_0": CRAB[0] + 0.02, "crab.spatial.lat_0": CRAB[1] - 0.02,
        "neighbour.spatial.lon_0": NEIGHBOUR[0] - 0.03, "*.sigma": 0.18,
    }  # fmt: skip
    for name, value in guesses.items():
        models = models.set(name, value=value)
    return models.set("*.amplitude", min=0)


def spectrum_only(models: Any) -> Any:
    """The first source without its place, as spectra see it."""
    from gammajax.models import Models, SkyModel

    return Models(SkyModel(models["crab"].spectral_model, name="crab"))


def responses() -> dict[str, Any]:
    """The responses of a telescope that is given by formulas."""
    import numpy as np

    from gammajax.irf import formula_irfs

    edges = np.geomspace(0.1, 100, 37)
    return formula_irfs(psf="gauss", background=50.0, energy_edges=edges)


def observe(models: Any, folder: Path, seed: int) -> Any:
    """Simulate four runs, write them as DL3, and open them again."""
    import numpy as np

    from gammajax.data import GTI, DataStore, Observation, Pointing
    from gammajax.simulate import ObservationEventSampler

    irfs, runs = responses(), []
    for number, (east, north) in enumerate(WOBBLES, 1):
        start, dec = 3600.0 * number, CRAB[1] + north
        pointing = Pointing(ra=CRAB[0] + east / np.cos(np.deg2rad(dec)), dec=dec)
        gti = GTI([start], [start + 60 * MINUTES])
        info = {"OBJECT": "crab", "TELESCOP": "simulated"}
        options = {"dead_time_fraction": 0.05, "irfs": irfs, "info": info}
        runs.append(Observation.create(number, pointing=pointing, gti=gti, **options))
    ObservationEventSampler(seed=seed).run_all(runs, models).write(folder)
    return DataStore.from_dir(folder).get_observations()


def _axes() -> tuple[Any, Any]:
    from gammajax.maps import MapAxis

    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=8)
    true = MapAxis.from_energy_bounds("0.2 TeV", "80 TeV", nbin=20, name="energy_true")
    return energy, true


def reduce_to_sky(runs: Any, *, progress: bool) -> Any:
    """All runs as one counts cube."""
    from gammajax.datasets import MapDataset
    from gammajax.makers import DatasetsMaker, MapDatasetMaker, SafeMaskMaker
    from gammajax.maps import WcsGeom

    energy, true = _axes()
    middle = tuple((a + b) / 2 for a, b in zip(CRAB, NEIGHBOUR, strict=True))
    geom = WcsGeom.create(skydir=middle, width=2.6, binsz=0.05, proj="TAN", axes=[energy])
    empty = MapDataset.create(geom, true, name="sky", binsz_irf=0.4)
    safe = SafeMaskMaker(methods=("offset-max",), offset_max="2 deg")
    return DatasetsMaker([MapDatasetMaker(), safe], progress=progress).run(empty, runs)


def reduce_to_spectra(runs: Any, *, progress: bool) -> Any:
    """Each run as a spectrum of the first source, with off regions of the same size."""
    from astropy.coordinates import SkyCoord
    from astropy.units import Quantity
    from regions import CircleSkyRegion

    from gammajax.datasets import SpectrumDataset
    from gammajax.makers import (
        DatasetsMaker,
        ReflectedRegionsBackgroundMaker,
        SafeMaskMaker,
        SpectrumDatasetMaker,
    )
    from gammajax.maps import Map, RegionGeom, WcsGeom

    energy, true = _axes()
    crab, other = (SkyCoord(*place, unit="deg") for place in (CRAB, NEIGHBOUR))
    image = WcsGeom.create(skydir=CRAB, width=4.0, binsz=0.05, proj="TAN")
    away = (image.separation(crab) > 0.3) & (image.separation(other) > 0.7)
    makers = (
        SpectrumDatasetMaker(
            selection=("counts", "exposure", "edisp"), containment_correction=True
        ),
        ReflectedRegionsBackgroundMaker(exclusion_mask=Map.from_geom(image, data=away)),
        SafeMaskMaker(methods=("aeff-max",), aeff_percent=10),
    )
    region = CircleSkyRegion(crab, Quantity(ON_RADIUS, "deg"))
    empty = SpectrumDataset.create(RegionGeom.create(region, axes=[energy]), true)
    maker = DatasetsMaker(makers, stack_datasets=False, progress=progress)
    return maker.run(empty, runs)
