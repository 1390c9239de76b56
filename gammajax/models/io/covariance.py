"""The covariance table beside a model file.

A fixed-width text table, as astropy's ``ascii.fixed_width`` writes it: a header row, then
one row for each parameter, its name in the first column. Numbers are written with all their
digits, so that they come back as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from gammajax.models.io.entries import number
from gammajax.storage import read_text, suggest

SYMMETRIC = 1e-6
"""Largest difference of two entries that mirror each other, in units of the two errors."""


MOST = 5000
"""Parameters of the largest table that is written: its text takes half a gigabyte."""


def format_covariance(names: tuple[str, ...], matrix: Any) -> str:
    """The table of a covariance matrix, which may be sparse.

    Raises
    ------
    ValueError
        If there are more than `MOST` parameters.
    """
    if len(names) > MOST:
        raise ValueError(
            f"the covariance of {len(names)} parameters has no room in a text table (at most "
            f"{MOST}): write the models with write_covariance=False, errors are kept in the "
            "model file"
        )
    if sparse.issparse(matrix):
        matrix = matrix.toarray()
    rows = [["Parameters", *(str(i) for i in range(len(names)))]]
    for name, values in zip(names, matrix.tolist(), strict=True):
        rows.append([name, *(repr(value) for value in values)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(names) + 1)]
    lines = (
        " | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "".join(f"| {line} |\n" for line in lines)


def read_covariance(
    path: Path, names: tuple[str, ...], factors: np.ndarray, unnamed: Sequence[str] = ()
) -> np.ndarray:
    """The covariance matrix in canonical units, rows and columns in the order of ``names``.

    Parameters
    ----------
    path : `~pathlib.Path`
    names : tuple of str
        The parameters that it has to cover; the table may have them in another order.
    factors : array, shape (n,)
        What turns a number in the unit of each parameter in the model file into the
        canonical one: the table has the units of the model file.
    unnamed : sequence of str
        Components that the model file gives no name, as gammapy does with backgrounds: their
        rows may be called after another one, and are known by their places.

    Raises
    ------
    ValueError
        If the table is damaged, or of other parameters, or is no covariance.
    """
    found, matrix = _parse(path)
    if len(found) == len(names):
        pairs = zip(found, names, strict=True)
        found = [name if _is_row(row, name, unnamed) else row for row, name in pairs]
    for name in found:
        if name not in names:
            raise ValueError(
                f"{path}: has a row {name!r}, which is no parameter of the models"
                f"{suggest(name, names)}"
            )
    missing = [name for name in names if name not in found]
    if missing or len(found) > len(names):
        what = f"no row for {missing[0]!r}" if missing else "a row twice"
        raise ValueError(
            f"{path}: has {what} ({len(found)} rows, the models have {len(names)} parameters)"
        )
    order = [found.index(name) for name in names]
    matrix = matrix[np.ix_(order, order)] * np.outer(factors, factors)
    _check(path, names, matrix)
    return (matrix + matrix.T) / 2


def _is_row(row: str, name: str, unnamed: Sequence[str]) -> bool:
    """Whether a row may be that of a parameter of a component without a name in the file."""
    found = [name.removeprefix(one) for one in unnamed if name.startswith(f"{one}.")]
    return any(row.endswith(rest) for rest in found)


def _parse(path: Path) -> tuple[list[str], np.ndarray]:
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    if not cells or cells[0][0] != "Parameters":
        raise ValueError(f"{path}: does not start with a column 'Parameters' between bars '|'")
    rows = cells[1:]
    for place, row in enumerate(rows):
        if len(row) != len(rows) + 1:
            raise ValueError(
                f"{path}: row {place + 1} has {len(row) - 1} numbers, but there are "
                f"{len(rows)} rows; a covariance is square"
            )
    names = [row[0] for row in rows]
    values = [[number(cell, f"{path}: row {row[0]!r}") for cell in row[1:]] for row in rows]
    return names, np.array(values).reshape(len(rows), len(rows))


def _check(path: Path, names: tuple[str, ...], matrix: np.ndarray) -> None:
    variance = np.diag(matrix)
    if np.any(variance < 0):
        name = names[int(np.argmin(variance))]
        raise ValueError(f"{path}: the variance of {name!r} is negative")
    scale = np.sqrt(np.outer(variance, variance))
    uneven = np.abs(matrix - matrix.T) > SYMMETRIC * scale
    if uneven.any():
        first, second = (names[int(i[0])] for i in np.nonzero(uneven))
        raise ValueError(f"{path}: is not symmetric in {first!r} and {second!r}")
