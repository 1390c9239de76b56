"""A run by formulas, pointed half a degree beside the middle of the maps."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.data import GTI, EventList, Observation, Pointing
from gammajax.irf import formula_irfs
from gammajax.maps import MapAxis, WcsGeom

CENTER = (83.6, 22.0)
ENERGY = MapAxis(np.geomspace(1.0, 10.0, 4))
TRUE = MapAxis(np.geomspace(0.5, 20.0, 7), "energy_true")


def make_run(**options) -> Observation:
    """A run of half an hour in which 300 events were seen."""
    rng = np.random.default_rng(5)
    columns = {
        "RA": CENTER[0] + rng.normal(0, 0.8, 300),
        "DEC": CENTER[1] + rng.normal(0, 0.8, 300),
        "ENERGY": 0.8 * rng.pareto(1.5, 300) + 0.8,
        "TIME": np.sort(rng.uniform(0, 1800, 300)),
    }
    given = {
        "pointing": Pointing(ra=CENTER[0], dec=CENTER[1] + 0.5),
        "gti": GTI([0.0], [1800.0]),
        "events": EventList(columns),
        "irfs": formula_irfs(psf="gauss", offset_max=3.0),
        "dead_time_fraction": 0.1,
        **options,
    }
    return Observation.create(7, **given)


@pytest.fixture(scope="session")
def run() -> Observation:
    return make_run()


@pytest.fixture(scope="session")
def geom() -> WcsGeom:
    return WcsGeom.create(skydir=CENTER, width=3.0, binsz=0.1, proj="TAN", axes=[ENERGY])
