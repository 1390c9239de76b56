"""OGIP files: our own round trips, files as others write them, real files."""

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from gammajax.datasets import read_ogip, write_ogip
from gammajax.models import Models, PowerLawSpectralModel, SkyModel

PEER = json.loads((Path(__file__).parents[1] / "peer/data/ogip.json").read_text())["files"]


@pytest.mark.data
@pytest.mark.parametrize("name", PEER)
def test_real_files_are_what_the_peer_reads(name, data_path):
    dataset, expected = read_ogip(data_path(name)), PEER[name]
    info = dataset.info_dict()
    assert info["n_bins"] == expected["bins"]
    for key in ("counts", "counts_off", "background"):
        assert info[key] == pytest.approx(expected[key], rel=1e-12)
    assert dataset.exposure.sum() == pytest.approx(expected["exposure"], rel=1e-12)
    assert dataset.edisp.matrix.sum() == pytest.approx(expected["edisp"], rel=1e-6)
    assert dataset.energy.edges[[0, -1]] == pytest.approx(expected["edges"], rel=1e-12)
    spectrum = PowerLawSpectralModel(index=2, amplitude=1e-12)
    models = Models(SkyModel(spectrum, name="x"))
    npred = dataset.npred_signal(models)[dataset.mask].sum()
    assert npred == pytest.approx(expected["npred"], rel=2e-6)
    assert dataset.stat_sum(models) == pytest.approx(expected["stat"], rel=1e-6)


@pytest.mark.data
@pytest.mark.parametrize("name", PEER)
def test_real_files_come_back(name, data_path, tmp_path, same):
    dataset = read_ogip(data_path(name))
    dataset.write(tmp_path / "x.fits")
    assert same(read_ogip(tmp_path / "x.fits"), dataset)


@pytest.mark.data
def test_an_area_in_square_metres_and_hours(data_path):
    # "m2 s h-1" times the livetime in s: 1/3600 of what "m2" would be
    path = data_path("datasets/simulations/simulated_spectrum_dataset_PL.fits")
    dataset = read_ogip(path)
    with fits.open(path.with_name("simulated_spectrum_dataset_PL_arf.fits")) as hdus:
        area = hdus["SPECRESP"].data["SPECRESP"].astype(float)
    np.testing.assert_allclose(dataset.exposure, area * 1e4 / 3600 * 360000.0, rtol=1e-12)


@pytest.mark.parametrize("kind", ["on_off", "cash"])
@pytest.mark.parametrize("masked", [False, True])
def test_datasets_come_back(kind, masked, request, tmp_path, same):
    dataset = request.getfixturevalue(kind)()
    if masked:
        dataset = dataset.replace(mask_fit=np.arange(9) % 3 > 0)
    write_ogip(dataset, tmp_path / "spectrum.fits")
    back = read_ogip(tmp_path / "spectrum.fits")
    assert same(back, dataset, rtol=6e-8)
    assert (back.name, back.livetime) == ("run 7", 1800.0)
    names = {path.name for path in tmp_path.iterdir()}
    parts = {"spectrum.fits", "spectrum_arf.fits", "spectrum_rmf.fits"}
    assert names == parts | ({"spectrum_bkg.fits"} if kind == "on_off" else set())


def test_counts_that_are_no_integers_come_back(on_off, tmp_path, same):
    dataset = on_off(counts=np.linspace(0.25, 7, 9), counts_off=np.full(9, 3e9))
    write_ogip(dataset, tmp_path / "x.fits")
    assert same(read_ogip(tmp_path / "x.fits"), dataset, rtol=6e-8)


def test_matrix_rows_are_written_in_pieces(on_off, tmp_path):
    write_ogip(on_off(), tmp_path / "x.fits")
    with fits.open(tmp_path / "x_rmf.fits", checksum=True) as hdus:
        groups = hdus["MATRIX"].data["N_GRP"]
        header = hdus["MATRIX"].header
    assert groups[0] == 0
    assert groups[5] == 2
    assert header["NUMGRP"] == groups.sum()


def test_files_are_not_replaced_unless_asked_and_then_all_of_them(on_off, tmp_path):
    write_ogip(on_off(), tmp_path / "x.fits")
    (tmp_path / "x.fits").unlink()
    with pytest.raises(ValueError, match=r"x_\w+\.fits: exists already; .* overwrite=True"):
        write_ogip(on_off(), tmp_path / "x.fits")
    assert not (tmp_path / "x.fits").exists()
    write_ogip(on_off(name="new"), tmp_path / "x.fits", overwrite=True)
    assert read_ogip(tmp_path / "x.fits").name == "new"


def test_a_dataset_without_a_livetime_has_no_ogip_form(on_off, tmp_path):
    with pytest.raises(ValueError, match=r"'run 7' has the livetime nan, .*replace\(livetime"):
        write_ogip(on_off(livetime=np.nan), tmp_path / "x.fits")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def files(on_off, tmp_path):
    """OGIP files on disk, and a way to change one table of them."""
    write_ogip(on_off(), tmp_path / "x.fits")

    def change(name, how):
        path = tmp_path / name
        changed = tmp_path / "changed.fits"
        with fits.open(path, memmap=False) as hdus:
            how(hdus)
            hdus.writeto(changed)
        changed.replace(path)
        return tmp_path / "x.fits"

    return change


def drop(hdus, extension, *names):
    """A table without some of its columns."""
    old = hdus[extension]
    columns = [column for column in old.columns if column.name not in names]
    header = {k: v for k, v in old.header.items() if k in KEPT}
    hdus[extension] = fits.BinTableHDU.from_columns(columns, name=extension)
    hdus[extension].header.update(header)


