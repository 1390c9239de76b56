"""Units of the Fermi-LAT tools' files, and notes in files."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from gammajax.maps import Map, MapAxis
from gammajax.maps.fermi import DIFFUSE, EXPOSURE, unit_of_energies

NODES = MapAxis.from_nodes([0.1, 1, 10], name="energy_true")


@pytest.mark.parametrize(
    ("header", "values", "unit"),
    [
        ({}, [3e11, 0, 1e10], EXPOSURE),
        ({}, [1e-7, 1e-5, np.nan], DIFFUSE),
        ({"TELESCOP": "GLAST"}, [1e-7, 1e-5, 0], DIFFUSE),
        ({"TELESCOP": "GLAST"}, [1e11, 1e9], EXPOSURE),
        ({"CREATOR": "gtexpcube2"}, [0.1, 0.2], EXPOSURE),
        ({"CREATOR": "gtsrcmaps"}, [1e-7], DIFFUSE),
    ],
)
def test_units_that_headers_do_not_state(header, values, unit) -> None:
    assert unit_of_energies(header, np.array(values), "x.fits") == unit


@pytest.mark.parametrize("values", [[0, 0], [30.0, 50.0], [np.nan]])
def test_units_that_cannot_be_told(values) -> None:
    with pytest.raises(ValueError, match=r"x.fits: BUNIT is not set, and values around"):
        unit_of_energies({}, np.array(values), "x.fits")


@pytest.mark.parametrize(("form", "scale"), [("fgst-bexpcube", 1e11), ("fgst-template", 1e-6)])
def test_files_without_a_unit(tmp_path, form, scale) -> None:
    unit = EXPOSURE if "bexp" in form else DIFFUSE
    written = Map.create(npix=(4, 3), axes=[NODES], unit=unit)
    written = written.with_data(np.full(written.data.shape, scale))
    written.write(tmp_path / "x.fits", format=form)
    with fits.open(tmp_path / "x.fits") as hdus:
        del hdus[0].header["BUNIT"]
        hdus.writeto(tmp_path / "none.fits")
        hdus[0].data = hdus[0].data * 30 / scale
        hdus.writeto(tmp_path / "odd.fits")
    assert Map.read(tmp_path / "none.fits").to_unit(unit).data.max() == pytest.approx(scale)
    with pytest.raises(ValueError, match=r"odd.fits\[PRIMARY\]: BUNIT is not set"):
        Map.read(tmp_path / "odd.fits")


@pytest.mark.parametrize(
    "kind",
    [
        {"npix": 3},
        {"map_type": "hpx", "nside": 2},
        {"map_type": "region", "region": "icrs;circle(1, 2, 3)"},
    ],
)
def test_notes_come_back_and_stay(tmp_path, kind) -> None:
    notes = {"creator": "us", "long": "x" * 200, "list": [1, {"a": None}]}
    found = Map.create(**kind).with_meta(notes)
    found.write(tmp_path / "x.fits")
    back = Map.read(tmp_path / "x.fits")
    assert back.meta == notes
    assert (2.0 * back + back).to_unit("").meta == notes
    assert Map.create(**kind).meta == {}
    back.meta["creator"] = "them"
    assert back.meta == notes
    assert back.with_meta({}).meta == {}


def test_notes_that_are_no_json(tmp_path) -> None:
    Map.create(npix=3).write(tmp_path / "x.fits")
    for text, expected in (("just text", "just text"), ("[1, 2]", [1, 2])):
        fits.setval(tmp_path / "x.fits", "META", value=text)
        assert Map.read(tmp_path / "x.fits").meta == {"META": expected}
