"""Counts by the squared distance from a position, and from others in the field of view."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from gammajax.data import Observation
from gammajax.makers.field import pointing_of
from gammajax.makers.regions_finder import WobbleRegionsFinder
from gammajax.stats import WStatCountsStatistic
from gammajax.units import to_quantity, to_value


class _Run(NamedTuple):
    """Counts of a run in the bins, and how many off positions they are from."""

    counts: np.ndarray
    counts_off: np.ndarray
    number: int


def make_theta_squared_table(
    observations: Iterable[Observation],
    theta_squared_axis: Any,
    position: Any,
    position_off: Any = None,
    energy_edges: Any = None,
    off_regions_number: int = 1,
    exclusion_mask: Any = None,
) -> Any:
    r"""Counts of runs in bins of :math:`\theta^2`, on and off the source.

    Off positions are the position turned around the pointing of each run, evenly spread, so
    that they have its background. A run in which fewer fit, because circles of the largest
    :math:`\theta` would overlap, has as many as fit.

    Parameters
    ----------
    observations : iterable of `~gammajax.data.Observation`
    theta_squared_axis : `~gammajax.maps.MapAxis`, array in deg2, or `~astropy.units.Quantity`
        The bins, or their edges.
    position : `~astropy.coordinates.SkyCoord`
    position_off : `~astropy.coordinates.SkyCoord`, optional
        One off position for all runs, instead of turned ones.
    energy_edges : pair of energies in TeV, optional
        Events between them are counted; all by default.
    off_regions_number : int
        Off positions of each run.
    exclusion_mask : `~gammajax.maps.Map` of bool, optional
        An image that is false where there are sources; off circles that meet them are left
        out.

    Returns
    -------
    table : `~astropy.table.Table`
        ``theta2_min``, ``theta2_max``, ``counts``, ``counts_off``, ``acceptance`` (one for
        each run), ``acceptance_off`` (one for each off position), ``alpha``, ``excess``,
        ``sqrt_ts`` (Li and Ma 1983, eq. 17), ``excess_errn`` and ``excess_errp``. What is odd
        is said in ``table.meta["notes"]``.

    Raises
    ------
    ValueError
        If the bins do not ascend from 0 or above, an off position is too near, options
        contradict each other, or no run is left.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy.coordinates import SkyCoord
    >>> from gammajax.data import GTI, EventList, Observation, Pointing
    >>> rows = {"RA": [10.0, 10.1, 11.0], "DEC": [0.0, 0.0, 0.0]}
    >>> columns = {k: np.array(v) for k, v in rows.items()}
    >>> events = EventList(columns | {"ENERGY": np.ones(3), "TIME": np.arange(3.0)})
    >>> run = Observation.create(1, pointing=Pointing(10.5, 0.0), gti=GTI([0], [60]),
    ...                          events=events)
    >>> source = SkyCoord(10.0, 0.0, unit="deg")
    >>> table = make_theta_squared_table([run], [0, 0.02, 0.04], source)
    >>> table["counts"].tolist(), table["counts_off"].tolist(), table["alpha"].tolist()
    ([2, 0], [1.0, 0.0], [1.0, 1.0])
    """
    edges = _edges(theta_squared_axis)
    radius = float(np.sqrt(edges[-1]))
    energies = _energies(energy_edges)
    _check_off(position, position_off, off_regions_number, radius)
    runs, notes = [], []
    for observation in observations:
        name = f"run {observation.obs_id}"
        if not len(observation.gti) or not observation.livetime.to_value("s") > 0:
            notes.append(f"{name} has no live time, and is left out")
            continue
        places = [position_off]
        if position_off is None:
            places = _turned(observation, position, radius, off_regions_number, exclusion_mask)
        if not places:
            notes.append(f"{name} has no room for an off position, and is left out")
            continue
        if len(places) < off_regions_number:
            notes.append(f"{name} has room for {len(places)} off positions")
        runs.append(_counted(observation, edges, energies, position, places))
    if not runs:
        why = "; ".join(notes) or "there are no runs"
        raise ValueError(
            f"make_theta_squared_table: {why}; take a smaller largest theta, or runs that "
            "point beside the source"
        )
    table = _table(edges, runs)
    table.meta["ON_RA"], table.meta["ON_DEC"] = position.icrs.ra, position.icrs.dec
    if energies is not None:
        table.meta["Energy_filter"] = to_quantity(energies, "TeV")
    if not table["counts"].sum() + table["counts_off"].sum():
        notes.append("there are no events in the bins")
    table.meta["notes"] = notes
    return table


def _edges(axis: Any) -> np.ndarray:
    """Edges of the bins in deg2."""
    given = axis
    if hasattr(axis, "edges"):
        given = to_quantity(getattr(axis.edges, "value", axis.edges), axis.unit)
    edges = np.atleast_1d(to_value(given, "deg2", where="theta_squared_axis"))
    if edges.size < 2 or edges[0] < 0 or not np.all(np.diff(edges) > 0):
        raise ValueError(
            f"theta_squared_axis: edges are {edges} deg2, expected two or more that ascend "
            "from 0 or above"
        )
    return edges


def _energies(edges: Any) -> np.ndarray | None:
    """The least and the largest energy in TeV."""
    if edges is None:
        return None
    energies = np.atleast_1d(to_value(edges, "TeV", where="energy_edges"))
    if energies.shape != (2,) or not energies[0] < energies[1]:
        raise ValueError(f"energy_edges: got {energies} TeV, expected two that ascend")
    return energies


def _check_off(position: Any, position_off: Any, number: int, radius: float) -> None:
    if number < 1:
        raise ValueError(f"off_regions_number is {number}, expected 1 or more")
    if position_off is None:
        return
    if number > 1:
        raise ValueError(
            f"off_regions_number is {number} and position_off is given; leave one of them out"
        )
    apart = float(position.separation(position_off).deg)
    if apart < 2 * radius:
        raise ValueError(
            f"position_off is {apart:.3g} deg from the position, and circles of the largest "
            f"theta, {radius:.3g} deg, overlap; take one further away, or fewer bins"
        )


def _turned(
    observation: Observation, position: Any, radius: float, number: int, mask: Any
) -> list[Any]:
    """Off positions of a run: the given number, or as many as have room."""
    from regions import CircleSkyRegion

    region = CircleSkyRegion(position, to_quantity(radius, "deg"))
    center = pointing_of(observation)
    if float(center.separation(position).deg) < radius:
        return []
    for tried in range(number, 0, -1):
        finder = WobbleRegionsFinder(n_off_regions=tried)
        found = finder.run(region, center, mask)
        if found:
            return [off.center for off in found]
    return []


def _counted(
    observation: Observation,
    edges: np.ndarray,
    energies: np.ndarray | None,
    position: Any,
    places: list[Any],
) -> _Run:
    """Events of a run in the bins around the position, and around all off positions."""
    events = observation.events
    if energies is not None:
        events = events.select_energy(*energies)

    def histogram(place: Any) -> np.ndarray:
        return np.histogram(events.separation(place) ** 2, edges)[0]

    off = np.sum([histogram(place) for place in places], axis=0)
    return _Run(histogram(position), off, len(places))


def _table(edges: np.ndarray, runs: list[_Run]) -> Any:
    """The sum of runs; the expected background is the sum of that of each run."""
    from astropy.table import Table

    number = np.array([run.number for run in runs], dtype=float)
    counts = np.sum([run.counts for run in runs], axis=0)
    off = np.stack([run.counts_off for run in runs])
    total, background = off.sum(axis=0), (off / number[:, None]).sum(axis=0)
    plain = len(runs) / number.sum()
    alpha = np.where(total > 0, background / np.where(total > 0, total, 1), plain)
    found = WStatCountsStatistic(counts, total, alpha)
    ones = np.ones(counts.shape)
    table = Table(
        {
            "theta2_min": to_quantity(edges[:-1], "deg2"),
            "theta2_max": to_quantity(edges[1:], "deg2"),
            "counts": counts,
            "counts_off": total.astype(float),
            "acceptance": len(runs) * ones,
            "acceptance_off": number.sum() * ones,
            "alpha": alpha,
            "excess": found.n_sig,
            "sqrt_ts": found.sqrt_ts,
            "excess_errn": found.compute_errn(),
            "excess_errp": found.compute_errp(),
        }
    )
    for column in table.columns.values():
        column.format = ".5g"
    return table
