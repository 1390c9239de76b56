"""Models with what a catalogue says about their errors, and how they become `Models`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gammajax.models import Models, SkyModel
from gammajax.parameters import Link, ParameterTable

CONTAINMENT_2D = {level: math.sqrt(-2 * math.log(1 - level)) for level in (0.68, 0.95)}
"""Radii that hold a part of a round Gaussian, in standard deviations."""


@dataclass(frozen=True)
class Part:
    """A spectral or a spatial model, with the errors of its parameters.

    ``errors`` are standard deviations in the units of the parameters; ``covariances`` those
    of pairs of them.
    """

    model: Any
    errors: dict[str, float] = field(default_factory=dict)
    covariances: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class Piece:
    """A component of a source: its model, errors by full name, links of its parameters."""

    model: SkyModel
    errors: dict[str, float]
    covariances: dict[tuple[str, str], float]
    links: dict[str, Link] = field(default_factory=dict)


def known(**errors: float) -> dict[str, float]:
    """Errors that are numbers, and not negative; the others are not known."""
    return {name: float(error) for name, error in errors.items() if error >= 0}


def piece(name: str, spectrum: Part, shape: Part | None, links: Any = None) -> Piece:
    """The component of this name."""
    errors: dict[str, float] = {}
    pairs: dict[tuple[str, str], float] = {}
    for prefix, part in (("spectral", spectrum), ("spatial", shape)):
        if part is not None:
            stem = f"{name}.{prefix}."
            errors |= {stem + key: error for key, error in part.errors.items()}
            pairs |= {(stem + a, stem + b): c for (a, b), c in part.covariances.items()}
    model = SkyModel(spectrum.model, shape.model if shape else None, name=name)
    return Piece(model, errors, pairs, links or {})


def position_errors(
    lat: float, major: float, minor: float, angle: float, level: float
) -> tuple[dict[str, float], dict[tuple[str, str], float]]:
    """Errors and covariance of ``lon_0`` and ``lat_0`` of an error ellipse.

    Parameters
    ----------
    lat : float
        Latitude in deg.
    major, minor : float
        Semi-axes in deg, of the ellipse that holds ``level`` of the probability.
    angle : float
        Of the major axis, east of north, in deg; NaN for a circle.
    level : float
        0.68 or 0.95.

    Returns
    -------
    errors, covariances : dict
        Empty if the axes are not known. Longitudes are not shortened by the latitude.
    """
    if not (major > 0 and minor > 0):
        return {}, {}
    a, b = (axis / CONTAINMENT_2D[level] for axis in (major, minor))
    turn = math.radians(angle) if math.isfinite(angle) else 0.0
    sine, cosine = math.sin(turn), math.cos(turn)
    shrink = math.cos(math.radians(lat))
    errors = {
        "lon_0": math.hypot(a * sine, b * cosine) / shrink,
        "lat_0": math.hypot(a * cosine, b * sine),
    }
    return errors, {("lon_0", "lat_0"): (a**2 - b**2) * sine * cosine / shrink}


def round_error(lat: float, sigma: float) -> dict[str, float]:
    """Errors of ``lon_0`` and ``lat_0`` for one standard deviation in deg on the sky."""
    return known(lon_0=sigma / math.cos(math.radians(lat)), lat_0=sigma)


def assemble(pieces: Iterable[Piece], *, covariance: bool) -> Models:
    """`Models` of many components, with errors, links and, if wanted, a covariance."""
    pieces = list(pieces)
    models = Models(part.model for part in pieces)
    errors: dict[str, float] = {}
    links: dict[str, Link] = {}
    pairs: dict[tuple[str, str], float] = {}
    for part in pieces:
        errors |= part.errors
        links |= part.links
        pairs |= part.covariances
    rows = [
        dataclasses.replace(
            row, error=errors.get(row.name, 0.0), link=links.get(row.name, row.link)
        )
        if row.name in errors or row.name in links
        else row
        for row in models.parameters
    ]
    table = ParameterTable(tuple(rows))
    if not covariance:
        return models.with_table(table)
    place = {row.name: i for i, row in enumerate(rows)}
    matrix = np.diag([row.error**2 for row in rows])
    for (first, second), value in pairs.items():
        i, j = place[first], place[second]
        matrix[i, j] = matrix[j, i] = value
    return models.with_table(table, matrix)
