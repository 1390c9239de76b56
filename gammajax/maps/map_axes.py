"""The axes of a map besides its position on the sky."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class MapAxes:
    """Axes in order, each of its own name.

    The first one varies fastest: a map's array has the axes in the opposite order, followed
    by latitude and longitude.

    Parameters
    ----------
    axes : iterable of `MapAxis`, `TimeMapAxis` or `LabelMapAxis`

    Examples
    --------
    >>> from gammajax.maps import MapAxes, MapAxis
    >>> energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
    >>> offset = MapAxis.from_edges([0, 1, 2], name="offset", unit="deg")
    >>> axes = MapAxes([energy, offset])
    >>> axes.names, axes.shape, axes["offset"].nbin
    (('energy', 'offset'), (2, 3), 2)
    """

    axes: Iterable[Any] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(self.axes))
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise ValueError(f"MapAxes: the name {twice[0]!r} is there twice; rename an axis")

    @property
    def names(self) -> tuple[str, ...]:
        """Names, the axis that varies fastest first."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of bins in the order of a map's array: the last axis first."""
        return tuple(axis.nbin for axis in reversed(tuple(self.axes)))

    @property
    def size(self) -> int:
        """Number of bins of all axes together."""
        return int(np.prod(self.shape, dtype=int))

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.axes)

    def index(self, name: str) -> int:
        """Position of the axis of this name.

        Raises
        ------
        ValueError
            If there is none, with the names that there are.
        """
        if name not in self.names:
            there = ", ".join(self.names) or "none"
            raise ValueError(f"MapAxes: there is no axis {name!r} (axes: {there})")
        return self.names.index(name)

    def dim(self, name: str) -> int:
        """Position of an axis in a map's array."""
        return len(self) - 1 - self.index(name)

    def __getitem__(self, key: int | str | slice) -> Any:
        axes = tuple(self.axes)
        if isinstance(key, slice):
            return MapAxes(axes[key])
        return axes[self.index(key) if isinstance(key, str) else key]

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def replace(self, axis: Any) -> MapAxes:
        """Put ``axis`` in the place of the one that has its name."""
        place = self.index(axis.name)
        return MapAxes(axis if i == place else old for i, old in enumerate(self))

    def rename(self, names: dict[str, str]) -> MapAxes:
        """The same axes with other names."""
        for name in names:
            self.index(name)
        return MapAxes(axis.rename(names.get(axis.name, axis.name)) for axis in self)

    def drop(self, name: str) -> MapAxes:
        """All axes but one."""
        place = self.index(name)
        return MapAxes(axis for i, axis in enumerate(self) if i != place)

    def squash(self, name: str) -> MapAxes:
        """The axis of this name reduced to one bin."""
        return self.replace(self[name].squash())

    def slice_by_idx(self, slices: dict[str, int | slice]) -> MapAxes:
        """A slice keeps an axis with fewer bins, a number removes it."""
        for name in slices:
            self.index(name)
        kept = []
        for axis in self:
            part = slices.get(axis.name, slice(None))
            if isinstance(part, slice):
                kept.append(axis if part == slice(None) else axis.slice(part))
            elif not -axis.nbin <= part < axis.nbin:
                raise ValueError(f"axis {axis.name!r}: has no bin {part}, only {axis.nbin}")
        return MapAxes(kept)

    def coords(self) -> dict[str, np.ndarray]:
        """Bin centres of each axis, shaped to broadcast over a map's array without the sky."""
        return {
            axis.name: axis.center.reshape((-1,) + (1,) * place)
            for place, axis in enumerate(self)
        }

    def bin_volume(self) -> np.ndarray:
        """Product of the widths of each bin, in the shape of a map's array without the sky.

        The unit is the product of the axes' units; labels have width 1.
        """
        volume = np.ones(self.shape)
        for place, axis in enumerate(self):
            if hasattr(axis, "bin_width"):
                volume = volume * axis.bin_width.reshape((-1,) + (1,) * place)
        return volume

    def is_close(self, other: MapAxes, rtol: float = 1e-5) -> bool:
        """Whether both have the same axes in the same order, edges within ``rtol``."""
        return self.names == other.names and all(
            one.is_close(two, rtol) for one, two in zip(self, other, strict=True)
        )

    def __repr__(self) -> str:
        return f"MapAxes({', '.join(map(repr, self))})"
