"""A collection of datasets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any


class Datasets:
    """Datasets with different names, in order; immutable.

    Parameters
    ----------
    datasets : iterable of datasets, or one
    """

    def __init__(self, datasets: Any) -> None:
        if not isinstance(datasets, Iterable):
            datasets = [datasets]
        self._datasets = tuple(datasets)
        names = self.names
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"two datasets are called {name!r}; give them other names when reading, "
                    "or with dataset.replace(name=...)"
                )

    @classmethod
    def read(cls, path: str | Path) -> Datasets:
        """Read a YAML list of datasets and its files; see `gammajax.datasets.io`."""
        from gammajax.datasets.io import read_datasets

        return read_datasets(path)

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a YAML list and the files of the datasets; see `gammajax.datasets.io`."""
        from gammajax.datasets.io import write_datasets

        write_datasets(self, path, overwrite=overwrite)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the datasets."""
        return tuple(dataset.name for dataset in self._datasets)

    def __len__(self) -> int:
        return len(self._datasets)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._datasets)

    def __getitem__(self, name: str | int) -> Any:
        if isinstance(name, int):
            return self._datasets[name]
        if name not in self.names:
            raise ValueError(f"no dataset {name!r}; there are: {', '.join(self.names)}")
        return self._datasets[self.names.index(name)]

    def stack_reduce(self, *, name: str = "stacked") -> Any:
        """All datasets summed into one: see their method ``stack``.

        Raises
        ------
        ValueError
            If one of them holds no counts, or they do not fit each other.
        """
        for dataset in self:
            if not hasattr(dataset, "stack"):
                raise ValueError(
                    f"stack_reduce: dataset {dataset.name!r} is a {type(dataset).__name__}, "
                    "and only counts cubes and spectra can be stacked"
                )
        return self[0].stack(*list(self)[1:], name=name)

    def slice_by_energy(self, energy_min: Any = None, energy_max: Any = None) -> Datasets:
        """The bins wholly between two energies, of the datasets that have any.

        Raises
        ------
        ValueError
            If none has.
        """
        used = [d for d in self if d.in_energy_range(energy_min, energy_max).any()]
        if not used:
            raise ValueError(
                f"slice_by_energy: none of {', '.join(self.names)} has a bin wholly between "
                f"{energy_min} and {energy_max}"
            )
        return Datasets(dataset.slice_by_energy(energy_min, energy_max) for dataset in used)

    def info_table(self) -> Any:
        """An `~astropy.table.Table` with a row for each dataset."""
        from astropy.table import Table

        rows = [dataset.info_dict() for dataset in self._datasets]
        names = list(dict.fromkeys(key for row in rows for key in row))
        table = Table(rows=[{key: row.get(key) for key in names} for row in rows], names=names)
        for column in table.columns.values():
            if column.dtype.kind == "f":
                column.format = ".6g"
        return table

    def __repr__(self) -> str:
        lines = self.info_table().pformat(max_lines=-1, max_width=-1)
        return "\n".join([f"Datasets: {len(self)}", *lines])

    def _repr_html_(self) -> str:
        return self.info_table()._repr_html_()
