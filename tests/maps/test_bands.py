"""Axes in FITS tables."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import Table

from gammajax.maps import LabelMapAxis, MapAxes, MapAxis, TimeMapAxis
from gammajax.maps.bands import bands_table, read_axes


def saved(hdu: fits.BinTableHDU, path) -> fits.BinTableHDU:
    """The table as it comes back from a file."""
    hdu.writeto(path)
    with fits.open(path, memmap=False) as hdus:
        hdus[1].data
        return hdus[1]


def test_all_kinds_of_axes_come_back(tmp_path) -> None:
    axes = MapAxes(
        [
            MapAxis.from_energy_bounds("10 GeV", "1 TeV", 3),
            MapAxis.from_nodes([0, 1, 4], name="theta", unit="deg", interp="sqrt"),
            TimeMapAxis([0, 2], [1, 3], (59000, 0.25), unit="h"),
            LabelMapAxis(["hess", "fermi"], "dataset"),
        ]
    )
    hdu = saved(bands_table(axes, "MAP_BANDS"), tmp_path / "bands.fits")
    assert hdu.name == "MAP_BANDS"
    assert len(hdu.data) == 36
    assert hdu.data["E_MIN"][:4].tolist() == [*axes["energy"].edges_min, 0.01]
    assert hdu.header["AXCOLS1"] == "E_MIN,E_MAX"
    assert hdu.header["AXCOLS2"] == "THETA"
    assert read_axes(hdu, "file") == axes


def test_energies_of_other_units_become_tev() -> None:
    edges = MapAxis.from_edges([1, 2, 4], name="energy_true", unit="GeV")
    assert read_axes(bands_table(MapAxes([edges]), "X"), "x")[0].edges == pytest.approx(
        [1e-3, 2e-3, 4e-3]
    )


def test_tables_of_the_fermi_tools() -> None:
    energies = fits.BinTableHDU(Table({"Energy": [100.0, 1000.0]}), name="ENERGIES")
    axis = read_axes(energies, "x")[0]
    assert (axis.name, axis.node_type) == ("energy_true", "center")
    np.testing.assert_allclose(axis.center, [1e-4, 1e-3])
    bins = Table({"CHANNEL": [1, 2], "E_MIN": [1e5, 1e6], "E_MAX": [1e6, 1e7]})
    axis = read_axes(fits.BinTableHDU(bins, name="EBOUNDS"), "x")[0]
    np.testing.assert_allclose(axis.edges, [1e-4, 1e-3, 1e-2])
    assert axis.name == "energy"


@pytest.mark.parametrize(
    ("columns", "header", "message"),
    [
        ({"E_MIN": [1.0], "E_MAX": [2.0]}, {}, "AXCOLS1, ... have to name"),
        ({"E_MIN": [1.0]}, {"AXCOLS1": "E_MIN,E_MAX"}, "has no column E_MAX"),
        ({"A": [1.0]}, {"AXCOLS1": "A,B,C"}, "expected one or two columns"),
        (
            {"E_MIN": [1.0, 3.0] * u.TeV, "E_MAX": [2.0, 4.0] * u.TeV},
            {"AXCOLS1": "E_MIN,E_MAX"},
            "bins of energy have gaps",
        ),
        ({"A": [1.0, 1.0]}, {"AXCOLS1": "A"}, "has 2 rows, and its axes"),
        ({"A": [1.0]}, {"AXCOLS1": "A", "INTERP1": "cubic"}, "interp is 'cubic'"),
    ],
)
def test_broken_tables(columns: dict, header: dict, message: str) -> None:
    hdu = fits.BinTableHDU(Table(columns), name="X_BANDS")
    hdu.header.update(header)
    with pytest.raises(ValueError, match=f"file.fits: .*{message}"):
        read_axes(hdu, "file.fits")