KEPT = ("EXPOSURE", "OBS_ID", "ANCRFILE", "RESPFILE", "BACKFILE", "AREASCAL")


def add(hdus, extension, column):
    old = hdus[extension]
    header = {k: v for k, v in old.header.items() if k in KEPT}
    columns = [c for c in old.columns if c.name != column.name]
    hdus[extension] = fits.BinTableHDU.from_columns([*columns, column], name=extension)
    hdus[extension].header.update(header)


def test_rates_are_counts_over_the_exposure(files, on_off):
    def change(hdus):
        rate = on_off().counts / 1800.0
        add(hdus, "SPECTRUM", fits.Column("RATE", "D", "count/s", array=rate))
        drop(hdus, "SPECTRUM", "COUNTS")

    np.testing.assert_allclose(read_ogip(files("x.fits", change)).counts, on_off().counts)


def test_scalar_keywords_stand_for_columns(files):
    def change(hdus):
        drop(hdus, "SPECTRUM", "BACKSCAL", "QUALITY")
        hdus["SPECTRUM"].header.update({"BACKSCAL": 0.5, "AREASCAL": 2.0, "QUALITY": 0})

    dataset = read_ogip(files("x.fits", change))
    np.testing.assert_array_equal(dataset.acceptance, np.ones(9))
    assert dataset.mask_safe.all()


def test_the_off_exposure_scales_alpha(files, on_off):
    def change(hdus):
        hdus["SPECTRUM"].header["EXPOSURE"] = 3600.0

    dataset = read_ogip(files("x_bkg.fits", change))
    np.testing.assert_allclose(dataset.alpha, on_off().alpha / 2)


@pytest.mark.parametrize("first", [0, 1, 7])
def test_channels_start_where_tlmin_says(files, first, on_off, same):
    def change(hdus):
        data = hdus["MATRIX"].data
        for row in range(len(data)):
            data["F_CHAN"][row] += first
        hdus["MATRIX"].header["TLMIN4"] = first

    assert same(read_ogip(files("x_rmf.fits", change)), on_off(), rtol=6e-8)


def test_without_tlmin_the_channels_of_ebounds_say(files, on_off, same):
    def change(hdus):
        for row in range(14):
            hdus["MATRIX"].data["F_CHAN"][row] += 3
        del hdus["MATRIX"].header["TLMIN4"]
        hdus["EBOUNDS"].data["CHANNEL"] += 3

    assert same(read_ogip(files("x_rmf.fits", change)), on_off(), rtol=6e-8)


def test_without_an_rmf_the_channels_are_those_of_the_spectrum(files):
    def change(hdus):
        del hdus["SPECTRUM"].header["RESPFILE"]

    dataset = read_ogip(files("x.fits", change))
    inside = dataset.edisp.matrix.sum(axis=1)[2:12]
    np.testing.assert_allclose(inside, 1.0)


def test_without_an_off_spectrum_it_is_a_cash_dataset(files):
    def change(hdus):
        hdus["SPECTRUM"].header["BACKFILE"] = "NONE"

    dataset = read_ogip(files("x.fits", change))
    assert dataset.stat_type == "cash"
    assert not dataset.background.any()


def test_a_first_true_energy_of_zero_where_nothing_is_detected(files, on_off):
    def change(hdus):
        low = "ENERG_LO"
        hdus[1].data[low][0] = 0

    files("x_rmf.fits", change)
    dataset = read_ogip(files("x_arf.fits", change))
    models = Models(SkyModel(PowerLawSpectralModel(amplitude=1e-11), name="x"))
    np.testing.assert_allclose(
        dataset.npred_signal(models), on_off().npred_signal(models), rtol=1e-6
    )


def test_compressed_files(on_off, tmp_path, same):
    write_ogip(on_off(), tmp_path / "x.fits.gz")
    assert {path.name for path in tmp_path.iterdir()} == {
        "x.fits.gz",
        "x_arf.fits.gz",
        "x_rmf.fits.gz",
        "x_bkg.fits.gz",
    }
    with gzip.open(tmp_path / "x.fits.gz") as file, open(tmp_path / "y.fits", "wb") as plain:
        shutil.copyfileobj(file, plain)
    for name in ("x.fits.gz", "y.fits"):
        assert same(read_ogip(tmp_path / name), on_off(), rtol=6e-8)


def test_grouped_channels_are_one_bin(files, on_off):
    flags = np.array([1, -1, 1, -1, -1, 1, 1, 1, -1])

    def change(hdus):
        add(hdus, "SPECTRUM", fits.Column("GROUPING", "I", array=flags))

    plain, grouped = on_off(), read_ogip(files("x.fits", change))
    groups = [[0, 1], [2, 3, 4], [5], [6], [7, 8]]
    edges = plain.energy.edges
    np.testing.assert_array_equal(grouped.energy.edges, edges[[0, 2, 5, 6, 7, 9]])
    for name in ("counts", "counts_off", "background"):
        expected = [getattr(plain, name)[group].sum() for group in groups]
        np.testing.assert_allclose(getattr(grouped, name), expected, rtol=1e-12)
    np.testing.assert_array_equal(grouped.mask_safe, [False, True, True, True, True])
    models = Models(SkyModel(PowerLawSpectralModel(amplitude=1e-11), name="x"))
    signal = plain.npred_signal(models)
    expected = [signal[group].sum() for group in groups]
    np.testing.assert_allclose(grouped.npred_signal(models), expected, rtol=1e-6)
