"""Response tables: values, files, reference numbers, what is refused."""

from __future__ import annotations

import jax
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.integrate
from astropy.io import fits

from gammajax.fits import FitsFile
from gammajax.irf import (
    PSF3D,
    Background2D,
    Background3D,
    EffectiveAreaTable2D,
    EnergyDependentMultiGaussPSF,
    EnergyDispersion2D,
    GridAxis,
    PSFKing,
    read_irf,
    write_irfs,
)
from gammajax.irf.gadf import part_of
from gammajax.maps import MapAxis

HESS = "hess-dl3-dr1/data/hess_dl3_dr1_obs_id_{:06d}.fits.gz"
CTA = "cta-1dc/caldb/data/cta/1dc/bcf/South_z20_50h/irf_file.fits"


def middle(irf) -> dict[str, float]:
    """Coordinates within the table that are no nodes."""
    coords = {axis.name: 0.6 * axis.center[1] + 0.4 * axis.center[2] for axis in irf.axes}
    names = [form.name for form in irf._coord_forms()]
    return {name: float(coords.get(name, 0.05)) for name in names}


def test_files_give_the_table_back(irf, tmp_path) -> None:
    path = tmp_path / "irf.fits"
    irf.write(path, hdu="HERE")
    back = type(irf).read(path)
    assert type(back) is type(irf)
    np.testing.assert_allclose(back.values, irf.values, rtol=1e-14)
    assert all(a.is_close(b) for a, b in zip(back.axes, irf.axes, strict=True))
    assert (back.point_like, back.fov_alignment) == (irf.point_like, irf.fov_alignment)
    coords = middle(irf)
    np.testing.assert_allclose(back.value(**coords), irf.value(**coords), rtol=1e-12)
    assert np.all(np.asarray(irf.value(**coords)) > 0)


def test_values_are_differentiable_inside_jit(irf) -> None:
    coords = middle(irf)
    value, slopes = jax.jit(jax.value_and_grad(lambda c, irf: irf.value(**c)))(coords, irf)
    np.testing.assert_allclose(value, irf.evaluate(**coords).value, rtol=1e-12)
    for name in coords:
        step = 1e-6 * coords[name]
        up = irf.value(**{**coords, name: coords[name] + step})
        down = irf.value(**{**coords, name: coords[name] - step})
        np.testing.assert_allclose(
            slopes[name], (up - down) / (2 * step), rtol=1e-5, atol=1e-6 * float(value)
        )


def test_outside_of_the_table_is_nothing(irf) -> None:
    outside = dict.fromkeys(middle(irf), 1000.0)
    assert irf.evaluate(**outside).value == 0


def test_slices_keep_values(irf) -> None:
    part = irf.slice_by_idx(**{irf.axes[0].name: slice(1, 5)})
    coords = middle(irf)
    first = irf.axes[0]
    coords[first.name] = float(0.5 * (first.center[2] + first.center[3]))
    np.testing.assert_allclose(part.value(**coords), irf.value(**coords), rtol=1e-12)
    with pytest.raises(ValueError, match=f"{type(irf).__name__}: there is no axis 'colour'"):
        irf.slice_by_idx(colour=slice(1))


def test_peek_draws(irf) -> None:
    ax = irf.peek()
    assert ax.get_title().startswith(type(irf).__name__)
    assert ax.collections or ax.lines
    plt.close("all")


def test_coordinates_are_checked(irf) -> None:
    coords = middle(irf)
    name = next(iter(coords))
    with pytest.raises(ValueError, match=f"{type(irf).__name__}: got the coordinates"):
        irf.evaluate(**{**coords, "colour": 1.0})
    with pytest.raises(ValueError, match=f"{name}: got the unit 's'"):
        irf.evaluate(**{**coords, name: "3 s"})


@pytest.mark.parametrize("bad", [np.nan, -1.0, np.inf])
def test_bad_values_are_refused(make, bad) -> None:
    area = make("EffectiveAreaTable2D")
    values = np.array(area.values)
    values[2, 1] = bad
    with pytest.raises(ValueError, match=r"EffectiveAreaTable2D: the value at \[2, 1\] is "):
        EffectiveAreaTable2D(area.axes, values)


