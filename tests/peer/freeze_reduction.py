"""Write ``data/reduction.json``: gammapy's spectra of regions, and its backgrounds of rings.

Run it by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_reduction.py``. Runs and settings are those of
``tests/reference/test_hess_spectra.py``, ``test_magic.py`` and ``test_rings.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import astropy.units as u
import gammapy
import numpy as np
from astropy.coordinates import SkyCoord
from gammapy.data import DataStore
from gammapy.datasets import Datasets, MapDataset, SpectrumDataset
from gammapy.makers import (
    AdaptiveRingBackgroundMaker,
    MapDatasetMaker,
    ReflectedRegionsBackgroundMaker,
    RingBackgroundMaker,
    SafeMaskMaker,
    SpectrumDatasetMaker,
    WobbleRegionsFinder,
)
from gammapy.maps import MapAxis, RegionGeom, WcsGeom
from gammapy.modeling import Fit
from gammapy.modeling.models import LogParabolaSpectralModel, SkyModel
from regions import CircleSkyRegion, PointSkyRegion

DATA = Path(os.environ["GAMMAPY_DATA"])
CRAB = SkyCoord(83.633, 22.014, unit="deg")
RUNS = (23523, 23526, 23559, 23592)


def exclusion(geom: Any, radius: float) -> Any:
    where = SkyCoord(183.604, -8.708, unit="deg", frame="galactic")
    circle = CircleSkyRegion(where, radius * u.deg)
    return ~geom.to_image().region_mask([circle])


def described(dataset: Any) -> dict[str, Any]:
    """The arrays of a spectrum."""
    regions = dataset.counts_off.geom.region if dataset.counts_off is not None else None
    found = {
        name: np.asarray(getattr(dataset, name).data)[:, 0, 0].tolist()
        for name in ("counts", "counts_off", "acceptance", "acceptance_off", "mask_safe")
    }
    exposure = dataset.exposure.quantity.to_value("cm2 s")[:, 0, 0]
    matrix = dataset.edisp.get_edisp_kernel().pdf_matrix
    found |= {"exposure": exposure.tolist(), "edisp": np.round(matrix, 8).tolist()}
    centers = []
    for circle in parts(regions):
        sky = circle.center.icrs
        centers.append([round(sky.ra.deg, 7), round(sky.dec.deg, 7)])
    return {**found, "centers": centers}


def parts(region: Any) -> list[Any]:
    if region is None:
        return []
    if hasattr(region, "region1"):
        return [*parts(region.region1), *parts(region.region2)]
    return [region]


def joint_fit(datasets: list[Any]) -> dict[str, Any]:
    model = LogParabolaSpectralModel(
        amplitude=3e-11 / u.cm**2 / u.s / u.TeV, reference=1 * u.TeV, alpha=2.3, beta=0.1
    )
    fitted = Datasets(datasets).copy()
    fitted.models = [SkyModel(model, name="crab")]
    result = Fit().run(fitted)
    rows = {p.name: [float(p.value), float(p.error)] for p in fitted.models[0].parameters}
    return {"stat": float(result.total_stat), "parameters": rows}


def hess_spectra() -> dict[str, Any]:
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=12)
    true = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=24, name="energy_true")
    region = CircleSkyRegion(CRAB, 0.11 * u.deg)
    geom = RegionGeom.create(region, axes=[energy])
    wide = WcsGeom.create(skydir=CRAB, npix=(150, 150), binsz=0.05, proj="TAN")
    makers = [
        SpectrumDatasetMaker(
            containment_correction=True, selection=["counts", "exposure", "edisp"]
        ),
        ReflectedRegionsBackgroundMaker(exclusion_mask=exclusion(wide, 0.5)),
        SafeMaskMaker(methods=["aeff-max"], aeff_percent=10),
    ]
    store, made = DataStore.from_dir(DATA / "hess-dl3-dr1"), []
    for number in RUNS:
        dataset = SpectrumDataset.create(geom, energy_axis_true=true, name=str(number))
        for maker in makers:
            dataset = maker.run(dataset, store.obs(number))
        made.append(dataset)
    runs = {d.name: described(d) for d in made}
    averaged = SpectrumDatasetMaker(
        use_region_center=False, selection=["exposure", "edisp", "background"]
    ).run(SpectrumDataset.create(geom, energy_axis_true=true), store.obs(23523))
    center = SpectrumDatasetMaker(selection=["exposure", "background"]).run(
        SpectrumDataset.create(geom, energy_axis_true=true), store.obs(23523)
    )
    kinds = {
        name: {
            "exposure": d.exposure.quantity.to_value("cm2 s").ravel().tolist(),
            "background": d.background.data.ravel().tolist(),
        }
        for name, d in (("averaged", averaged), ("center", center))
    }
    return {"runs": runs, "fit": joint_fit(made), **kinds}


def magic(folder: str, fixed: bool) -> dict[str, Any]:
    # the bins of the table of cuts
    energy = MapAxis.from_energy_edges(10.0 ** np.arange(-1.2, 1.3, 0.2) * u.TeV)
    true = MapAxis.from_energy_bounds("0.01 TeV", "50 TeV", nbin=30, name="energy_true")
    store = DataStore.from_dir(DATA / folder)
    irfs = ["aeff", "edisp"] if fixed else "point-like"
    present = [5029748] if fixed else None  # the other file is not among the data
    observations = store.get_observations(present, required_irf=irfs)
    where = SkyCoord(83.63, 22.01, unit="deg")
    found, made = {}, []
    for observation in observations:
        if fixed:
            on = CircleSkyRegion(where, observation.rad_max.quantity[0, 0])
        else:
            on = PointSkyRegion(where)
        geom = RegionGeom.create(on, axes=[energy])
        dataset = SpectrumDataset.create(
            geom, energy_axis_true=true, name=str(observation.obs_id)
        )
        for maker in (
            SpectrumDatasetMaker(selection=["counts", "exposure", "edisp"]),
            ReflectedRegionsBackgroundMaker(region_finder=WobbleRegionsFinder(n_off_regions=3)),
            SafeMaskMaker(methods=["aeff-max"], aeff_percent=10),
        ):
            dataset = maker.run(dataset, observation)
        found[dataset.name] = described(dataset)
        if not fixed:
            radii = observation.rad_max.evaluate(
                energy=energy.center,
                offset=observation.get_pointing_icrs(observation.tmid).separation(where),
            )
            found[dataset.name]["rad_max"] = radii.to_value("deg").ravel().tolist()
        made.append(dataset)
    return {"runs": found, "fit": joint_fit(made)}


def rings() -> dict[str, Any]:
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=2)
    true = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=6, name="energy_true")
    geom = WcsGeom.create(skydir=CRAB, width=4, binsz=0.05, proj="TAN", axes=[energy])
    observation = DataStore.from_dir(DATA / "hess-dl3-dr1").obs(23523)
    dataset = MapDataset.create(geom, energy_axis_true=true, name="run")
    for maker in (
        MapDatasetMaker(selection=["counts", "exposure", "background"]),
        SafeMaskMaker(methods=["offset-max"], offset_max=1.5 * u.deg),
    ):
        dataset = maker.run(dataset, observation)
    circle = CircleSkyRegion(CRAB, 0.3 * u.deg)
    mask = ~geom.to_image().region_mask([circle])
    makers = {
        "ring": RingBackgroundMaker(r_in="0.4 deg", width="0.3 deg", exclusion_mask=mask),
        **{
            method: AdaptiveRingBackgroundMaker(
                r_in="0.2 deg", r_out_max="0.8 deg", width="0.2 deg", stepsize="0.05 deg",
                threshold_alpha=0.01, method=method, exclusion_mask=mask,
            )
            for method in ("fixed_width", "fixed_r_in")
        },
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name, maker in makers.items():
        made = maker.run(dataset.to_image())  # whose counts are those in the safe mask
        maps = {
            key: np.nan_to_num(np.asarray(getattr(made, key).data, dtype=float), nan=-1.0)
            for key in ("counts_off", "acceptance", "acceptance_off", "mask_safe")
        }
        found[name] = {
            "row": {k: v[:, 33, ::4].round(7).tolist() for k, v in maps.items()},
            "sums": {
                k: np.where(maps["mask_safe"] > 0, v, 0).sum(axis=(1, 2)).tolist()
                for k, v in maps.items()
            },
        }
    return found


def main() -> None:
    found = {
        "version": gammapy.__version__,
        "hess": hess_spectra(),
        "magic": magic("magic/rad_max/data", False),
        "magic_fixed": magic("joint-crab/dl3/magic", True),
        "rings": rings(),
    }
    path = Path(__file__).parent / "data" / "reduction.json"
    path.write_text(json.dumps(found, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
