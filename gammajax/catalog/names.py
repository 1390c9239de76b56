"""Which row a name stands for."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


class NameIndex:
    """Rows by any of their names; case and blanks do not matter.

    Parameters
    ----------
    columns : sequence of (str, sequence of list of str)
        Columns in the order in which they are asked, each with the names in every row.
    where : str
        The catalogue; it starts error messages.
    """

    def __init__(self, columns: Sequence[tuple[str, Sequence[list[str]]]], where: str) -> None:
        self._where = where
        self._rows: list[dict[str, list[int]]] = []
        self._written: dict[str, str] = {}
        for _, names in columns:
            rows: dict[str, list[int]] = {}
            for row, several in enumerate(names):
                for name in several:
                    if name:
                        rows.setdefault(_key(name), []).append(row)
                        self._written.setdefault(_key(name), name)
            self._rows.append(rows)
        self._main = [several[0] for several in columns[0][1]]

    def row(self, name: str) -> int:
        """The row that is called so.

        Raises
        ------
        ValueError
            If no row is, or several are; the message says what there is.
        """
        for rows in self._rows:
            found = sorted(set(rows.get(_key(name), ())))
            if len(found) > 1:
                which = ", ".join(self._main[row] for row in found)
                raise ValueError(
                    f"{self._where}: {name!r} stands for {len(found)} sources: {which}; "
                    "name one of them"
                )
            if found:
                return found[0]
        close = difflib.get_close_matches(_key(name), self._written, n=4, cutoff=0.5)
        close += [key for key in self._written if _key(name) in key and key not in close]
        hint = ", ".join(self._written[key] for key in close[:6])
        raise ValueError(
            f"{self._where}: there is no source {name!r}"
            + (f"; did you mean {hint}?" if hint else "")
        )


def _key(name: str) -> str:
    return "".join(name.split()).casefold()
