"""The background of a counts cube, measured in a ring around each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.datasets import MapDataset, MapDatasetOnOff
from gammajax.makers.exclusion import used_pixels
from gammajax.maps import Map, WcsGeom
from gammajax.maps.filters import convolve
from gammajax.units import to_value

METHODS = ("fixed_width", "fixed_r_in")


@dataclass(frozen=True)
class RingBackgroundMaker:
    """Measure the background of each pixel in a ring around it.

    Counts and predicted background are summed over the pixels of the ring that are in
    ``mask_safe`` and not excluded; the predicted background of pixel and ring is their
    acceptance. The off counts of neighbours are of many pixels in common, so that such a
    dataset is one for maps of significance and excess, and not for a joint fit of pixels.

    Parameters
    ----------
    r_in : float in deg or `~astropy.units.Quantity`
        The inner radius; pixels belong to the ring by their centres.
    width : float in deg or `~astropy.units.Quantity`
    exclusion_mask : `~gammajax.maps.Map` of bool, optional
        An image that is false where there are sources.

    Raises
    ------
    ValueError
        If a radius is negative, or the width not above 0.

    Examples
    --------
    >>> from gammajax.makers import RingBackgroundMaker
    >>> RingBackgroundMaker(r_in="0.5 deg", width="0.3 deg").width
    0.3
    """

    r_in: Any
    width: Any
    exclusion_mask: Any = None

    def __post_init__(self) -> None:
        _convert(self, "r_in", "width")

    def run(self, dataset: MapDataset, observation: Any = None) -> MapDatasetOnOff:
        """The counts cube with off counts.

        Parameters
        ----------
        dataset : `~gammajax.datasets.MapDataset`
            With a background.
        observation : optional
            Is not used; all makers can be called alike.

        Returns
        -------
        dataset : `~gammajax.datasets.MapDatasetOnOff`
            Pixels without any background in their ring are not in ``mask_safe``.

        Raises
        ------
        ValueError
            If there is no background, or the map has no projection.
        """
        field = Field.of(dataset, self.exclusion_mask)
        counts_off, acceptance_off = field.ring(self.r_in, self.width)
        return _on_off(dataset, counts_off, acceptance_off, acceptance_off > 0)


@dataclass(frozen=True)
class AdaptiveRingBackgroundMaker:
    """Measure the background of each pixel in the smallest ring that is large enough.

    Rings grow until the ratio of acceptances of pixel and ring, alpha, is below a threshold.

    Parameters
    ----------
    r_in : float in deg or `~astropy.units.Quantity`
        Inner radius of the first ring.
    r_out_max : float in deg
        The outer radius of every ring is smaller.
    width : float in deg
        Width of the first ring.
    stepsize : float in deg
    threshold_alpha : float
    method : {"fixed_width", "fixed_r_in"}
        Whether the inner radius grows, or the width.
    exclusion_mask : `~gammajax.maps.Map` of bool, optional

    Raises
    ------
    ValueError
        If the method is unknown, or no ring is smaller than ``r_out_max``.

    Examples
    --------
    >>> from gammajax.makers import AdaptiveRingBackgroundMaker
    >>> AdaptiveRingBackgroundMaker(r_in=0.2, r_out_max=0.5, width=0.2, stepsize=0.05).rings()
    [(0.2, 0.2), (0.25, 0.2)]
    """

    r_in: Any
    r_out_max: Any
    width: Any
    stepsize: Any = 0.02
    threshold_alpha: float = 0.1
    method: str = "fixed_width"
    exclusion_mask: Any = None

    def __post_init__(self) -> None:
        label = type(self).__name__
        _convert(self, "r_in", "width", "r_out_max", "stepsize")
        if self.method not in METHODS:
            raise ValueError(
                f"{label}: method is {self.method!r}, expected {' or '.join(METHODS)}"
            )
        if not self.threshold_alpha > 0:
            raise ValueError(
                f"{label}: threshold_alpha is {self.threshold_alpha:g}, expected one above 0"
            )
        if not self.rings():
            raise ValueError(
                f"{label}: r_in {self.r_in:g} and width {self.width:g} deg leave no ring "
                f"within r_out_max {self.r_out_max:g} deg"
            )

    def rings(self) -> list[tuple[float, float]]:
        """Inner radius and width, in deg, of the rings that are tried."""
        room = self.r_out_max - self.r_in - self.width
        number = max(int(np.ceil(room / self.stepsize - 1e-9)), 0)
        steps = [round(k * self.stepsize, 12) for k in range(number)]
        if self.method == "fixed_width":
            return [(round(self.r_in + step, 12), self.width) for step in steps]
        return [(self.r_in, round(self.width + step, 12)) for step in steps]

    def run(self, dataset: MapDataset, observation: Any = None) -> MapDatasetOnOff:
        """The counts cube with off counts; see `RingBackgroundMaker.run`.

        Pixels for which no ring is large enough are not in ``mask_safe``. Each energy bin has
        rings of its own.
        """
        field = Field.of(dataset, self.exclusion_mask)
        counts_off = np.zeros(field.counts.shape)
        acceptance_off = np.zeros(field.counts.shape)
        found = np.zeros(field.counts.shape, dtype=bool)
        for r_in, width in self.rings():
            counts, acceptance = field.ring(r_in, width)
            enough = ~found & (acceptance > 0)
            enough &= dataset.background_data < self.threshold_alpha * acceptance
            counts_off = np.where(enough, counts, counts_off)
            acceptance_off = np.where(enough, acceptance, acceptance_off)
            found |= enough
            if found.all():
                break
        return _on_off(dataset, counts_off, acceptance_off, found)


@dataclass(frozen=True)
class Field:
    """Counts and background where a background may be measured, 0 elsewhere."""

    scales: np.ndarray
    used: np.ndarray
    counts: np.ndarray
    background: np.ndarray

    @classmethod
    def of(cls, dataset: MapDataset, exclusion_mask: Any) -> Field:
        """What is in the safe mask and not excluded.

        Raises
        ------
        ValueError
            If there is no background, or the map has no projection.
        """
        where = f"dataset {dataset.name!r}: the background of rings"
        if not isinstance(dataset.geom, WcsGeom):
            raise ValueError(f"{where} wants a map in a projection, this is {dataset.geom!r}")
        if not isinstance(dataset, MapDataset) or dataset.background is None:
            raise ValueError(
                f"{where} wants a MapDataset with a predicted background, which tells how "
                "the acceptance changes over the field of view"
            )
        used = used_pixels(dataset, exclusion_mask)
        return cls(
            scales=dataset.geom.pixel_scales,
            used=used,
            counts=np.asarray(dataset.counts.data, dtype=float) * used,
            background=dataset.background_data * used,
        )

    def ring(self, r_in: float, width: float) -> tuple[np.ndarray, np.ndarray]:
        """Counts and background in the ring around each pixel."""
        kernel = ring_kernel(self.scales, r_in, width)
        # transforms leave noise where there is nothing to sum
        some = convolve(self.used.astype(float), kernel) > 0.5
        counts = np.rint(convolve(self.counts, kernel))
        return np.where(some, counts, 0.0), np.where(
            some, np.maximum(convolve(self.background, kernel), 0.0), 0.0
        )


def ring_kernel(scales: np.ndarray, r_in: float, width: float) -> np.ndarray:
    """1 at the pixels whose centres lie in a ring around the middle one, shape (lat, lon).

    Raises
    ------
    ValueError
        If there are none.

    Examples
    --------
    >>> ring_kernel(np.array([1.0, 1.0]), 0.5, 0.6)
    array([[0., 1., 0.],
           [1., 0., 1.],
           [0., 1., 0.]])
    """
    r_out = r_in + width
    x, y = (
        np.arange(-n, n + 1) * scale
        for n, scale in ((int(np.floor(r_out / s * (1 + 1e-9))), s) for s in scales.tolist())
    )
    distance = np.hypot(x, y[:, None])
    slack = 1e-6 * float(np.min(scales))
    found = (distance >= r_in - slack) & (distance <= r_out + slack)
    if not found.any():
        raise ValueError(
            f"a ring from {r_in:g} to {r_out:g} deg holds no centre of a pixel of "
            f"{float(np.min(scales)):g} deg; make it wider"
        )
    return found.astype(float)


def _on_off(
    dataset: MapDataset, counts_off: np.ndarray, acceptance_off: np.ndarray, known: np.ndarray
) -> MapDatasetOnOff:
    geom = dataset.geom
    safe = known if dataset.mask_safe is None else known & np.asarray(dataset.mask_safe.data)
    made = MapDatasetOnOff.from_map_dataset(
        dataset,
        counts_off=Map.from_geom(geom, data=counts_off),
        acceptance=Map.from_geom(geom, data=dataset.background_data),
        acceptance_off=Map.from_geom(geom, data=acceptance_off),
    )
    return made.replace(mask_safe=Map.from_geom(geom, data=safe))


def _convert(maker: Any, *names: str) -> None:
    """Lengths of a maker in deg, checked."""
    label = type(maker).__name__
    for name in names:
        number = float(to_value(getattr(maker, name), "deg", where=f"{label}: {name}"))
        if number < 0 or (number == 0 and name != "r_in"):
            raise ValueError(f"{label}: {name} is {number:g} deg, expected one above 0")
        object.__setattr__(maker, name, number)