def test_small_negative_densities_are_read_as_nothing(make) -> None:
    psf = make("PSF3D")
    values = np.array(psf.values)
    values[3, 0, 150] = -1e-3 * values.max()
    changed = PSF3D(psf.axes, values)
    assert changed.n_negative == 1
    coords = {axis.name: axis.center[i] for axis, i in zip(psf.axes, (3, 0, 150), strict=True)}
    assert changed.evaluate(**coords).value == 0
    values[3, 0, 150] = -0.1 * values.max()
    with pytest.raises(ValueError, match=r"PSF3D: the value at \[3, 0, 150\]"):
        PSF3D(psf.axes, values)


@pytest.mark.parametrize("name", ["EnergyDependentMultiGaussPSF", "PSFKing", "PSF3D"])
def test_containment_is_the_integral_of_the_density(make, name) -> None:
    psf = make(name)
    at = {"energy_true": 2.0, "offset": 1.2}

    def ring(r):
        return 2 * np.pi * r * (np.pi / 180) ** 2 * psf.value(rad=r, **at)

    r = np.linspace(0, 0.2, 20001)
    expected = scipy.integrate.simpson(ring(r), x=r)
    # the bins of a table hold means, and not points of a line between their middles
    rtol = 1e-4 if name == "PSF3D" else 1e-5
    np.testing.assert_allclose(psf.containment(rad=0.2, **at), expected, rtol=rtol)
    radius = psf.containment_radius(fraction=0.68, **at)
    total = psf.containment(rad=psf.largest_rad(), **at)
    np.testing.assert_allclose(psf.containment(rad=radius, **at), 0.68 * total, rtol=1e-9)
    psf.check_normalisation()


def test_containment_of_a_histogram_keeps_its_events() -> None:
    """A peak within one bin: all of its events are in the rings up to the last edge."""
    edges = np.linspace(0, 0.5, 6)
    density = np.array([10.0, 1.0, 0.5, 0.2, 0.1])
    rings = np.pi * np.diff(np.deg2rad(edges) ** 2)
    density /= (density * rings).sum()
    rad = GridAxis.from_edges(edges, "rad", "deg")
    energy = GridAxis.from_edges([1.0, 10.0], "energy_true", "TeV", "log")
    offset = GridAxis.from_edges([0.0, 2.0], "offset", "deg")
    psf = PSF3D((energy, offset, rad), density[None, None])
    at = {"energy_true": 2.0, "offset": 1.0}
    found = psf.containment(rad=edges[1:], **at)
    np.testing.assert_allclose(found, np.cumsum(density * rings), rtol=1e-12)
    nodes = GridAxis.from_nodes(rad.center, "rad", "deg")
    line = PSF3D((energy, offset, nodes), density[None, None])
    assert line.containment(rad=0.45, **at) < found[-1]


def test_tabulated_psf_has_the_same_radii(make) -> None:
    psf = make("PSFKing")
    at = {"fraction": 0.68, "energy_true": 3.0, "offset": 1.5}
    table = psf.to_psf3d(np.linspace(0, np.sqrt(20), 800) ** 2)
    np.testing.assert_allclose(
        table.containment_radius(**at).value, psf.containment_radius(**at).value, rtol=0.01
    )


def test_psf_that_is_not_normalised_is_named(make) -> None:
    psf = make("PSF3D")
    with pytest.raises(ValueError, match=r"PSF3D: the density integrates to 0\.5.*expected 1"):
        PSF3D(psf.axes, psf.values / 2).check_normalisation()


def test_empty_psf_has_no_radius(make) -> None:
    psf = make("PSFKing")
    values = np.array(psf.values)
    values[:, 0] = 0
    radius = PSFKing(psf.axes, values).containment_radius(
        fraction=0.5, energy_true=psf.axes[0].center[[0, 3]], offset=0.5
    )
    assert np.isnan(radius[0])
    assert radius[1] > 0
    with pytest.raises(ValueError, match="is empty"):
        PSFKing(psf.axes, 0 * values).to_psf3d()
    with pytest.raises(ValueError, match=r"fraction is 1\.5"):
        psf.containment_radius(fraction=1.5, energy_true=1.0, offset=0.5)


