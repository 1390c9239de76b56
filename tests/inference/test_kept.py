"""Second derivatives that are kept from one look of a search to the next."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.fold.slopes import RowBends
from gammajax.inference import Fit, Likelihood
from gammajax.inference import fit as fits
from gammajax.inference.newton_cg import latest
from gammajax.models import Models
from tests.inference.test_newton_cg import cube, models


@pytest.mark.long
def test_they_lead_to_the_same_minimum(monkeypatch) -> None:
    made = models([1e-11, 2e-11, 5e-12, 3e-11, 8e-12])
    truth = Models([made[f"s{i}"] for i in (1, 3)])
    data = cube().fake(truth, seed=4)
    start = truth.thaw("s*.spatial.*").set("s3.spatial.lat_0", value=22.21)
    likelihood = Likelihood([data], start)
    plain = Fit().run(likelihood)
    monkeypatch.setattr(fits, "MANY_OF_CUBES", 3)
    found = Fit().run(likelihood)
    assert found.success
    assert found.edm < 1e-8
    np.testing.assert_allclose((found.theta - plain.theta) / plain.errors, 0, atol=1e-3)
    np.testing.assert_allclose(found.errors, plain.errors, rtol=1e-5)


def test_what_was_left_out_is_that_of_an_earlier_look() -> None:
    column = np.array([[0, 1]])
    old, new, none = (RowBends(np.full((1, 2, 2), x), column, 2) for x in (1.0, 2.0, 0.0))

    def block(made: RowBends, curved: bool) -> float:
        return float(latest((made,), (old,), curved)[0].blocks[0, 0, 0])

    assert block(none, curved=False) == 1.0
    assert block(none, curved=True) == 0.0
    # those of shapes that stay are made in each look
    assert block(new, curved=False) == 2.0
