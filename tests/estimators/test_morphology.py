"""Energy-dependent morphology: a source that shrinks, against plain fits and gammapy."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import chi2, norm

from gammajax.datasets import Datasets, MapDataset
from gammajax.estimators import EnergyDependentMorphologyEstimator
from gammajax.estimators.copies import in_bins, values_of_copy
from gammajax.estimators.energy_bins import energy_bins, narrowed
from gammajax.inference import Fit, Likelihood
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.stats import sigma_to_ts, ts_to_sigma

DATA = Path(__file__).parents[1] / "peer" / "data"
FROZEN = json.loads((DATA / "morphology.json").read_text())
EDGES = [1.0, 4.0, 16.0]
CENTER = (83.63, 22.01)


def cube(counts=FROZEN["counts"]):
    """The cube of tests/peer/freeze_morphology.py."""
    energy = MapAxis.from_energy_bounds("1 TeV", "16 TeV", nbin=4)
    true = MapAxis.from_energy_bounds("1 TeV", "16 TeV", nbin=4, name="energy_true")
    geom = WcsGeom.create(skydir=CENTER, npix=40, binsz=0.05, proj="TAN", axes=[energy])
    response = geom.to_image().to_cube([true])
    level = 0.3 * np.array([1, 0.5, 0.25, 0.125])
    return MapDataset(
        name="one",
        counts=Map.from_geom(geom, data=np.array(counts)),
        background=Map.from_geom(
            geom, data=np.broadcast_to(level[:, None, None], geom.data_shape)
        ),
        exposure=Map.from_geom(response, data=np.full(response.data_shape, 2e12), unit="cm2 s"),
        psf=PSFMap.from_gauss(true, sigma=0.07),
    )


def source(name="crab"):
    spectrum = PowerLawSpectralModel(index=2.0, amplitude="5e-10 cm-2 s-1 TeV-1")
    shape = GaussianSpatialModel(*CENTER, "0.2 deg")
    models = Models([SkyModel(spectrum, shape, name=name)])
    return models.freeze("*.index").freeze("*.e").freeze("*.phi")


MODELS = source() + FoVBackgroundModel(datasets_names="one")


@pytest.fixture(scope="module")
def found():
    """With a free background in each bin, which the peer adds by itself."""
    return EnergyDependentMorphologyEstimator(energy_edges=EDGES).run(cube(), MODELS)


@pytest.mark.long
def test_as_the_peer(found) -> None:
    """TS to 0.5 and values to a tenth of their errors: both fold a Gaussian with pixels."""
    assert found.ts == pytest.approx(FROZEN["delta_ts"], abs=0.5)
    assert found.df == FROZEN["df"]
    table = found.to_table()
    for name in ("lon_0", "lat_0", "sigma"):
        errors = np.array(FROZEN[f"{name}_err"])
        off = (table[name].to_value("deg") - FROZEN[name]) / errors
        assert np.abs(off).max() < 0.1
        np.testing.assert_allclose(table[f"{name}_err"].to_value("deg"), errors, rtol=0.05)


@pytest.mark.long
def test_bins_are_plain_fits(found) -> None:
    """Of the slices in energy, which folds are planned for at the same place."""
    total = 0.0
    for i, (low, high) in enumerate(itertools.pairwise(EDGES)):
        part = cube().slice_by_energy(low, high)
        plain = Likelihood([part], MODELS)
        fit = Fit(tolerance=1e-13).run(plain)
        total += fit.stat
        np.testing.assert_allclose(found.values[i], fit.theta[1:4], rtol=1e-6)
        np.testing.assert_allclose(found.errors[i], fit.errors[1:4], rtol=1e-6)
        assert found.results[i].names[0] == f"crab-{i}.spectral.amplitude"
        back = values_of_copy(MODELS, found.results[i].models, i).parameters
        assert back["crab.spatial.sigma"].value == found.values[i, 2]
        without = MODELS.freeze("crab.*").set("crab.spectral.amplitude", 0.0)
        null = Fit().run(plain.restricted(without)).stat
        assert found.source_ts[i] == pytest.approx(null - fit.stat, abs=1e-6)
    assert found.ts == pytest.approx(found.result.stat - total, abs=1e-6)


@pytest.mark.long
def test_numbers_and_words(found) -> None:
    assert found.parameters == ("lon_0", "lat_0", "sigma")
    assert found.significance == pytest.approx(norm.isf(0.5 * chi2.sf(found.ts, 3)), rel=1e-9)
    assert found.significance > 5
    assert found.source_df == 4
    assert np.all(found.source_significance > 20)
    assert found.success.all()
    assert "5." in repr(found) or "6." in repr(found)
    ratio = found.weighted_chi2("sigma")
    expected = np.diff(found.values[:, 2])[0] ** 2 / np.sum(found.errors[:, 2] ** 2)
    assert ratio["chi2"] == pytest.approx(expected)
    assert ratio["df"] == 1
    ax = found.plot("sigma")
    assert ax.get_ylabel() == "sigma [deg]"
    plt.close("all")
    with pytest.raises(ValueError, match="no parameter 'e'"):
        found.plot("e")


def test_copies_keep_names_links_and_datasets() -> None:
    models = MODELS + source("crab-2.5")
    models = models.link("crab-2.5.spatial.sigma", to="crab.spatial.sigma")
    datasets = Datasets([cube()])
    bins = energy_bins(datasets, EDGES)
    parts, copies = in_bins(datasets, models, bins)
    assert [part.name for part in parts] == ["one-0", "one-1"]
    assert copies.names == ("crab-0", "crab-1", "one-bkg-0", "one-bkg-1", "crab-2.5-0",
                            "crab-2.5-1")  # fmt: skip
    assert copies.parameters["crab-2.5-1.spatial.sigma"].link.to == "crab-1.spatial.sigma"
    assert copies["one-bkg-1"].datasets_names == ("one-1",)
    moved = copies.set("crab-1.spatial.sigma", 0.3)
    back = values_of_copy(models, moved, 1)
    assert back.parameters["crab.spatial.sigma"].value == 0.3
    assert back.parameters["crab-2.5.spatial.sigma"].value == 0.3


def test_what_cannot_be_tested_is_said() -> None:
    estimator = EnergyDependentMorphologyEstimator(energy_edges=EDGES, source="crab")
    with pytest.raises(ValueError, match="no free spatial parameter"):
        estimator.run(cube(), source().freeze("*.spatial.*"))
    low = narrowed(cube(), np.array([True, True, False, False]))
    with pytest.raises(ValueError, match="1 of 2 bins have data"):
        estimator.run(low, source())
    elsewhere = Models([source()["crab"].replace(datasets_names="two")])
    with pytest.raises(ValueError, match="is in none of one"):
        estimator.run(cube(), elsewhere)


@pytest.mark.long
def test_a_bin_without_counts_is_said() -> None:
    counts = np.array(FROZEN["counts"], dtype=float)
    counts[2:] = 0
    fixed = source().freeze("*.lon_0").freeze("*.lat_0").set("*.amplitude", min=0)
    fixed = fixed.set("*.sigma", min=0.1, max=0.35)
    found = EnergyDependentMorphologyEstimator(energy_edges=EDGES).run(cube(counts), fixed)
    assert found.success.tolist() == [True, False]
    assert found.notes[1].startswith("no counts: the shape is not known here")
    assert found.source_ts[1] == pytest.approx(0, abs=1e-6)
    assert "no counts" in repr(found)


@pytest.mark.long
def test_a_law_finds_the_slope() -> None:
    """Sizes of 0.25 to 0.14 deg at 1.4 to 11 TeV fall as a power of about -0.28."""
    fixed = source().freeze("*.lon_0").freeze("*.lat_0")
    law = EnergyDependentMorphologyEstimator(energy_edges=EDGES).run_law(cube(), fixed, "sigma")
    assert law.names == ("sigma_slope",)
    assert law.slopes[0] == pytest.approx(-0.28, abs=0.12)
    assert law.ts > 25
    assert law.significance == pytest.approx(np.sqrt(law.ts))
    assert law.success
    assert "sigma_slope" in repr(law)


def test_significance_goes_both_ways() -> None:
    sigma = np.array([0.5, 1.0, 3.0, 6.0])
    for df in (1, 2, 5):
        np.testing.assert_allclose(ts_to_sigma(sigma_to_ts(sigma, df), df), sigma, rtol=1e-9)
    # where the asymptotic series takes over
    near = ts_to_sigma(np.array([1378.0, 1382.0, 1386.0]), 4)
    assert np.diff(near) == pytest.approx(np.diff(near)[0], rel=1e-2)