def test_kernel_of_a_gaussian_dispersion() -> None:
    edges = np.geomspace(0.1, 100, 31)
    edisp = EnergyDispersion2D.from_gauss(edges, 0.1, 0.02, np.linspace(0, 2, 801))
    true = MapAxis(np.geomspace(1, 1.001, 2), "energy_true")
    reco = MapAxis(np.geomspace(0.3, 3, 21))
    kernel = edisp.to_edisp_kernel("0.5 deg", true, reco)
    from scipy.stats import norm

    expected = np.diff(norm(1.02, 0.1).cdf(reco.edges / true.center[0]))
    np.testing.assert_allclose(kernel.matrix[0], expected, atol=2e-4)


def test_backgrounds_convert_into_each_other(make) -> None:
    flat = make("Background2D")
    full = flat.to_3d(60)
    at = {"energy": 2.0}
    found = full.evaluate(fov_lon=1.0, fov_lat=0.5, **at)
    np.testing.assert_allclose(
        found.value, flat.evaluate(offset=np.hypot(1, 0.5), **at).value, rtol=0.01
    )
    back = full.to_2d()
    assert isinstance(back, Background2D)
    np.testing.assert_allclose(
        back.evaluate(offset=1.5, **at).value, flat.evaluate(offset=1.5, **at).value, rtol=0.02
    )


def test_formula_of_the_effective_area() -> None:
    area = EffectiveAreaTable2D.from_parametrization("CTA", [0.5, 2.0])
    found = area.evaluate(energy_true="1 TeV", offset="1 deg").to_value("cm2")
    np.testing.assert_allclose(found, 1.71e11 * 1e6**-0.0891 * np.exp(-0.1), rtol=1e-12)
    with pytest.raises(ValueError, match="instrument 'FERMI'"):
        EffectiveAreaTable2D.from_parametrization("FERMI")


def changed(path, hdu, **header):
    with fits.open(path) as hdus:
        for key, value in header.items():
            if value is None:
                del hdus[hdu].header[key]
            else:
                hdus[hdu].header[key] = value
        hdus.writeto(path, overwrite=True)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"HDUCLAS4": "PSF_TABLE"}, "has no column THETA|has no column RAD"),
        ({"HDUCLAS4": "BANANA"}, "HDUCLAS4 is 'AEFF_BANANA'|HDUCLAS4 is 'EFF_AREA"),
        ({"HDUCLAS4": None, "TTYPE5": "AREA"}, "HDUCLAS4 is 'missing'"),
        ({"TUNIT1": "m2"}, "column ENERG_LO: got the unit 'm2'"),
        ({"TUNIT5": "TeV"}, "column EFFAREA: got the unit 'TeV'"),
        ({"TUNIT3": "TeV", "TUNIT1": "deg"}, "column ENERG_LO: got the unit 'deg'"),
        ({"TTYPE5": "AREA"}, "has no column EFFAREA"),
        ({"FOVALIGN": "UP"}, "FOVALIGN is 'UP'"),
        ({"TDIM5": "(9,2)"}, r"column EFFAREA has shape \(2, 9\), the axes want"),
    ],
)
def test_broken_headers_name_file_and_extension(make, tmp_path, header, message) -> None:
    path = tmp_path / "broken.fits"
    make("EffectiveAreaTable2D").write(path, hdu="AREA")
    changed(path, "AREA", **header)
    with pytest.raises(ValueError, match=rf"broken.fits\[AREA\].*({message})"):
        read_irf(path, "AREA")


def test_tables_without_a_class_are_known_by_their_columns(irf, tmp_path) -> None:
    """gammapy writes parametric point spread functions like this."""
    path = tmp_path / "irf.fits"
    irf.write(path, hdu="PSF_2D_GAUSS")
    changed(path, "PSF_2D_GAUSS", HDUCLAS2=None, HDUCLAS4=None)
    assert type(read_irf(path)) is type(irf)
    parts = {"EFF_AREA": "aeff", "EDISP": "edisp", "RPSF": "psf", "BKG": "bkg"}
    assert part_of(FitsFile(path).tables[0]) == parts.get(irf.hduclas2, "rad_max")


