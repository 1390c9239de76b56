"""What is wrong with a run: everything in it is read, and compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.data.observation import IRFS, Observation

PARTS = ("events", "gti", "pointing", "pointing_table", "dead_time_fraction", *IRFS)

SAME_PLACE = 0.01
"""How far, in deg, the index may have the pointing from where the header has it."""

LOST = 0.1
"""Share of the events that a point spread function may lack, or have too many."""


def problems(run: Observation) -> list[str]:
    """What is wrong with a run, one line each, which begins with the run or the file."""
    found, good = [], set()
    for part in PARTS:
        source = {"pointing_table": "pointing", "pointing": "events"}.get(part, part)
        if part != "dead_time_fraction" and source not in run.available:
            continue
        try:
            content = getattr(run, part)
        except ValueError as error:
            found.append(str(error))
            continue
        good.add(part)
        negative = getattr(content, "n_negative", 0)
        if negative:
            found.append(f"run {run.obs_id}: {part} has {negative} values below 0, read as 0")
    if "events" in good:
        found += _events(run)
    if {"events", "gti"} <= good:
        found += _outside(run)
    if {"events", "pointing"} <= good:
        found += _index(run)
    found += _leaking(run) if "psf" in good else []
    return [*dict.fromkeys(found)]  # a damaged file is met once for each part in it


def _events(run: Observation) -> list[str]:
    """Whether numbers of events make no sense."""
    columns, found = run.events.columns, []
    bad = ~np.isfinite(columns["ENERGY"]) | (columns["ENERGY"] <= 0)
    if bad.any():
        found.append(f"run {run.obs_id}: {bad.sum()} events have no energy above 0")
    bad = ~np.isfinite(columns["RA"]) | ~(np.abs(columns["DEC"]) <= 90)
    if bad.any():
        found.append(f"run {run.obs_id}: {bad.sum()} events have no direction on the sky")
    return found


def _outside(run: Observation) -> list[str]:
    """Whether events lie outside of the good times, and how far.

    Files often have times of whole seconds there: runs of the H.E.S.S. data release 1 have
    up to 7 events in the second that had begun when they stopped.
    """
    events, gti = run.events, run.gti
    times = events.columns["TIME"] + gti.reference.shift_from(events.reference)
    late = times[~gti.contains(times)]
    if not late.size:
        return []
    ends = np.concatenate([gti.start, gti.stop])
    far = np.abs(late[:, None] - ends).min(axis=1).max(initial=0) if ends.size else np.inf
    return [
        f"run {run.obs_id}: {late.size} of {len(events)} events lie outside of the good times, "
        f"up to {far:.3g} s"
    ]


def _index(run: Observation) -> list[str]:
    """Whether the index says something else than the files."""
    found, info = [], run.info
    count = info.get("EVENT_COUNT")
    if isinstance(count, int) and count != len(run.events):
        found.append(
            f"run {run.obs_id}: the index counts {count} events, the list has {len(run.events)}"
        )
    pointing = run.pointing
    known = [info.get(key) for key in ("RA_PNT", "DEC_PNT")]
    if pointing.header["OBS_MODE"] == "POINTING" and None not in known:
        from astropy.coordinates import SkyCoord

        there = SkyCoord(*np.array(known, dtype=float), unit="deg")
        distance: Any = pointing.icrs().separation(there).deg
        if distance > SAME_PLACE:
            found.append(
                f"run {run.obs_id}: the index has the pointing {distance:.3g} deg from where "
                "the events have it"
            )
    return found


def _leaking(run: Observation) -> list[str]:
    """Whether a point spread function lacks events; tables end where simulations end."""
    norm = getattr(run.psf, "normalisation", None)
    if norm is None:
        return []
    total = norm()
    bad = (total > 0) & (np.abs(total - 1) > LOST)
    if not bad.any():
        return []
    return [
        f"run {run.obs_id}: psf integrates to {total[bad].min():.3g} to {total[bad].max():.3g} "
        f"at {bad.sum()} of {(total > 0).sum()} nodes, expected 1"
    ]
