"""Lists of datasets in YAML, and spectra in the map format."""

import numpy as np
import pytest
from astropy.io import fits
from scipy.special import ndtr

from gammajax.datasets import (
    Datasets,
    SpectrumDataset,
    read_gadf,
    read_map_dataset,
    read_ogip,
    write_gadf,
    write_ogip,
)
from gammajax.irf import PSFMap
from gammajax.maps import Map, MapAxis, RegionGeom, WcsGeom
from gammajax.maps.io import map_hdus
from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel

from .conftest import ENERGY, ENERGY_TRUE

GOOD = """\
datasets:
- name: one
  type: SpectrumDatasetOnOff
  filename: pha.fits
- {name: 2, type: SpectrumDataset, filename: cash.fits,
   energy_min: 0.3 TeV, energy_max: 9e3 GeV}
metadata: {creator: somebody, date: 2026-01-21T10:32:26}
checksum: 6d6aa2cf
"""


@pytest.fixture
def folder(on_off, cash, tmp_path):
    write_ogip(on_off(), tmp_path / "pha.fits")
    write_gadf(cash(), tmp_path / "cash.fits")
    (tmp_path / "datasets.yaml").write_text(GOOD)
    return tmp_path


def test_a_list_is_read_with_its_names_and_ranges(folder, on_off, cash, same):
    datasets = Datasets.read(folder / "datasets.yaml")
    assert datasets.names == ("one", "2")
    assert same(datasets[0], on_off(), rtol=6e-8)
    assert same(datasets[1], cash().with_energy_range("0.3 TeV", "9 TeV"))
    assert 0 < datasets[1].mask_fit.sum() < datasets[1].energy.nbin


def test_paths_follow_environment_variables(folder, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("lists") / "d.yaml"
    elsewhere.write_text(GOOD.replace("filename: ", "filename: $SPECTRA_HERE/"))
    with pytest.raises(ValueError, match="the environment variable SPECTRA_HERE is not set"):
        Datasets.read(elsewhere)
    monkeypatch.setenv("SPECTRA_HERE", str(folder))
    assert len(Datasets.read(elsewhere)) == 2


def test_written_lists_come_back(on_off, cash, tmp_path, same):
    ranges = np.arange(9) % 2 == 0
    datasets = Datasets(
        [
            on_off(name="a b").with_energy_range("1 TeV", "30 TeV"),
            cash(name="on"),
            cash(name="holes", mask_fit=ranges),
            on_off(name="no time", livetime=np.nan),
        ]
    )
    datasets.write(tmp_path / "new" / "d.yaml")
    back = Datasets.read(tmp_path / "new" / "d.yaml")
    assert back.names == datasets.names
    for one, other in zip(back, datasets, strict=True):
        assert same(one, other, rtol=6e-8)
        assert one.livetime == other.livetime or np.isnan(one.livetime)


def test_lists_are_not_replaced_unless_asked(on_off, tmp_path):
    Datasets([on_off()]).write(tmp_path / "d.yaml")
    with pytest.raises(ValueError, match=r"d\.yaml: exists already"):
        Datasets([on_off()]).write(tmp_path / "d.yaml")
    Datasets([on_off(counts=np.ones(9))]).write(tmp_path / "d.yaml", overwrite=True)
    assert Datasets.read(tmp_path / "d.yaml")[0].counts.sum() == 9


def test_two_names_for_one_file_are_an_error(on_off, tmp_path):
    with pytest.raises(ValueError, match=r"two datasets would be written to pha_obsa_b\.fits"):
        Datasets([on_off(name="a b"), on_off(name="a:b")]).write(tmp_path / "d.yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: one", "name: [one", r"no valid YAML in line \d"),
        ("datasets:", "dataset:", "unknown key 'dataset'; did you mean 'datasets'"),
        (GOOD, "datasets: []", r"datasets is \[\], expected a list of datasets"),
        ("  filename: pha.fits\n", "", "dataset 'one': has no filename"),
        ("energy_min", "enrgy_min", "'2': unknown key 'enrgy_min'; did you mean 'energy_min'"),
        (
            "SpectrumDatasetOnOff",
            "SpectrumDataSet",
            "'one': unknown type 'SpectrumDataSet'; did",
        ),
        (
            "SpectrumDatasetOnOff",
            "MapDatasetEventSampler",
            "'one': is a MapDatasetEventSampler, and this version folds",
        ),
        (
            "SpectrumDatasetOnOff",
            "FluxPointsDataset",
            "'one': .*there is no column 'dnde'",
        ),
        (
            "SpectrumDatasetOnOff",
            "SpectrumDataset",
            "pha.fits holds a SpectrumDatasetOnOff, exp",
        ),
        ("pha.fits", "nowhere.fits", r"'one': .*nowhere\.fits: there is no such file"),
        ("pha.fits", "datasets.yaml", r"'one': .*datasets\.yaml: is damaged or no FITS file"),
        ("pha.fits", "3", "'one': filename is 3, expected a path"),
        ("name: 2", "name: one", "two datasets are called 'one'"),
        ("0.3 TeV", "0.3", "'2': energy_min is 0.3, expected a text with a unit, as '1 TeV'"),
        (
            "0.3 TeV",
            "3 m",
            "'2': energy_min: got the unit 'm', which does not convert to 'TeV'",
        ),
        (
            "9e3 GeV",
            "9 GeV",
            "'2': no bin lies wholly between energy_min 0.3 TeV and energy_max",
        ),
    ],
)
def test_the_error_names_the_list_and_the_fault(old, new, message, folder):
    assert old in GOOD
    path = folder / "datasets.yaml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ValueError, match=message) as caught:
        Datasets.read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["on_off", "cash"])