@pytest.mark.parametrize("bad", [np.nan, -3.0])
def test_bad_values_in_files_name_file_and_extension(make, tmp_path, bad) -> None:
    path = tmp_path / "broken.fits"
    make("EffectiveAreaTable2D").write(path, hdu="AREA")
    with fits.open(path, mode="update") as hdus:
        hdus["AREA"].data["EFFAREA"][0, 0, 2] = bad
    with pytest.raises(ValueError, match=r"broken.fits\[AREA\]: .*value at \[2, 0\]"):
        read_irf(path)


def test_another_kind_of_table_is_named(make, tmp_path) -> None:
    path = tmp_path / "irf.fits"
    write_irfs({"A": make("PSFKing"), "B": make("PSFKing"), "C": make("RadMax2D")}, path)
    with pytest.raises(ValueError, match=r"irf.fits\[A\]: holds a PSFKing, expected a PSF3D"):
        PSF3D.read(path, "A")
    with pytest.raises(ValueError, match=r"has 2 tables that may hold the PSFKing.*hdu="):
        PSFKing.read(path)


def test_order_of_the_axes_in_a_file(make, tmp_path) -> None:
    """Written with CREF; without it the order of the columns counts, then what fits."""
    path, background = tmp_path / "bkg.fits", make("Background3D")
    background.write(path, hdu="BKG")
    changed(path, "BKG", CREF7=None)
    np.testing.assert_allclose(Background3D.read(path).values, background.values)
    cube = [GridAxis.from_edges(np.linspace(1, 2, 4), n, "deg") for n in ("fov_lon", "fov_lat")]
    same = Background3D(
        (GridAxis.from_edges(np.geomspace(1, 8, 4), "energy", "TeV", "log"), *cube),
        np.arange(27.0).reshape(3, 3, 3),
    )
    same.write(tmp_path / "cube.fits", hdu="BKG")
    changed(tmp_path / "cube.fits", "BKG", CREF7=None)
    np.testing.assert_allclose(Background3D.read(tmp_path / "cube.fits").values, same.values)
    with fits.open(path) as hdus:
        table = hdus["BKG"]
        turned = np.swapaxes(table.data["BKG"], 1, 3)
        columns = [*table.columns[:6]]
        sizes = ",".join(map(str, turned.shape[:0:-1]))
        columns.append(
            fits.Column(
                "BKG", f"{turned.size}D", "s-1 MeV-1 sr-1", dim=f"({sizes})", array=turned
            )
        )
        again = fits.BinTableHDU.from_columns(columns, name="BKG")
        again.header.update({"HDUCLAS2": "BKG", "HDUCLAS4": "3D"})
        again.writeto(tmp_path / "turned.fits")
    back = Background3D.read(tmp_path / "turned.fits")
    np.testing.assert_allclose(back.values, background.values)


def test_axes_have_to_be_those_of_the_class() -> None:
    axis = GridAxis.from_edges([0.1, 1.0, 10.0], "energy", "TeV", "log")
    with pytest.raises(ValueError, match=r"got the axes \('energy', 'energy'\)"):
        EffectiveAreaTable2D((axis, axis), np.ones((2, 2)))


@pytest.mark.data
def test_reference_of_hess(data_path) -> None:
    path = data_path(HESS.format(23523))
    area = EffectiveAreaTable2D.read(path).evaluate(
        energy_true=np.array([[1.0], [10.0]]), offset=np.array([0, 0.5, 1.5])
    )
    expected = [[228207.54, 230773.93, 160539.46], [698821.93, 644132.46, 445983.48]]
    np.testing.assert_allclose(area.to_value("m2"), expected, rtol=1e-7)
    psf = PSF3D.read(path)
    radius = psf.containment_radius(
        fraction=0.68, energy_true=np.array([[1.0], [10.0]]), offset=np.array([0, 0.5, 1.5])
    ).value
    expected = np.array([[0.1229, 0.1226, 0.1226], [0.1077, 0.1124, 0.1328]])
    rad = psf.axis("rad")
    pixel = np.interp(expected, rad.center, rad.edges_max - rad.edges_min)
    assert np.all(np.abs(radius - expected) < pixel)
    edisp = EnergyDispersion2D.read(path)
    # the peer's numbers go through a matrix of 96 x 96 bins: one bin is 10 % of an energy
    bias = edisp.bias([0.3, 1, 10], 0.5)
    np.testing.assert_allclose(bias, [1.2499, 0.0708, 0.0049], atol=0.02)


