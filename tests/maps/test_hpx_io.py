"""HEALPix maps in files."""

from __future__ import annotations

import healpy
import numpy as np
import pytest
from astropy.io import fits

from gammajax.maps import HpxGeom, Map, MapAxis
from gammajax.maps.io import map_hdus

ENERGY = MapAxis.from_energy_edges([1, 10, 100])
NODES = MapAxis.from_nodes([1, 10, 100], name="energy_true")
THETA = MapAxis.from_nodes([0, 1, 4], name="theta", unit="deg")


def random(**options):
    """Random numbers, and 0 in places that are no pixels."""
    geom = HpxGeom.create(**{"nside": 4, **options})
    data = np.random.default_rng(1).random(geom.data_shape)
    return Map.from_geom(geom, data=data * (geom.solid_angle() > 0), unit="cm2 s")


@pytest.mark.parametrize("nest", [True, False])
@pytest.mark.parametrize("frame", ["icrs", "galactic"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"axes": [ENERGY]},
        {"axes": [ENERGY, THETA]},
        {"axes": [ENERGY], "nside": (4, 2)},
        {"axes": [ENERGY], "nside": 16, "skydir": (83, 22), "width": 30},
        {"axes": [ENERGY], "nside": (16, 8), "skydir": (83, 22), "width": 30},
    ],
)
def test_maps_come_back_equal(tmp_path, options, frame, nest) -> None:
    written = random(**options, frame=frame, nest=nest).with_meta({"of": "us", "n": [1, 2]})
    written.write(tmp_path / "x.fits.gz", hdu="EXPOSURE")
    back = Map.read(tmp_path / "x.fits.gz")
    assert back.geom == written.geom
    assert back.unit == written.unit
    assert back.meta == {"of": "us", "n": [1, 2]}
    np.testing.assert_array_equal(back.data, written.data)


def test_any_pixels_come_back(tmp_path) -> None:
    geom = HpxGeom(8, ipix=np.array([3, 7, 500]), axes=[ENERGY])
    written = Map.from_geom(geom, data=np.arange(6).reshape(2, 3))
    written.write(tmp_path / "x.fits")
    back = Map.read(tmp_path / "x.fits")
    assert back.geom == geom
    assert back.data.tolist() == [[0, 1, 2], [3, 4, 5]]
    part = random(nside=16, skydir=(83, 22), width=30).cutout((90, 22), 10)
    part.write(tmp_path / "x.fits", overwrite=True)
    assert Map.read(tmp_path / "x.fits").geom == part.geom


def test_pixels_in_any_order(tmp_path) -> None:
    written = random(nside=8, skydir=(83, 22), width=60, axes=[ENERGY])
    hdus = map_hdus(written)
    order = np.random.default_rng(0).permutation(len(hdus[0].data))
    hdus[0].data = hdus[0].data[order]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / "x.fits")
    np.testing.assert_array_equal(Map.read(tmp_path / "x.fits").data, written.data)


@pytest.mark.parametrize(
    ("form", "axis", "unit"),
    [
        ("fgst-ccube", ENERGY, ""),
        ("fgst-bexpcube", NODES, "m2 s"),
        ("fgst-template", NODES, "cm-2 s-1 TeV-1 sr-1"),
    ],
)
@pytest.mark.parametrize("kind", ["hpx", "wcs"])
def test_files_of_the_fermi_tools(tmp_path, kind, form, axis, unit) -> None:
    sky = {"nside": 4, "frame": "galactic"} if kind == "hpx" else {"npix": (4, 3)}
    written = Map.create(map_type=kind, axes=[axis], unit=unit, **sky)
    data = np.random.default_rng(1).random(written.data.shape)
    written = written.with_data(data * (1e10 if "bexp" in form else 1e-3))
    written.write(tmp_path / "x.fits", format=form)
    with fits.open(tmp_path / "x.fits") as hdus:
        header, names = hdus["PRIMARY" if kind == "wcs" else 1].header, [h.name for h in hdus]
        assert header["TELESCOP"] == "GLAST"
        table = hdus[-1]
        if form == "fgst-ccube":
            assert table.name == "EBOUNDS"
            np.testing.assert_allclose(table.data["E_MIN"], axis.edges_min * 1e9)
        else:
            assert table.name == "ENERGIES"
            np.testing.assert_allclose(table.data["Energy"], axis.center * 1e6)
        if kind == "hpx":
            assert names[1] == ("HPXEXPOSURES" if form == "fgst-bexpcube" else "SKYMAP")
        assert ("BUNIT" in header) == bool(unit)
    back = Map.read(tmp_path / "x.fits")
    assert back.geom.axes.is_close(written.geom.axes, 1e-12)
    assert back.geom.axes.names == (axis.name,)
    np.testing.assert_allclose(back.to_unit(unit).data, written.data, rtol=1e-12)


