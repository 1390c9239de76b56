"""Folding of spectra: against a plain loop, padded against single, and its batches."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from gammajax.datasets import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.fold import build_terms, npred_signal, stack_components
from gammajax.irf import EDispKernel
from gammajax.maps import MapAxis
from gammajax.models import LogParabolaSpectralModel, Models, PowerLawSpectralModel, SkyModel
from gammajax.stats import cash, wstat


def dataset(
    name: str, n_true: int = 20, n_reco: int = 9, *, on_off: bool = True, seed: int = 0
) -> Any:
    """A dataset with a telescope of made-up response and random counts."""
    rng = np.random.default_rng(seed)
    energy = MapAxis.from_energy_bounds(0.3, 30, n_reco)
    energy_true = MapAxis.from_energy_bounds(0.1, 100, n_true, name="energy_true")
    common = {
        "name": name,
        "energy": energy,
        "energy_true": energy_true,
        "counts": rng.poisson(6.0, n_reco).astype(float),
        "exposure": 1e13 * energy_true.center**0.4,
        "edisp": EDispKernel.from_gauss(energy_true, energy, 0.2, 0.03),
        "mask_safe": rng.random(n_reco) > 0.2,
        "livetime": 1200.0,
    }
    if not on_off:
        return SpectrumDataset(**common, background=rng.random(n_reco))
    off = rng.poisson(20.0, n_reco).astype(float)
    return SpectrumDatasetOnOff(**common, counts_off=off, acceptance=1.0, acceptance_off=8.0)


@pytest.fixture
def models() -> Models:
    return Models(
        [
            SkyModel(PowerLawSpectralModel(index=2.3, amplitude=3e-11), name="wide"),
            SkyModel(PowerLawSpectralModel(index=1.8, amplitude=1e-12), name="hard"),
            SkyModel(
                LogParabolaSpectralModel(amplitude=2e-11, reference=1.0, alpha=2.1, beta=0.2),
                name="curved",
                datasets_names="d1",
            ),
        ]
    )


def values_of(models: Models) -> np.ndarray:
    return np.array([row.value for row in models.parameters])


def plain_loop(data: Any, models: Models) -> np.ndarray:
    """Counts in each reconstructed bin, one source and one bin at a time."""
    total = np.zeros(data.energy.nbin)
    edges = data.energy_true.edges
    for component in models:
        if not component.folds_into(data.name):
            continue
        for t in range(data.energy_true.nbin):
            flux = float(component.spectral_model.evaluate_integral(edges[t], edges[t + 1]))
            for r in range(data.energy.nbin):
                total[r] += flux * data.exposure[t] * data.edisp.matrix[t, r]
    return total


@pytest.mark.parametrize("name", ["d0", "d1"])
def test_prediction_is_the_plain_loop(name: str, models: Models) -> None:
    data = dataset(name)
    np.testing.assert_allclose(npred_signal(data, models), plain_loop(data, models), rtol=1e-10)


def test_padded_batch_equals_each_dataset_alone(models: Models) -> None:
    batch = [
        dataset("d0", 20, 9, seed=1),
        dataset("d1", 24, 8, seed=2),
        dataset("d2", 22, 9, seed=3),
    ]
    groups = stack_components(models)
    ((term, members),) = build_terms(batch, groups)
    assert [member.name for member in members] == ["d0", "d1", "d2"]
    stacks = tuple(stack for stack, _ in groups)
    mu = np.asarray(term.predict(stacks, values_of(models)))
    stat = np.asarray(term.stat_array(mu))
    for row, data in enumerate(batch):
        size = int(data.mask.sum())
        expected = npred_signal(data, models)[data.mask]
        np.testing.assert_allclose(mu[row, :size], expected, rtol=1e-12)
        assert np.all(mu[row, size:] == 0)
        bins = wstat(
            data.counts[data.mask], data.counts_off[data.mask], data.alpha[data.mask], expected
        )
        np.testing.assert_allclose(stat[row, :size], bins, rtol=1e-10)
        assert np.all(stat[row, size:] == 0)


def test_known_background_is_added_under_cash(models: Models) -> None:
    data = dataset("d0", on_off=False)
    groups = stack_components(models)
    ((term, _),) = build_terms([data], groups)
    assert term.kind == "cash"
    mu = term.predict(tuple(stack for stack, _ in groups), values_of(models))
    expected = cash(data.counts, npred_signal(data, models) + data.background)[data.mask]
    np.testing.assert_allclose(np.asarray(term.stat_array(mu))[0], expected, rtol=1e-12)


def test_derivatives_are_finite_where_padded(models: Models) -> None:
    groups = stack_components(models)
    ((term, _),) = build_terms([dataset("d0"), dataset("d1", 12, 8)], groups)
    stacks = tuple(stack for stack, _ in groups)

    @jax.jit
    def total(values: Any) -> Any:
        return term.stat_array(term.predict(stacks, values)).sum()

    gradient = np.asarray(jax.grad(total)(values_of(models)))
    assert np.isfinite(gradient).all()
    assert np.count_nonzero(gradient) == gradient.size


@pytest.mark.parametrize("part", ["exposure", "edisp"])
def test_a_part_of_the_response_can_be_left_out(part: str) -> None:
    data = dataset("d0", n_true=24)
    spectrum = PowerLawSpectralModel(index=2.0, amplitude=1e-11)
    model = SkyModel(spectrum, name="s", apply_irf={part: False})
    changed = {
        "exposure": {"exposure": np.ones(24)},
        "edisp": {"edisp": EDispKernel.from_diagonal(data.energy_true, data.energy)},
    }[part]
    expected = plain_loop(data.replace(**changed), Models(model))
    np.testing.assert_allclose(npred_signal(data, Models(model)), expected, rtol=1e-10)
    whole = npred_signal(data, Models(SkyModel(spectrum, name="s")))
    assert not np.allclose(whole, expected, rtol=1e-3)


def test_number_of_terms_does_not_grow_with_the_number_of_datasets(models: Models) -> None:
    rng = np.random.default_rng(5)
    shapes = [(int(rng.integers(18, 25)), int(rng.integers(8, 11))) for _ in range(400)]
    many = [dataset(f"d{i}", *shape, seed=i) for i, shape in enumerate(shapes)]
    terms = build_terms(many, stack_components(models))
    assert len(terms) <= 4
    assert sorted(d.name for _, part in terms for d in part) == sorted(d.name for d in many)
    for term, part in terms:
        used = sum(d.energy_true.nbin * max(int(d.mask.sum()), 1) for d in part)
        padded = term.counts.shape[0] * term.responses[0].matrix[0].size
        assert padded <= 2.0 * used


def test_kinds_of_statistic_do_not_mix(models: Models) -> None:
    mixed = [dataset("d0"), dataset("d1", on_off=False), dataset("d2")]
    terms = build_terms(mixed, stack_components(models))
    assert [(term.kind, len(part)) for term, part in terms] == [("wstat", 2), ("cash", 1)]


def test_axes_are_shared(models: Models) -> None:
    same = [dataset(f"d{i}", seed=i) for i in range(5)]
    ((term, _),) = build_terms(same, stack_components(models))
    assert term.energy_min.shape[0] == 1
    assert term.axis.tolist() == [0] * 5


def test_masked_counts_do_not_matter(models: Models) -> None:
    data = dataset("d0")
    spoilt = data.replace(counts=np.where(data.mask, data.counts, 1e6))
    totals = []
    for one in (data, spoilt):
        groups = stack_components(models)
        ((term, _),) = build_terms([one], groups)
        mu = term.predict(tuple(stack for stack, _ in groups), values_of(models))
        totals.append(float(np.sum(term.stat_array(mu))))
    assert totals[0] == totals[1]


def test_negative_predictions_are_counted() -> None:
    data = dataset("d0", on_off=False)
    groups = stack_components(Models(SkyModel(PowerLawSpectralModel(), name="s")))
    ((term, _),) = build_terms([data], groups)
    mu = np.zeros(term.counts.shape)
    assert int(term.negative_bins(mu)) == 0
    mu[0, :3] = -100.0
    assert int(term.negative_bins(mu)) == 3
