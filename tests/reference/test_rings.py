"""Backgrounds of rings of a H.E.S.S. run, beside another code's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.data import DataStore
from gammajax.datasets import MapDataset
from gammajax.makers import (
    AdaptiveRingBackgroundMaker,
    MapDatasetMaker,
    RingBackgroundMaker,
    SafeMaskMaker,
)
from gammajax.maps import Map, MapAxis, WcsGeom

pytestmark = pytest.mark.data

CRAB = SkyCoord(83.633, 22.014, unit="deg")
PEER = json.loads((Path(__file__).parents[1] / "peer" / "data" / "reduction.json").read_text())[
    "rings"
]


@pytest.fixture(scope="module")
def dataset(data_path):
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=2)
    true = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=6, name="energy_true")
    geom = WcsGeom.create(skydir=CRAB, width=4, binsz=0.05, proj="TAN", axes=[energy])
    run = DataStore.from_dir(data_path("hess-dl3-dr1")).obs(23523)
    made = MapDatasetMaker(selection=("counts", "exposure", "background")).run(
        MapDataset.create(geom, true, name="run"), run
    )
    return SafeMaskMaker(methods=("offset-max",), offset_max=1.5).run(made, run)


def maker(kind, dataset):
    image = dataset.geom.to_image()
    mask = Map.from_geom(image, data=image.separation(CRAB) > 0.3)
    if kind == "ring":
        return RingBackgroundMaker(r_in="0.4 deg", width="0.3 deg", exclusion_mask=mask)
    return AdaptiveRingBackgroundMaker(
        r_in="0.2 deg",
        r_out_max="0.8 deg",
        width="0.2 deg",
        stepsize="0.05 deg",
        threshold_alpha=0.01,
        method=kind,
        exclusion_mask=mask,
    )


@pytest.mark.parametrize("kind", ["ring", "fixed_width", "fixed_r_in"])
def test_rings_are_the_peers(dataset, kind) -> None:
    """Off counts exactly; the peer's pixels whose ring is never large enough are not ours."""
    made = maker(kind, dataset).run(dataset.to_image())
    theirs = {name: np.array(values) for name, values in PEER[kind]["row"].items()}
    known = (theirs["mask_safe"] > 0) & (theirs["counts_off"] >= 0)
    np.testing.assert_array_equal(made.mask_safe.data[:, 33, ::4], known)
    assert known.sum() > 10
    for name, rtol in (("counts_off", 1e-6), ("acceptance", 2e-5), ("acceptance_off", 2e-5)):
        ours = getattr(made, name).data[:, 33, ::4]
        np.testing.assert_allclose(ours[known], theirs[name][known], rtol=rtol, err_msg=name)
    if kind == "ring":
        total = (made.counts_off.data * made.mask_safe.data).sum(axis=(1, 2))
        np.testing.assert_allclose(total, PEER[kind]["sums"]["counts_off"], rtol=1e-7)