def test_the_map_format_comes_back_exactly(kind, request, tmp_path, same):
    dataset = request.getfixturevalue(kind)(mask_fit=np.arange(9) > 3)
    write_gadf(dataset, tmp_path / "x.fits")
    back = read_gadf(tmp_path / "x.fits", name="x")
    assert same(back, dataset)
    assert (back.name, back.livetime) == ("x", 1800.0)


@pytest.mark.parametrize(
    ("extension", "message"),
    [
        ("COUNTS", r"x\.fits: has no table COUNTS "),
        ("EXPOSURE_BANDS", r"x\.fits: has no table EXPOSURE_BANDS"),
        ("ACCEPTANCE", r"x\.fits: has no table ACCEPTANCE "),
    ],
)
def test_the_map_format_without_a_table(extension, message, on_off, tmp_path):
    write_gadf(on_off(), tmp_path / "x.fits")
    with fits.open(tmp_path / "x.fits", memmap=False) as hdus:
        del hdus[extension]
        hdus.writeto(tmp_path / "y.fits")
    with pytest.raises(ValueError, match=message.replace("x", "y", 1)):
        read_gadf(tmp_path / "y.fits")


def test_the_map_format_with_a_dispersion_of_other_energies(on_off, tmp_path):
    write_gadf(on_off(), tmp_path / "x.fits")
    with fits.open(tmp_path / "x.fits", memmap=False) as hdus:
        for column in ("ENERGY", "E_MIN", "E_MAX"):
            hdus["EDISP_BANDS"].data[column] *= 1.1
        hdus.writeto(tmp_path / "y.fits")
    with pytest.raises(ValueError, match=r"EDISP_BANDS\]: has .* and counts or exposure"):
        read_gadf(tmp_path / "y.fits")


@pytest.fixture(scope="module")
def spread_out():
    """A spectrum in a circle with a point spread function."""
    psf = PSFMap.from_gauss(ENERGY_TRUE, sigma=np.linspace(0.2, 0.1, ENERGY_TRUE.nbin))
    return {"psf": psf, "meta": {"on_region": "icrs;circle(83.6, 22.0, 0.3)"}}


