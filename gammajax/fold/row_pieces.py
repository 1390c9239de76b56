"""Long rows cut into pieces, made once on the host.

Rows are padded to the longest, and few sources are as near to many counts as the one that has
it: on a whole sky a sixth of the entries would be used. A piece is a row of the same source in
the same dataset, with a part of its entries. It has the tables of the source anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.fold.round_plan import Entries, joined_parts, rounded

MOST_CUTS, FINER, LEAST = 16, 0.7, 16
"""How many sizes of pieces are tried, by how much each is smaller than the one before, and the
fewest entries of a kind for which a row is cut."""


def cut_rows(entries: Entries, tables: int) -> np.ndarray:
    """Cut the rows of entries into pieces; the row that each piece was of.

    Entries of each kind are dealt out evenly to the pieces of a row, and nodes of gathered sky.

    Parameters
    ----------
    entries : `~gammajax.fold.round_plan.Entries`
        Its rows are the pieces from then on.
    tables : int
        How many nodes cost as much as the tables of a row.
    """
    lengths = np.zeros((len(entries.found), entries.number), dtype=int)
    for kind, rows in enumerate(entries.found.values()):
        for row, parts in rows.items():
            lengths[kind, row] = sum(part[0].shape[0] for part in parts)
    counts = np.array([count for count, _ in entries.found], dtype=int)
    pieces = _pieces(lengths, counts, tables)
    own = np.repeat(np.arange(entries.number), pieces)
    first = np.cumsum(pieces) - pieces
    found = {}
    for kind, rows in entries.found.items():
        cut: dict[int, list[Any]] = {}
        for row, parts in rows.items():
            split = [np.array_split(array, pieces[row]) for array in joined_parts(parts)]
            for number, some in enumerate(zip(*split, strict=True)):
                if some[0].shape[0]:
                    cut[int(first[row]) + number] = [some]
        if cut:
            found[kind] = cut
    entries.found = found
    entries.far = _dealt_out(entries.far, pieces)
    entries.number = own.size
    return own


def _dealt_out(far: list[list[Any]], pieces: np.ndarray) -> list[list[Any]]:
    """The nodes of gathered sky of each piece, from those of each row."""
    found: list[list[Any]] = []
    for number, parts in zip(pieces, far, strict=True):
        split = [(np.array_split(index, number), *rest) for index, *rest in parts]
        found += [[(some[k], *rest) for some, *rest in split] for k in range(number)]
    return found


def _pieces(lengths: np.ndarray, counts: np.ndarray, tables: int) -> np.ndarray:
    """The number of pieces of each row that cost least.

    Parameters
    ----------
    lengths : array of int, shape (kind, row)
        Entries of each kind.
    counts : array of int, shape (kind,)
        Nodes of an entry.
    tables : int
        What a row costs beside its nodes.
    """
    work = counts @ lengths
    most = max(int(lengths.max(initial=0)) // LEAST, 1)
    found = []
    for size in work.max(initial=1) * FINER ** np.arange(MOST_CUTS):
        pieces = np.clip(np.ceil(work / size).astype(int), 1, most)
        widths = (-(-lengths // pieces)).max(axis=1, initial=0)
        padded = np.array([rounded(int(width)) for width in widths], dtype=int)
        found.append((pieces.sum() * (padded @ counts + tables), pieces))
    return min(found, key=lambda item: item[0])[1]
