"""Write ``data/map_operations.json``: gammapy's stacks, cutouts, slices and spectra of cubes.

Run it by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_map_operations.py``. The made datasets are those of
``tests/datasets/test_map_operations.py``, by the same formulas.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from astropy.coordinates import SkyCoord
from gammapy.datasets import Datasets, MapDataset, MapDatasetOnOff
from gammapy.irf import EDispKernelMap, PSFMap
from gammapy.maps import Map, MapAxis, WcsGeom
from regions import CircleSkyRegion

CRAB = Path(os.environ["GAMMAPY_DATA"]) / "fermi-3fhl-crab/Fermi-LAT-3FHL_data_Fermi-LAT.fits"
CENTER = SkyCoord(83.63, 22.01, unit="deg")


def made(number: int, on_off: bool) -> MapDataset:
    """A small dataset by formulas; ``number`` tells the two apart."""
    energy = MapAxis.from_energy_edges(np.geomspace(1, 10, 4) * u.TeV)
    true = MapAxis.from_energy_edges(np.geomspace(0.5, 20, 6) * u.TeV, name="energy_true")
    geom = WcsGeom.create(skydir=CENTER, npix=(8, 8), binsz=0.1, proj="TAN", axes=[energy])
    image = geom.to_image()
    e, y, x = np.indices(geom.data_shape)
    irf_geom = WcsGeom.create(skydir=CENTER, npix=(4, 4), binsz=0.2, proj="TAN")
    rad = MapAxis.from_nodes(np.linspace(0, 0.6, 31), name="rad", unit="deg", interp="lin")
    t, _, v, w = np.indices((5, 1, 4, 4))
    # in m2 s: stacks of gammapy take the exposures of responses to be in one unit
    weight = (1e8 + 1e7 * number * t + 2e7 * v + 1e7 * w) * (1.0 + number)
    sigma = 0.08 + 0.03 * number + 0.005 * np.arange(5)[:, None, None, None]
    psf = np.exp(-0.5 * (rad.center.value[:, None, None] / sigma) ** 2) / (
        2 * np.pi * np.deg2rad(sigma) ** 2
    )
    away = np.log(energy.center.value / true.center.value[:, None]) - 0.02 * number
    matrix = np.exp(-0.5 * (away / (0.4 + 0.1 * number)) ** 2) / 4
    edisp_geom = irf_geom.to_cube([energy, true])
    edisp = EDispKernelMap(
        Map.from_geom(edisp_geom, data=matrix[..., None, None] * np.ones((4, 4))),
        Map.from_geom(irf_geom.to_cube([energy.squash(), true]), data=weight, unit="m2 s"),
    )
    psf_geom = irf_geom.to_cube([rad, true])
    psf_map = PSFMap(
        Map.from_geom(psf_geom, data=psf * np.ones(psf_geom.data_shape), unit="sr-1"),
        Map.from_geom(irf_geom.to_cube([rad.squash(), true]), data=weight, unit="m2 s"),
    )
    t, v, w = np.indices((5, 8, 8))
    fields = {
        "name": f"run-{number}",
        "counts": Map.from_geom(geom, data=((3 * e + 2 * y + x + number) % 5).astype(float)),
        "exposure": Map.from_geom(
            image.to_cube([true]), data=1e12 * (1 + number + t) + 1e10 * (v + w), unit="cm2 s"
        ),
        "mask_safe": Map.from_geom(geom, data=(x + (1 - number) * e > number) & (x < 6)),
    }
    if not on_off:
        background = Map.from_geom(geom, data=0.5 + 0.1 * e + 0.02 * y + 0.3 * number)
        return MapDataset(**fields, background=background, psf=psf_map, edisp=edisp)
    off = {
        "counts_off": ((x + y + 2 * e) % 4) * (3.0 + number),
        "acceptance": 1.0 + 0.1 * x + 0 * e,
        "acceptance_off": 6.0 + 2 * number + 0.5 * y + 0 * e,
    }
    maps = {key: Map.from_geom(geom, data=data) for key, data in off.items()}
    return MapDatasetOnOff(**fields, **maps, psf=psf_map, edisp=edisp)


def summary(dataset) -> dict:
    """The numbers that tests compare; sums weighted so that places matter."""
    keys = ["counts", "background", "exposure", "mask_safe", "counts_off", "alpha"]
    found = {}
    for key in keys:
        one = getattr(dataset, key, None)
        if one is not None:
            unit = "cm2 s" if key == "exposure" else ""
            data = np.asarray(one.data, float) * one.unit.to(unit)
            # with no off counts alpha is a choice
            found[key] = moments(
                data * (dataset.counts_off.data > 0) if key == "alpha" else data
            )
    found["edisp"] = moments(dataset.edisp.edisp_map.data)
    if getattr(dataset, "psf", None) is not None:
        found["psf"] = moments(dataset.psf.psf_map.quantity.to_value("sr-1"))
    return found


def moments(data: np.ndarray) -> list[float]:
    """The sum, and the sum with weights that differ from bin to bin."""
    values = np.asarray(data, dtype=float).ravel()
    weights = np.cos(np.arange(values.size))
    return [float(values.sum()), float(values @ weights)]


def operations(dataset) -> dict:
    axis = dataset.counts.geom.axes["energy"]
    low, high = axis.edges[1], axis.edges[-1]
    position = dataset.counts.geom.center_skydir
    joined = MapAxis.from_energy_edges(axis.edges[[0, 1, -1]])
    found = {
        "cutout": dataset.cutout(position, 0.41 * u.deg),
        "slice_by_energy": dataset.slice_by_energy(low, high),
        "resample_energy_axis": dataset.resample_energy_axis(joined),
        "to_image": dataset.to_image(),
        "downsample": dataset.downsample(2),
    }
    return {key: summary(one) for key, one in found.items()}


def spectrum(dataset, region, **options) -> dict:
    found = dataset.to_spectrum_dataset(region, **options)
    numbers = {
        key: np.asarray(getattr(found, key).data, float).ravel().tolist()
        for key in ("counts", "background", "mask_safe", "counts_off", "alpha")
        if getattr(found, key, None) is not None
    }
    numbers["exposure"] = found.exposure.quantity.to_value("cm2 s").ravel().tolist()
    numbers["edisp"] = found.edisp.get_edisp_kernel().pdf_matrix.astype(float).tolist()
    return numbers


def main() -> None:
    found = {"gammapy": gammapy.__version__}
    crab = MapDataset.read(CRAB, name="crab")
    region = CircleSkyRegion(crab.counts.geom.center_skydir, 0.35 * u.deg)
    found["crab"] = {
        **operations(crab),
        "spectrum": spectrum(crab, region),
        "corrected": spectrum(crab, region, containment_correction=True),
    }
    small = CircleSkyRegion(CENTER, 0.16 * u.deg)
    for on_off in (False, True):
        pair = [made(number, on_off) for number in (0, 1)]
        key = "on_off" if on_off else "cash"
        found[key] = {
            **operations(pair[0]),
            "stack": summary(Datasets(pair).stack_reduce()),
            "spectrum": spectrum(pair[0], small),
        }
    text = json.dumps(found, indent=1) + "\n"
    (Path(__file__).with_name("data") / "map_operations.json").write_text(text)
    print(len(text))


if __name__ == "__main__":
    main()