def test_a_map_of_healpy(tmp_path) -> None:
    values = np.random.default_rng(0).random(12 * 16**2)
    healpy.write_map(tmp_path / "x.fits", values, coord="G", dtype=np.float64)
    found = Map.read(tmp_path / "x.fits")
    assert found.geom == HpxGeom(16, nest=False, frame="galactic")
    np.testing.assert_array_equal(found.data, values)
    found.write(tmp_path / "y.fits")
    np.testing.assert_array_equal(healpy.read_map(tmp_path / "y.fits"), values)


def test_only_pixels_that_are_not_zero(tmp_path) -> None:
    hdus = map_hdus(random(axes=[ENERGY]))
    columns = [
        fits.Column("PIX", "J", array=[3, 7, 3]),
        fits.Column("CHANNEL", "I", array=[0, 1, 1]),
        fits.Column("VALUE", "E", array=[1.5, 2.5, 3.5]),
    ]
    table = fits.BinTableHDU.from_columns(columns, header=hdus[0].header, name="SKYMAP")
    table.header["INDXSCHM"] = "SPARSE"
    fits.HDUList([fits.PrimaryHDU(), table, hdus[1]]).writeto(tmp_path / "x.fits")
    found = Map.read(tmp_path / "x.fits")
    assert found.geom.is_allsky
    assert found.data.sum() == 7.5
    assert found.data[1, [3, 7]].tolist() == [3.5, 2.5]


def broken(change) -> list:
    hdus = map_hdus(random(axes=[ENERGY]))
    change(hdus)
    return hdus


def sparse(pixel, channel):
    def change(hdus):
        columns = [
            fits.Column("PIX", "J", array=[pixel]),
            fits.Column("CHANNEL", "I", array=[channel]),
            fits.Column("VALUE", "E", array=[1.0]),
        ]
        header = hdus[0].header
        hdus[0] = fits.BinTableHDU.from_columns(columns, header=header, name="SKYMAP")
        hdus[0].header["INDXSCHM"] = "SPARSE"

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h[0].header.set("ORDERING", "SPIRAL"), "ORDERING is 'SPIRAL'"),
        (lambda h: h[0].header.set("COORDSYS", "E"), "COORDSYS 'E'"),
        (lambda h: h[0].header.set("NSIDE", 3), "nside is 3, expected a power of 2"),
        (lambda h: h[0].header.set("NSIDE", 2), "has 192 pixels, expected 48 for nside 2"),
        (lambda h: h[0].header.set("NSIDE", "x"), "NSIDE is 'x'"),
        (lambda h: h.pop(1), "none of the tables SKYMAP_BANDS, ENERGIES, EBOUNDS"),
        (lambda h: h[0].columns.del_col("CHANNEL2"), "has 1 columns of values, and the axes"),
        (lambda h: h[0].header.set("BUNIT", "furlongg"), "not a unit"),
        (sparse(192, 0), "PIX goes to 192, beyond 192 pixels"),
        (sparse(0, 2), "CHANNEL goes to 2, beyond 2 bins"),
    ],
)
def test_broken_maps(tmp_path, change, message: str) -> None:
    fits.HDUList([fits.PrimaryHDU(), *broken(change)]).writeto(tmp_path / "x.fits")
    with pytest.raises(ValueError, match=f"x.fits.*{message}"):
        Map.read(tmp_path / "x.fits")


@pytest.mark.parametrize(
    ("options", "form", "message"),
    [
        ({"axes": [ENERGY]}, "fits", "format is 'fits', expected gadf"),
        ({"axes": [NODES]}, "fgst-ccube", "expected one axis 'energy' with bins"),
        ({"axes": [ENERGY]}, "fgst-bexpcube", "expected one axis 'energy_true' with nodes"),
        ({"axes": [ENERGY], "nside": (4, 2)}, "fgst-ccube", "different pixels for each energy"),
        ({"axes": [NODES]}, "fgst-template", "does not convert"),
        ({"frame": "fk5"}, "gadf", "knows icrs and galactic"),
    ],
)
def test_what_cannot_be_written(tmp_path, options, form, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random(**options).write(tmp_path / "x.fits", format=form)
    assert list(tmp_path.iterdir()) == []


def test_images_of_any_different_pixels_cannot_be_written(tmp_path) -> None:
    geom = HpxGeom((4, 2), axes=[ENERGY], ipix=([1, 2], [3]))
    with pytest.raises(ValueError, match="only the whole sky or a disk"):
        Map.from_geom(geom).write(tmp_path / "x.fits")
