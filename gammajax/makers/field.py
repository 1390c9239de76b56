"""Where the field of view of a run lies on the sky."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from gammajax.data import Observation
from gammajax.maps import frame_rotation
from gammajax.maps.shapes import basis_at

LARGEST_DRIFT = 0.01
"""How far the pointing may move during a run that is reduced at its middle, in deg."""

LARGEST_TURN = 1.0
"""By how much a field of view tied to the horizon may turn in a part of a run, in deg."""


def pointing_of(observation: Observation) -> Any:
    """The direction of a run, an ICRS `~astropy.coordinates.SkyCoord`.

    Raises
    ------
    ValueError
        If the telescope moves over the sky during the run.
    """
    if observation not in _pointings:
        _pointings[observation] = _find_pointing(observation)
    return _pointings[observation]


_pointings: WeakKeyDictionary[Observation, Any] = WeakKeyDictionary()
"""Pointings of runs that are in use: every part of a reduction asks for them."""


def _find_pointing(observation: Observation) -> Any:
    pointing, gti = observation.pointing, observation.gti
    middle = pointing.icrs(observation.tmid)
    first, last = (pointing.icrs(t) for t in gti.reference.time([gti.start[0], gti.stop[-1]]))
    moved = max(float(middle.separation(end).deg) for end in (first, last))
    if moved > LARGEST_DRIFT:
        raise ValueError(
            f"run {observation.obs_id}: the telescope moves by {moved:.3g} deg from the middle "
            f"to the ends of the run, expected at most {LARGEST_DRIFT:g}; divide it with "
            "Observations.select_time and stack the datasets of the parts"
        )
    return middle


def offset_axes(observation: Observation, sky: str) -> np.ndarray:
    """Axes of a field of view for what depends on the distance from its middle alone."""
    centre = np.array(pointing_of(observation).icrs.cartesian.xyz.value)
    return np.stack([centre, *basis_at(centre)]) @ frame_rotation("icrs", sky).T


def field_steps(observation: Observation, alignment: str) -> list[tuple[Any, float]]:
    """Parts of a run: the horizon system in each (None where it does not matter), and seconds.

    Parameters
    ----------
    observation : `~gammajax.data.Observation`
    alignment : {"RADEC", "ALTAZ", "REVERSE_LON_RADEC"}
    """
    gti, pointing = observation.gti, observation.pointing
    if alignment != "ALTAZ":
        return [(None, float(gti.time_sum.to_value("s")))]
    steps = []
    for start, stop in zip(gti.start, gti.stop, strict=True):
        ends = gti.reference.time(np.linspace(start, stop, 9))
        angles = pointing.parallactic_angle(pointing_of(observation), ends)
        turned = float(np.abs(np.diff(np.unwrap(np.deg2rad(angles)))).sum())
        number = max(int(np.ceil(np.rad2deg(turned) / LARGEST_TURN)), 1)
        edges = np.linspace(start, stop, number + 1)
        for low, high in pairwise(edges):
            time = gti.reference.time((low + high) / 2)
            steps.append((pointing.frame(time), float(high - low)))
    return steps
