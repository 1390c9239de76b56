r"""A sky like the one that the Fermi-LAT sees: counts cubes, and diffuse emission by formulas.

Galactic emission comes from a disk of gas and a thicker one of scattered starlight,

.. math::
    I(l, b, E) = q(E) \int_0^\infty e^{(R_0 - R) / R_s}
        \left[e^{-|z| / h} + f \, e^{-|z| / h_s}\right] ds

with the distance R from the centre of the Galaxy and the height z, at a distance s. In MeV,

.. math::
    E^2 q(E) = q_0 \, (E / \mathrm{GeV})^{0.8}
        \left[1 + (E / 0.6\,\mathrm{GeV})^{1.4}\right]^{-1}

R_0 is 8.2 kpc, R_s 4.5 kpc, h 0.12 kpc (molecular and atomic gas), h_s 2 kpc with f 0.05, and
q_0 0.018 MeV cm-2 s-1 sr-1 kpc-1: the local emissivity of Casandjian 2015, ApJ 806, 240,
2.2e-24 MeV s-1 sr-1 per atom at 1 GeV, with 0.9 atoms per cm3. The mean over the inner Galaxy
agrees with that of the collaboration's template (gll_iem_v06) to a factor of 1.7 from 60 MeV
to 100 GeV.

The isotropic emission is that of Ackermann et al. 2015, ApJ 799, 86, foreground A: index 2.32,
cutoff at 279 GeV, 0.95e-7 cm-2 s-1 sr-1 MeV-1 at 100 MeV.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.datasets import Datasets, MapDataset
from gammajax.irf.lat_like import lat_like_edisp, lat_like_exposure, lat_like_psf
from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom
from gammajax.models import Models, PowerLawNormSpectralModel, TemplateNPredModel

SUN, SCALE, GAS, LIGHT, SHARE = 8.2, 4.5, 0.12, 2.0, 0.05
"""R_0, R_s, h and h_s in kpc, and f."""

EMISSIVITY = 0.018
"""q_0 in MeV cm-2 s-1 sr-1 kpc-1."""

MEV = 1e6
"""MeV in a TeV."""

PER_DECADE = 4
"""Bins of true energy in a decade."""


@dataclass(frozen=True)
class LatLikeComponent:
    """A range of energies with pixels of one size.

    Parameters
    ----------
    edges : array in TeV
        Of the bins of reconstructed energy.
    nside : int
        Of the pixels.
    """

    edges: tuple[float, ...]
    nside: int


COMPONENTS = (
    LatLikeComponent(tuple(np.geomspace(1e-4, 10**-3.5, 3)), 64),
    LatLikeComponent(tuple(np.geomspace(10**-3.5, 1e-3, 3)), 128),
    LatLikeComponent(tuple(np.geomspace(1e-3, 1e-2, 5)), 256),
    LatLikeComponent(tuple(np.geomspace(1e-2, 1.0, 5)), 512),
)
"""100 MeV to 1 TeV. Pixels are a fifth to a half of the radius of 68 % at the lower end."""


def galactic_depth(lon: Any, lat: Any) -> np.ndarray:
    """The integral along lines of sight in kpc; Galactic coordinates in rad.

    By the trapezoidal rule in 300 logarithmic steps from 1 pc to 60 kpc: good to 1 %.

    Examples
    --------
    >>> galactic_depth([0.0, np.pi], [0.0, 0.0]).round(1)
    array([53.8,  4.7])
    """
    s = np.geomspace(1e-3, 60.0, 300)
    lon, lat = np.broadcast_arrays(np.asarray(lon, float), np.asarray(lat, float))
    found = np.zeros(lon.shape)
    before = None
    for step, distance in zip(np.diff(s, prepend=0.0), s, strict=True):
        across = distance * np.cos(lat)
        radius = np.sqrt(SUN**2 + across**2 - 2 * SUN * across * np.cos(lon))
        height = np.abs(distance * np.sin(lat))
        here = np.exp((SUN - radius) / SCALE)
        here = here * (np.exp(-height / GAS) + SHARE * np.exp(-height / LIGHT))
        found += step * here if before is None else 0.5 * step * (here + before)
        before = here
    return found


def galactic_spectrum(energy: Any) -> np.ndarray:
    """q in cm-2 s-1 sr-1 TeV-1 kpc-1; energies in TeV."""
    gev = np.asarray(energy, float) * 1e3
    power = EMISSIVITY * gev**0.8 / (1 + (gev / 0.6) ** 1.4)
    return power / (gev * 1e3) ** 2 * MEV


def isotropic_spectrum(energy: Any) -> np.ndarray:
    """In cm-2 s-1 sr-1 TeV-1; energies in TeV."""
    mev = np.asarray(energy, float) * MEV
    return 0.95e-7 * (mev / 100) ** -2.32 * np.exp(-mev / 279e3) * MEV


def lat_like_datasets(
    components: Sequence[LatLikeComponent] = COMPONENTS,
    *,
    livetime: Any = "8 yr",
    psf: str = "gauss",
    geom: Callable[[int, list[MapAxis]], Any] | None = None,
) -> Datasets:
    """Empty counts cubes of the whole sky with the responses of `gammajax.irf.lat_like`.

    Parameters
    ----------
    components : sequence of `LatLikeComponent`
    livetime : float in s, or `~astropy.units.Quantity`
    psf : {"gauss", "king"}
        See `~gammajax.irf.lat_like.lat_like_psf`.
    geom : callable, optional
        The geometry for a value of nside and axes; by default the HEALPix sky in Galactic
        coordinates.

    Examples
    --------
    >>> sky = lat_like_datasets([LatLikeComponent((1e-3, 3e-3, 1e-2), 8)])
    >>> sky.names, sky[0].counts.data.shape, sky[0].energy_true.nbin
    (('lat-0',), (2, 768), 7)
    """
    made = []
    for number, component in enumerate(components):
        energy = MapAxis.from_energy_edges(component.edges)
        low, high = component.edges[0], component.edges[-1]
        # what is spread by more than this is cut: see lat_like_edisp
        low, high = low / 10**0.375, high * 10**0.375
        bins = int(np.ceil(PER_DECADE * np.log10(high / low)))
        true = MapAxis.from_energy_bounds(low, high, nbin=bins, name="energy_true")
        make = geom or _whole_sky
        cube = make(component.nside, [energy])
        frame = cube.frame
        made.append(
            MapDataset(
                name=f"lat-{number}",
                counts=Map.from_geom(cube, data=np.zeros(cube.data_shape)),
                exposure=lat_like_exposure(_coarse(frame), true, livetime=livetime),
                psf=lat_like_psf(true, shape=psf, frame=frame),
                edisp=lat_like_edisp(true, energy, frame=frame),
            )
        )
    return Datasets(made)


def _coarse(frame: str) -> WcsGeom:
    """Pixels for an exposure that changes over tens of degrees."""
    return WcsGeom.create(width=(360, 180), binsz=2, proj="CAR", frame=frame)


def _whole_sky(nside: int, axes: list[MapAxis]) -> HpxGeom:
    return HpxGeom.create(nside=nside, nest=False, frame="galactic", axes=axes)


def lat_like_diffuse(datasets: Datasets) -> Models:
    """Galactic and isotropic emission in the bins of whole-sky cubes.

    The emission times the exposure is spread on the sphere, in spherical harmonics, and
    dispersed. All datasets share a norm and a tilt for the Galaxy, and a norm for the isotropic
    emission.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`
        From `lat_like_datasets`: HEALPix, the whole sky in the order of rings.

    Returns
    -------
    models : `~gammajax.models.Models`
        ``galactic-0``, ``isotropic-0`` and so on, linked to the first.

    Raises
    ------
    ValueError
        If a dataset is no cube of the whole HEALPix sky in the order of rings.
    """
    parts = []
    for number, dataset in enumerate(datasets):
        geom = dataset.geom.to_image()
        whole = isinstance(geom, HpxGeom) and geom.ipix is None and not geom.nest
        if not whole:
            raise ValueError(
                f"lat_like_diffuse: dataset {dataset.name!r} is not on the whole HEALPix "
                "sky in the order of rings; take those of lat_like_datasets"
            )
        sky = geom.get_coord().skycoord.galactic
        depth = galactic_depth(sky.l.rad, sky.b.rad)
        for kind, image, law in (
            ("galactic", depth, galactic_spectrum),
            ("isotropic", np.ones(depth.shape), isotropic_spectrum),
        ):
            counts = dataset.counts.with_data(diffuse_counts(dataset, image, law))
            norm = PowerLawNormSpectralModel(reference="1 GeV")
            parts.append(
                TemplateNPredModel(
                    counts, norm, datasets_names=dataset.name, name=f"{kind}-{number}"
                )
            )
    models = Models(parts).thaw("galactic-0.spectral.tilt")
    for kind in ("galactic", "isotropic"):
        for name in ("norm", "tilt"):
            models = models.link(f"{kind}-*.spectral.{name}", f"{kind}-0.spectral.{name}")
    return models.set("*.norm", min=0)


def diffuse_counts(
    dataset: MapDataset, image: np.ndarray, law: Callable[[Any], np.ndarray]
) -> np.ndarray:
    """Expected counts of ``image`` times ``law``, shape (energy, pixel).

    Parameters
    ----------
    dataset : `~gammajax.datasets.MapDataset`
        The whole HEALPix sky in the order of rings; spread and dispersion are taken to be the
        same everywhere.
    image : array, shape (pixel,)
    law : callable
        Times ``image``: cm-2 s-1 sr-1 TeV-1 at energies in TeV.
    """
    import healpy

    assert dataset.psf is not None
    assert dataset.edisp is not None
    nside = int(dataset.geom.nside)
    lmax = 2 * nside
    true = dataset.energy_true
    flux = _integrals(law, true.edges)
    exposure = _exposure(dataset)
    matrix = dataset.edisp.table[..., 0, 0]
    profiles, rad = dataset.psf.profile(), np.deg2rad(dataset.psf.rad.center)
    area = 4 * np.pi / image.size
    counts = np.zeros((dataset.energy.nbin, image.size))
    for t in np.nonzero(matrix.max(axis=1) > 0)[0]:
        fine = np.linspace(0, rad[profiles[t] > 0].max(), 4000)
        window = healpy.beam2bl(np.interp(fine, rad, profiles[t]), fine, lmax)
        alm = healpy.map2alm(exposure[t] * image * area, lmax=lmax, iter=3)
        seen = healpy.alm2map(healpy.almxfl(alm, window / window[0]), nside, lmax=lmax)
        counts += matrix[t][:, None] * flux[t] * np.maximum(seen, 0.0)
    return counts


def _exposure(dataset: MapDataset) -> np.ndarray:
    """At the middles of the pixels, shape (energy_true, pixel)."""
    true, sky = dataset.energy_true, dataset.geom.to_image().get_coord().skycoord
    coords = {"skycoord": sky, "energy_true": true.center[:, None]}
    exposure: Any = dataset.exposure
    return np.asarray(exposure.interp_by_coord(coords)).reshape(true.nbin, -1)


def _integrals(law: Callable[[Any], np.ndarray], edges: np.ndarray) -> np.ndarray:
    """Integrals of a spectrum over bins, by 8 Gauss-Legendre nodes in the logarithm."""
    place, share = np.polynomial.legendre.leggauss(8)
    low, high = np.log(edges[:-1]), np.log(edges[1:])
    energy = np.exp(0.5 * (high + low) + 0.5 * (high - low) * place[:, None])
    return 0.5 * (high - low) * (share[:, None] * energy * law(energy)).sum(axis=0)