def test_the_map_format_keeps_region_and_spread(cash, spread_out, tmp_path):
    dataset = cash(**spread_out)
    write_gadf(dataset, tmp_path / "x.fits")
    back = read_gadf(tmp_path / "x.fits")
    models = Models(SkyModel(PowerLawSpectralModel(), PointSpatialModel(83.8, 22.1), name="x"))
    expected = np.asarray(dataset.npred_signal(models))
    np.testing.assert_allclose(back.npred_signal(models), expected, rtol=1e-6)
    everything = np.asarray(cash().npred_signal(models))
    assert np.all(expected < 0.9 * everything)


@pytest.mark.parametrize("responses", ["of the region", "on the sky"])
def test_spectra_with_the_responses_of_counts_cubes(responses, cash, spread_out, tmp_path):
    """gammapy writes densities of migra, and responses as maps of the region or of pixels."""
    write_gadf(cash(**spread_out), tmp_path / "x.fits")
    migra = MapAxis(np.linspace(0.2, 5, 97), "migra", "", "lin")
    density = np.exp(-0.5 * ((migra.center - 1) / 0.3) ** 2)
    rad, table = spread_out["psf"].rad, spread_out["psf"].table[..., 0, 0]
    region = RegionGeom.create(spread_out["meta"]["on_region"])
    image = region if responses == "of the region" else WcsGeom.create(skydir=(83, 22), npix=2)
    maps = [
        ("EDISP", [migra, ENERGY_TRUE], np.broadcast_to(density, (14, 96)), ""),
        ("PSF", [rad, ENERGY_TRUE], table, "sr-1"),
    ]
    with fits.open(tmp_path / "x.fits", memmap=False) as hdus:
        kept = fits.HDUList([h for h in hdus if h.name.split("_")[0] not in ("EDISP", "PSF")])
        for name, axes, data, unit in maps:
            geom = image.to_cube(axes)
            data = np.broadcast_to(data[..., None, None], geom.data_shape)
            kept.extend(map_hdus(Map.from_geom(geom, data=data.copy(), unit=unit), name))
        kept.writeto(tmp_path / "y.fits")
    back = read_map_dataset(tmp_path / "y.fits")
    assert isinstance(back, SpectrumDataset)
    np.testing.assert_allclose(back.psf.profile(), table)
    # bin 4 of energy_true is around 0.72 TeV, bin 3 of energy goes from 1 to 2.15 TeV
    center, edges = ENERGY_TRUE.center[4], ENERGY.edges[3:5]
    expected = np.diff(ndtr((edges / center - 1) / 0.3)) / ndtr(0.8 / 0.3)
    np.testing.assert_allclose(back.edisp.matrix[4, 3], expected, rtol=0.01)


@pytest.mark.data
def test_a_list_of_maps(data_path, tmp_path):
    datasets = Datasets.read(data_path("tests/models/gc_example_datasets.yaml"))
    assert datasets.names == ("gc", "g09")
    assert datasets["g09"].info_dict()["counts"] == 20202
    datasets.write(tmp_path / "datasets.yaml")
    again = Datasets.read(tmp_path / "datasets.yaml")
    assert [item.info_dict() for item in again] == [item.info_dict() for item in datasets]


@pytest.mark.data
def test_real_spectra_in_a_list(data_path, tmp_path, same):
    names = ("23523", "23526")
    folder = data_path("joint-crab/spectra/hess/pha_obs23523.fits").parent
    items = "".join(
        f"- name: r{name}\n  type: SpectrumDatasetOnOff\n"
        f"  filename: {folder}/pha_obs{name}.fits\n"
        for name in names
    )
    (tmp_path / "d.yaml").write_text("datasets:\n" + items)
    datasets = Datasets.read(tmp_path / "d.yaml")
    assert datasets.names == ("r23523", "r23526")
    for name, dataset in zip(names, datasets, strict=True):
        assert same(dataset, read_ogip(folder / f"pha_obs{name}.fits"))
