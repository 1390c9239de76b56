"""Fits that are watched, interrupted and continued."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.inference import Checkpoint, Fit, Likelihood, watched
from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel
from tests.inference.test_newton_cg import cube


def models(amplitudes) -> Models:
    parts = [
        SkyModel(PowerLawSpectralModel(amplitude=a), PointSpatialModel(83.5 + x, 22), name=name)
        for a, x, name in zip(amplitudes, (0.0, 0.2), "ab", strict=True)
    ]
    return Models(parts).freeze("*.spatial.*").set("*.amplitude", min=0)


@pytest.fixture(scope="module")
def likelihood() -> Likelihood:
    data = cube(nbin=3, width=0.8, binsz=0.08).fake(models([1e-11, 2e-11]), seed=4)
    return Likelihood([data], models([5e-11, 3e-12]))


@pytest.fixture(scope="module")
def whole(likelihood, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "fit.npz"
    return Fit().run(likelihood, checkpoint=path)


class Killed(Exception):
    """What ends a fit in these tests."""


def interrupted(likelihood, path, monkeypatch, after: int) -> None:
    """Start a fit and end it after some steps."""
    steps = []
    step = watched._step

    def counted(*arguments):
        if len(steps) == after:
            raise Killed
        steps.append(1)
        return step(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(watched, "_step", counted)
        with pytest.raises(Killed):
            Fit().run(likelihood, checkpoint=Checkpoint(path, every=0))


@pytest.mark.parametrize("after", [1, 3])
def test_a_fit_goes_on_where_it_was_interrupted(
    likelihood, whole, tmp_path, monkeypatch, after
) -> None:
    path = tmp_path / "fit.npz"
    interrupted(likelihood, path, monkeypatch, after)
    assert path.exists()
    found = Fit().run(likelihood, checkpoint=path)
    assert found.success
    np.testing.assert_array_equal(found.theta, whole.theta)
    np.testing.assert_array_equal(found.covariance, whole.covariance)
    assert found.n_evaluations == whole.n_evaluations


def test_watching_changes_nothing(likelihood, whole) -> None:
    plain = Fit(tolerance=1e-12).run(likelihood)
    assert whole.success
    np.testing.assert_allclose((whole.theta - plain.theta) / plain.errors, 0, atol=1e-3)
    np.testing.assert_allclose(whole.errors, plain.errors, rtol=1e-4)


def test_steps_are_shown_with_sources_left(likelihood, capfd) -> None:
    Fit().run(likelihood, progress=True)
    lines = [line for line in capfd.readouterr().err.splitlines() if "step " in line]
    assert "2 of 2 sources left" in lines[0]
    assert "0 of 2 sources left" in lines[-1]
    assert "|gradient|" in lines[-1]


def test_a_checkpoint_of_another_fit_is_refused(likelihood, tmp_path, monkeypatch) -> None:
    path = tmp_path / "fit.npz"
    interrupted(likelihood, path, monkeypatch, 2)
    other = likelihood.with_models(likelihood.models.set("a.*.amplitude", max=1.0))
    with pytest.raises(ValueError, match="other data or models"):
        Fit().run(other, checkpoint=path)
    path.write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match=r"fit\.npz: is damaged"):
        Fit().run(likelihood, checkpoint=path)


def test_only_newton_is_watched(likelihood) -> None:
    with pytest.raises(ValueError, match="'newton'"):
        Fit(method="lbfgs").run(likelihood, progress=True)
    with pytest.raises(ValueError, match="every is -1"):
        Checkpoint("x", every=-1)


@pytest.mark.long
def test_a_source_that_left_its_plan_goes_on_from_the_new_one(tmp_path, monkeypatch) -> None:
    data = cube(nbin=3, width=0.8, binsz=0.08).fake(models([4e-11, 2e-11]), seed=4)
    start = models([3e-11, 2e-11]).thaw("a.spatial.*").set("a.spatial.lat_0", value=22.25)
    free = Likelihood([data], start.set("a.spatial.lat_0", min=21.5, max=22.5))
    path = tmp_path / "fit.npz"
    whole = Fit().run(free, progress=False, checkpoint=tmp_path / "whole.npz")
    assert "planned anew" in whole.message
    interrupted(free, path, monkeypatch, whole.n_evaluations + 2)
    found = Fit().run(free, checkpoint=path)
    assert found.success
    np.testing.assert_array_equal(found.theta, whole.theta)
