"""Maps in files: round trips, cubes of the Fermi-LAT tools, broken files."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from gammajax.maps import LabelMapAxis, Map, MapAxes, MapAxis, TimeMapAxis, WcsGeom
from gammajax.maps.bands import bands_table
from gammajax.maps.io import map_hdus

ENERGY = MapAxis.from_energy_edges([1, 10, 100])
THETA = MapAxis.from_nodes([0, 1, 4], name="theta", unit="deg")
TIME = TimeMapAxis([0, 2], [1, 3], (59000, 0.25), unit="h")
LABEL = LabelMapAxis(["a", "b"], "dataset")


@pytest.mark.parametrize("axes", [[], [ENERGY], [ENERGY, THETA, TIME], [LABEL]])
@pytest.mark.parametrize("hdu", ["PRIMARY", "COUNTS"])
@pytest.mark.parametrize(("proj", "frame"), [("CAR", "icrs"), ("TAN", "galactic")])
def test_maps_come_back_equal(tmp_path, rng, axes, hdu, proj, frame) -> None:
    geom = WcsGeom.create(
        skydir=(83.63, 22.01), npix=(5, 3), binsz=0.02, axes=axes, proj=proj, frame=frame
    )
    written = Map.from_geom(geom, data=rng.random(geom.data_shape), unit="cm2 s")
    name = "map.fits.gz" if axes else "map.fits"
    written.write(tmp_path / name, hdu=hdu)
    back = Map.read(tmp_path / name)
    assert back.geom == geom
    assert back.unit == written.unit
    np.testing.assert_array_equal(back.data, written.data)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with pytest.raises(ValueError, match="exists already; to replace it"):
        written.write(tmp_path / name)


def test_counts_and_masks_come_back_as_integers(tmp_path) -> None:
    image = Map.create(npix=3)
    for data in (np.arange(9).reshape(3, 3), np.eye(3, dtype=bool)):
        image.with_data(data).write(tmp_path / "x.fits", overwrite=True)
        back = Map.read(tmp_path / "x.fits")
        assert back.data.dtype.kind == "i"
        np.testing.assert_array_equal(back.data, data)


@pytest.mark.data
def test_cubes_of_the_fermi_tools(data_path) -> None:
    counts = Map.read(data_path("fermi-3fhl-gc/fermi-3fhl-gc-counts-cube.fits.gz"))
    energy = counts.geom.axes["energy"]
    assert counts.data.sum() == 32684
    assert counts.geom.solid_angle().sum() == pytest.approx(0.06084618303773817, rel=1e-6)
    np.testing.assert_allclose(energy.edges[:2], [0.01, 0.014270915], rtol=1e-6)
    exposure = Map.read(data_path("fermi-3fhl-gc/fermi-3fhl-gc-exposure-cube.fits.gz"))
    assert exposure.unit == "cm2 s"
    assert exposure.data.sum() == pytest.approx(3.129498700654838e17)
    nodes = exposure.geom.axes["energy_true"]
    assert nodes.node_type == "center"
    np.testing.assert_allclose(nodes.center, energy.edges, rtol=1e-6)
    np.testing.assert_allclose(nodes.edges[0], 8.37093733323e-3)


@pytest.mark.data
def test_diffuse_template(data_path) -> None:
    template = Map.read(data_path("fermi-3fhl-gc/gll_iem_v06_gc.fits.gz"))
    assert template.to_unit("cm-2 s-1 TeV-1 sr-1").data.sum() == pytest.approx(
        0.11803847221522712 * 1e6
    )
    assert template.geom.axes["energy_true"].center[0] == pytest.approx(5.847313308715822e-05)


def broken(change) -> list:
    """The HDUs of a map after a change."""
    geom = WcsGeom.create(npix=(3, 2), axes=[ENERGY])
    hdus = map_hdus(Map.from_geom(geom, unit="s"))
    change(hdus)
    return hdus


@pytest.mark.parametrize("name", ["NPIX", "CDELT"])
def test_pixels_that_change_along_an_axis(tmp_path, name) -> None:
    hdus = broken(lambda h: None)
    for values, refused in (([[3, 2], [3, 2]], False), ([[3, 2], [2, 1]], True)):
        extra = {name: np.array(values)}
        table = bands_table(MapAxes([ENERGY]), hdus[1].name, extra)
        fits.HDUList([hdus[0], table]).writeto(tmp_path / "x.fits", overwrite=True)
        if not refused:
            assert Map.read(tmp_path / "x.fits").geom.npix == (3, 2)
            continue
        with pytest.raises(ValueError, match=f"x.fits.*PRIMARY_BANDS: {name} differs"):
            Map.read(tmp_path / "x.fits")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h[1].header.remove("AXCOLS1"), "AXCOLS1, ... have to name"),
        (lambda h: h.pop(1), "none of the tables PRIMARY_BANDS, ENERGIES and EBOUNDS"),
        (lambda h: h[0].header.set("BUNIT", "furlongg"), "not a unit"),
        (lambda h: h[0].header.set("CTYPE1", "ELON-CAR"), "cannot be read|expected"),
        (lambda h: h[0].header.set("CTYPE1", "FREQ"), "cannot be read|expected"),
        (lambda h: setattr(h[0], "data", np.ones((4, 2, 3))), "data have shape .4, 2, 3."),
        (lambda h: setattr(h[0], "data", None), "has no image"),
    ],
)
def test_broken_maps(tmp_path, change, message: str) -> None:
    fits.HDUList(broken(change)).writeto(tmp_path / "x.fits")
    with pytest.raises(ValueError, match=f"x.fits.*{message}"):
        Map.read(tmp_path / "x.fits")


def test_broken_files(tmp_path) -> None:
    path = tmp_path / "x.fits"
    with pytest.raises(ValueError, match=r"x.fits: there is no such file"):
        Map.read(path)
    Map.create(npix=100).write(path)
    with pytest.raises(ValueError, match=r"has no extension 'COUNTS' \(extensions: PRIMARY\)"):
        Map.read(path, hdu="COUNTS")
    content = path.read_bytes()
    for damaged in (content[:5000], b"no FITS", b"\x1f\x8b" + content[:100]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"x.fits: is damaged or no FITS file"):
            Map.read(path)


@pytest.mark.parametrize("axes", [[], [ENERGY, THETA]])
def test_tables_of_the_pixels_that_are_not_zero(tmp_path, rng, axes) -> None:
    """As gammapy writes maps that are told to be sparse."""
    geom = WcsGeom.create(skydir=(83.63, 22.01), npix=(5, 3), binsz=0.1, axes=axes)
    data = np.where(rng.random(geom.data_shape) > 0.5, rng.random(geom.data_shape), 0.0)
    image, *bands = map_hdus(Map.from_geom(geom, data=data, unit="cm2 s"), "MAP")
    rows, pixels = np.nonzero(data.reshape(-1, 15))
    columns = [
        fits.Column("PIX", "J", array=pixels),
        fits.Column("CHANNEL", "I", array=rows),
        fits.Column("VALUE", "D", array=data.reshape(-1, 15)[rows, pixels]),
    ]
    table = fits.BinTableHDU.from_columns(columns if axes else columns[::2], name="MAP")
    table.header.extend(
        (c for c in image.header.cards if not c[0].startswith("NAXIS")), unique=True
    )
    fits.HDUList([fits.PrimaryHDU(), table, *bands]).writeto(tmp_path / "map.fits")
    back = Map.read(tmp_path / "map.fits")
    assert back.geom == geom
    np.testing.assert_array_equal(back.data, data)
    assert back.unit == "cm2 s"
    table.data["PIX"][0] = 15
    fits.HDUList([fits.PrimaryHDU(), table, *bands]).writeto(tmp_path / "bad.fits")
    with pytest.raises(
        ValueError, match=r"bad\.fits\[MAP\]: PIX goes from .* to 15, and the m"
    ):
        Map.read(tmp_path / "bad.fits")
