"""Flux points and light curves from the cells of a catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.data import FluxNorms, FluxPoints, LightCurve

LEVEL = 0.95
"""Confidence level of the limits in the catalogues of the Fermi-LAT."""


def band_fluxes(
    flux: np.ndarray, errors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Errors and limits of fluxes in bands, as the Fermi-LAT catalogues write them.

    Parameters
    ----------
    flux : array, shape (...,)
    errors : array, shape (..., 2)
        Below (negative) and above. Where the one below is missing the flux is not
        significant, and the one above is half the way to the limit at 95 %.

    Returns
    -------
    low, high, limit, is_limit : array
        Errors are NaN for limits, and limits NaN for the others.
    """
    low, high = np.abs(errors[..., 0]), errors[..., 1]
    is_limit = ~(low > 0) | ~(high > 0)
    limit = np.where(is_limit, flux + 2 * high, np.nan)
    low, high = (np.where(is_limit, np.nan, side) for side in (low, high))
    return low, high, limit, is_limit


def points_of_bands(
    flux: np.ndarray, errors: np.ndarray, edges: np.ndarray, sqrt_ts: Any, name: str
) -> FluxPoints:
    """Flux points of integral fluxes between ``edges``, shape (band, 2) in TeV."""
    low, high, limit, is_limit = band_fluxes(flux, errors)
    return FluxPoints(
        sed_type="flux",
        value=flux,
        error_low=low,
        error_high=high,
        limit=np.where(limit > 0, limit, np.nan),
        is_limit=is_limit & (limit > 0),
        energy_min=edges[:, 0],
        energy_max=edges[:, 1],
        confidence=LEVEL,
        ts=None if sqrt_ts is None else np.asarray(sqrt_ts) ** 2,
        meta={"source": name},
    )


def measured_points(
    value: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    limit: np.ndarray,
    energies: dict[str, np.ndarray],
    *,
    name: str,
    confidence: float,
    is_limit: np.ndarray | None = None,
) -> FluxPoints:
    """Flux points of differential fluxes, padded cells taken off.

    Raises
    ------
    ValueError
        If the cell holds none.
    """
    known = np.isfinite(energies["energy_ref"]) & (np.isfinite(value) | np.isfinite(limit))
    if not known.any():
        raise ValueError(f"{name}: the catalogue has no flux points of this source")
    kept = {key: array[known] for key, array in energies.items()}
    low, high = (np.where(side[known] > 0, side[known], np.nan) for side in (low, high))
    limit = np.where(limit[known] > 0, limit[known], np.nan)
    nothing = ~np.isfinite(value[known])
    if is_limit is not None:
        nothing |= is_limit[known]
    nothing &= np.isfinite(limit)
    return FluxPoints(
        sed_type="dnde",
        value=value[known],
        limit=limit,
        is_limit=nothing,
        confidence=confidence,
        meta={"source": name},
        error_low=low,
        error_high=high,
        energy_ref=kept["energy_ref"],
        energy_min=kept["energy_min"],
        energy_max=kept["energy_max"],
    )


def light_curve(
    flux: np.ndarray,
    errors: np.ndarray,
    sqrt_ts: Any,
    times: np.ndarray,
    energies: tuple[float, float],
    spectrum: Any,
    name: str,
) -> LightCurve:
    """A light curve in one band of energy.

    Parameters
    ----------
    flux, errors : array, shape (time,), (time, 2)
        As in `band_fluxes`.
    sqrt_ts : array, shape (time,), optional
    times : array, shape (time + 1,)
        Edges of the intervals, MJD in TT.
    energies : float, float
        The band, in TeV.
    spectrum : `~gammajax.models.SpectralModel`
        The mean spectrum, which norms are relative to.
    """
    low, high, limit, is_limit = (array[:, None] for array in band_fluxes(flux, errors))
    middle = float(np.sqrt(energies[0] * energies[1]))
    dnde = float(spectrum(middle))
    total = float(spectrum.integral(*energies))
    energy_flux = float(spectrum.energy_flux(*energies))
    shape = flux[:, None].shape
    nothing = np.full(shape, np.nan)
    ts = nothing if sqrt_ts is None else np.asarray(sqrt_ts)[:, None] ** 2
    none = np.zeros((*shape, 0))
    norms = FluxNorms(
        norm=flux[:, None] / total,
        norm_err=np.where(is_limit, np.nan, (low + high) / 2 / total),
        norm_errn=low / total,
        norm_errp=high / total,
        norm_ul=limit / total,
        ts=ts,
        stat=nothing,
        stat_null=nothing,
        ref_dnde=np.full(shape, dnde),
        ref_e2dnde=np.full(shape, dnde * middle**2),
        ref_flux=np.full(shape, total),
        ref_eflux=np.full(shape, energy_flux),
        counts=none,
        npred=none,
        npred_excess=none,
        datasets=(),
        norm_scan=np.zeros(0),
        stat_scan=none,
        success=np.isfinite(flux[:, None]),
        notes=np.full(shape, "", dtype=object),
        n_sigma_ul=1.6448536269514722,
    )
    return LightCurve(
        time_min=times[:-1],
        time_max=times[1:],
        energy_min=energies[0],
        energy_max=energies[1],
        norms=norms,
        meta={"source": name},
    )