@pytest.mark.data
def test_reference_of_cta(data_path) -> None:
    path, energy = data_path(CTA), [0.3, 1.0, 10.0]
    area = EffectiveAreaTable2D.read(path).evaluate(energy_true=energy, offset=0.0)
    np.testing.assert_allclose(
        area.to_value("m2"), [395075.41, 910560.41, 3783587.00], rtol=1e-7
    )
    rate = Background3D.read(path).evaluate(energy=energy, fov_lon=0.5, fov_lat=0.0)
    np.testing.assert_allclose(
        rate.to_value("s-1 MeV-1 sr-1"), [2.68440e-3, 1.33649e-4, 6.91804e-7], rtol=1e-5
    )
    psf = EnergyDependentMultiGaussPSF.read(path)
    radius = psf.containment_radius(fraction=0.68, energy_true=energy, offset=0.0)
    stated = psf.stated_normalisation()
    assert 6e-6 < stated[stated > 0].min() < stated.max() < 8e-5
    # the peer's radii are on a grid with a step of 5e-4 deg
    np.testing.assert_allclose(radius.value, [0.07825, 0.05075, 0.03525], atol=5e-4)
    psf.check_normalisation()


@pytest.mark.data
def test_a_run_with_small_negative_densities_opens(data_path) -> None:
    path = data_path(HESS.format(33794))
    assert EnergyDispersion2D.read(path).n_negative == 1319
    assert PSF3D.read(path).n_negative == 205


@pytest.mark.data
def test_units_that_are_not_there_are_those_of_the_format(data_path) -> None:
    table = Background2D.read(data_path("tests/irf/bkg_2d_full_example.fits"))
    assert (table.axes[0].unit, table.axes[1].unit) == ("TeV", "deg")
    assert table.shape == (20, 5)
    assert Background3D.read(data_path("tests/irf/bkg_3d_full_example.fits")).shape == (
        20,
        15,
        15,
    )


@pytest.mark.data
def test_point_like_tables_say_so(data_path) -> None:
    path = data_path("magic/rad_max/data/20131004_05029747_DL3_CrabNebula-W0.40+035.fits")
    assert EffectiveAreaTable2D.read(path).point_like
    cut = read_irf(path, "RAD_MAX")
    assert not cut.is_fixed
    assert cut.shape == (20, 1)


@pytest.mark.data
def test_hess_background_has_its_latitude_fastest(data_path) -> None:
    """Numbers of gammapy 2.1, whose order the events prefer to that of the columns."""
    table = Background3D.read(data_path(HESS.format(23523)))
    rate = table.evaluate(
        energy=1.0, fov_lon=np.array([1, -1, 0, 0]), fov_lat=np.array([0, 0, 1, -1])
    )
    expected = [0.00046563, 0.0004311, 0.00046168, 0.00039933]
    np.testing.assert_allclose(rate.to_value("s-1 MeV-1 sr-1"), expected, rtol=2e-5)


def test_a_background_does_not_explode_beyond_a_lone_value_at_the_edge() -> None:
    """Simulated tables have them; a line through its logarithm and that of 0 goes to 1e27."""
    energy = GridAxis.from_edges([1.0, 10.0], "energy", "TeV", "log")
    lon, lat = (
        GridAxis.from_edges(np.linspace(-2, 2, 9), name, "deg")
        for name in ("fov_lon", "fov_lat")
    )
    rate = np.ones((1, 8, 8))
    rate[0, 5:7] = 0.0
    table = Background3D((energy, lon, lat), rate)
    at = np.linspace(-1.999, 1.999, 201)
    found = table.evaluate(energy=3.0, fov_lon=at[:, None], fov_lat=at).value
    assert found.max() == pytest.approx(1.0)
    np.testing.assert_allclose(found[-1], 1.0)
    assert table.evaluate(energy=3.0, fov_lon=2.1, fov_lat=0.0).value == 0
