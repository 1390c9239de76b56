"""Columns of the tables that hold norms with all that an estimator found."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.data.flux_norms import NORMS, REFERENCES, FluxNorms

SCALARS = (*NORMS, "ts", "stat", "stat_null")
BY_DATASET = ("counts", "npred", "npred_excess")


def norm_columns(points: Any) -> dict[str, tuple[str, str | None, Any]]:
    """The columns of points from an estimator: format, unit, values.

    Raises
    ------
    ValueError
        If the points come from elsewhere.
    """
    if points.norms is None:
        raise ValueError(
            "sed_type 'likelihood': these points have no norms of a reference spectrum; only "
            "those of an estimator can be written so"
        )
    columns = columns_of_norms(points.norms)
    columns["is_ul"] = ("L", None, points.is_limit)
    return columns


def columns_of_norms(norms: FluxNorms) -> dict[str, tuple[str, str | None, Any]]:
    """Columns with a row for each entry of the first axis."""
    inner = int(np.prod(norms.shape[1:], dtype=int))
    found: dict[str, tuple[str, str | None, Any]] = {}

    def add(name: str, unit: str | None, values: Any, kind: str = "D") -> None:
        flat = np.reshape(values, (norms.shape[0], -1))
        size = flat.shape[1]
        if len(norms.shape) == 1 and np.ndim(values) == 1:
            found[name] = (kind, unit, flat[:, 0])
            return
        found[name] = (f"{size}{kind}", unit, np.reshape(values, (norms.shape[0],
                       *np.shape(values)[1:])))  # fmt: skip

    for name, unit in REFERENCES.items():
        if name != "e2dnde":
            add(f"ref_{name}", unit, np.broadcast_to(getattr(norms, f"ref_{name}"),
                                                     norms.shape))  # fmt: skip
    for name in SCALARS:
        add(name, None, getattr(norms, name))
    add("sqrt_ts", None, norms.sqrt_ts)
    for name in BY_DATASET:
        add(name, None, getattr(norms, name))
    add("success", None, norms.success, "L")
    if np.size(norms.norm_scan):
        scan = np.broadcast_to(norms.norm_scan, (norms.shape[0], np.size(norms.norm_scan)))
        found["norm_scan"] = (f"{scan.shape[1]}D", None, scan)
        add("stat_scan", None, norms.stat_scan)
    width = max([len(str(note)) for note in np.ravel(norms.notes)] + [1])
    if inner == 1:
        found["notes"] = (f"{width}A", None, np.ravel(norms.notes).astype(f"U{width}"))
    return found


def norms_of(rows: Any) -> FluxNorms | None:
    """Norms from a table of type ``likelihood``; None if it has only some of their columns."""
    needed = ("norm", "ref_dnde", "ref_flux", "ref_eflux", "e_ref", "ts", "stat", "counts")
    if any(name not in rows.colnames for name in needed):
        return None
    shape = np.shape(rows["norm"])

    def column(name: str, unit: str = "", fill: float = np.nan) -> np.ndarray:
        from astropy.units import Quantity

        if name not in rows.colnames:
            return np.full(shape, fill)
        values = np.ma.filled(np.ma.asarray(rows[name], dtype=float), np.nan)
        if unit:
            return np.asarray(Quantity(values, rows[name].unit).to_value(unit))
        return values

    sums: dict[str, Any] = {name: np.reshape(column(name), (*shape, -1)) for name in BY_DATASET}
    number = sums["counts"].shape[-1]
    sums = {n: np.broadcast_to(a, (*shape, number)).copy() for n, a in sums.items()}
    scan = "norm_scan" in rows.colnames
    energy = column("e_ref", "TeV")
    dnde = column("ref_dnde", REFERENCES["dnde"])
    notes = np.full(shape, "", dtype=object)
    if "notes" in rows.colnames:
        notes = np.array([str(note) for note in rows["notes"]], dtype=object).reshape(shape)
    fields: dict[str, Any] = {name: column(name) for name in SCALARS}
    return FluxNorms(
        **fields,
        ref_dnde=dnde,
        ref_e2dnde=energy**2 * dnde,
        ref_flux=column("ref_flux", REFERENCES["flux"]),
        ref_eflux=column("ref_eflux", REFERENCES["eflux"]),
        **sums,
        datasets=tuple(f"dataset-{i}" for i in range(number)),
        norm_scan=np.ravel(np.asarray(rows["norm_scan"][0])) if scan else np.zeros(0),
        stat_scan=np.reshape(column("stat_scan"), (*shape, -1)) if scan else
        np.zeros((*shape, 0)),
        success=np.ma.filled(rows["success"], False).astype(bool)
        if "success" in rows.colnames else np.ones(shape, bool),
        notes=notes,
        n_sigma_ul=_sigmas(rows.meta.get("UL_CONF")),
    )  # fmt: skip


def _sigmas(confidence: Any) -> float:
    """How many sigmas a one-sided confidence level is; 2 if none is given."""
    from scipy.special import ndtri

    return 2.0 if confidence is None else float(ndtri(float(confidence)))
