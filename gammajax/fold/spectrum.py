r"""Folding of spectra into counts in energy bins.

.. math:: \mu_{d r} = \sum_t R_{d t r} \sum_k w_{d k} \int_t \phi_k(E) \, dE

with the response R (exposure times energy dispersion) of dataset d from true bin t to
reconstructed bin r, and weights w of component k, 1 where it folds into the dataset. Many
datasets are one padded array; the flux integrals are made once for each different axis of
true energy, not once for each dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import program
from gammajax.datasets import SpectrumDataset, SpectrumDatasetOnOff
from gammajax.fold.matrix_term import MatrixTerm
from gammajax.fold.region import region_fractions
from gammajax.fold.stack import Stack, stack_components
from gammajax.fold.temporal import has_times, intervals_of, temporal_factor
from gammajax.irf import EDispKernel
from gammajax.models import Models
from gammajax.models.spectral.quadrature import nodes_for
from gammajax.stats import (
    PerBin,
    cash,
    cash_per_bin,
    cash_saturated,
    wstat,
    wstat_background,
    wstat_per_bin,
)

SPLIT_WASTE = 2.0
"""Datasets share a padded array while it is at most this much larger than what is in it."""


class Response(eqx.Module):
    """How one stack of components reaches the datasets of a term.

    Attributes
    ----------
    matrix : array, shape (dataset, energy_true, energy)
        Exposure times energy dispersion, zero where padded.
    weight : array, shape (dataset, component)
    intervals : `~gammajax.fold.temporal.Intervals` or None
        Good time intervals of each dataset, for components that change with time.
    fractions : `~gammajax.fold.region.RegionFractions` or one of its kind, or None
        How much of the sources falls in the regions, where that is to be folded.
    """

    matrix: Any
    weight: Any
    intervals: Any = None
    fractions: Any = None

    def shares(self, sources: Any) -> Any:
        """Weights times the means of temporal models, shape (dataset, component)."""
        if self.intervals is None:
            return self.weight
        by_dataset = jax.vmap(temporal_factor, in_axes=(None, 0))
        factor = jax.vmap(by_dataset, in_axes=(0, None))(sources, self.intervals)
        return self.weight * factor.T


class SpectrumTerm(MatrixTerm):
    """The part of a likelihood that belongs to a batch of counts spectra.

    Attributes
    ----------
    energy_min, energy_max : array, shape (axis, energy_true)
        Edges of the different axes of true energy, in TeV; padded bins have no width.
    axis : array of int, shape (dataset,)
    responses : tuple of `Response` or None
        One for each stack of components; None if none of it folds into these datasets.
    counts, counts_off, alpha, background : array, shape (dataset, energy)
    mask : array of bool, shape (dataset, energy)
        False where padded.
    kind : {"cash", "wstat"}
    nodes : int
        Quadrature nodes for spectra without a closed integral.
    """

    energy_min: Any
    energy_max: Any
    axis: Any
    responses: tuple[Response | None, ...]
    counts: Any
    counts_off: Any
    alpha: Any
    background: Any
    mask: Any
    kind: str = eqx.field(static=True)
    nodes: int = eqx.field(static=True)

    def predict(self, stacks: Sequence[Stack], values: Any, in_reverse: bool = False) -> Any:
        """Predicted signal counts, shape (dataset, energy)."""
        total = jnp.zeros(jnp.shape(self.counts)[-2:])
        for stack, response in zip(stacks, self.responses, strict=True):
            if response is None:
                continue
            flux = stack.map(
                values,
                lambda spectrum: spectrum.evaluate_integral(
                    self.energy_min, self.energy_max, nodes=self.nodes
                ),
            )
            sources = stack.at(values)
            weight = response.shares(sources)
            if response.fractions is not None:
                inside = response.fractions.at(sources)
                reaching = jnp.einsum("dk,dkt,kdt->dt", weight, inside, flux[:, self.axis])
            elif self.energy_min.shape[0] == 1:
                reaching = weight @ flux[:, 0]
            else:
                reaching = jnp.einsum("dk,kdt->dt", weight, flux[:, self.axis])
            total = total + jnp.einsum("dt,dtr->dr", reaching, response.matrix)
        return total

    def stat_array(self, mu: Any) -> Any:
        """The statistic of each bin, 0 where masked; shape (dataset, energy)."""
        if self.kind == "wstat":
            stat = wstat(self.counts, self.counts_off, self.alpha, mu)
        else:
            stat = cash(self.counts, mu + self.background)
        return jnp.where(self.mask, stat, 0.0)

    def level(self) -> Any:
        """What the counts alone add to `stat_array`, shape (dataset, energy).

        WStat has nothing of the kind.
        """
        known = cash_saturated(self.counts) if self.kind == "cash" else 0.0
        return jnp.where(self.mask, known, 0.0)

    def per_bin(self, mu: Any) -> PerBin:
        """The statistic of each bin with its derivatives by the signal, 0 where masked."""
        if self.kind == "wstat":
            found = wstat_per_bin(self.counts, self.counts_off, self.alpha, mu)
        else:
            found = cash_per_bin(self.counts, mu + self.background)
        return PerBin(*(jnp.where(self.mask, part, 0.0) for part in found))

    def expected(self, mu: Any, background: Any = None) -> tuple[Any, Any]:
        """Expected on and off counts of each bin, for a signal and a background.

        ``background`` is the one expected in the on region; by default the known one (Cash),
        or the one that maximises the likelihood of the data (WStat).
        """
        if self.kind == "cash":
            on = mu + (self.background if background is None else background)
            return on, jnp.zeros_like(on)
        if background is None:
            off = wstat_background(self.counts, self.counts_off, self.alpha, mu)
        else:
            off = background / self.alpha
        return mu + self.alpha * off, off

    def with_counts(self, counts: Any, counts_off: Any) -> SpectrumTerm:
        """The term with other data, shape (dataset, energy); traceable."""
        return eqx.tree_at(lambda t: (t.counts, t.counts_off), self, (counts, counts_off))

    def negative_bins(self, mu: Any) -> Any:
        """The number of bins in which signal and background together are negative."""
        if self.kind == "wstat":
            least = jnp.where(self.counts > 0, 0.0, self.alpha * self.counts_off)
            negative = mu * (1 + self.alpha) < -least
            negative = negative & (self.counts <= 0)
        else:
            negative = mu + self.background < 0
        return jnp.sum(self.mask & negative)


def npred_signal(dataset: Any, models: Models) -> np.ndarray:
    """Predicted signal counts of models in all bins of a dataset, shape (energy,)."""
    term, stacks = single_term(dataset, models)
    values = np.array([row.value for row in models.parameters])
    return np.asarray(_predict(term, stacks, values))[0]


@program
def _predict(term: SpectrumTerm, stacks: tuple[Stack, ...], values: Any) -> Any:
    return term.predict(stacks, values)


def single_term(dataset: Any, models: Models) -> tuple[SpectrumTerm, tuple[Stack, ...]]:
    """The term of one dataset with all of its bins, and the stacks to fold into it."""
    everything = np.ones(dataset.energy.nbin, dtype=bool)
    whole = dataset.replace(mask_safe=everything, mask_fit=everything)
    groups = stack_components(models)
    return build_term([whole], groups), tuple(stack for stack, _ in groups)


def build_terms(
    datasets: Sequence[Any], groups: Sequence[Any]
) -> list[tuple[SpectrumTerm, Any]]:
    """Terms for any number of spectra, each with the datasets in it.

    Datasets of similar size share a term, so the number of terms (and with it the time to
    compile) does not grow with the number of datasets.
    """
    terms = []
    for kind in (SpectrumDatasetOnOff, SpectrumDataset):
        batch = [dataset for dataset in datasets if type(dataset) is kind]
        terms += [(build_term(part, groups), part) for part in _similar(batch)]
    return terms


def _similar(datasets: Sequence[Any]) -> list[list[Any]]:
    """Datasets in groups that waste little when padded to the largest of the group."""

    def size(dataset: Any) -> tuple[int, int]:
        return dataset.energy_true.nbin, int(dataset.mask.sum())

    groups: list[list[Any]] = []
    for dataset in sorted(datasets, key=lambda d: (np.prod(size(d)), size(d)), reverse=True):
        for group in groups:
            most = np.max([size(d) for d in [*group, dataset]], axis=0)
            if np.prod(most) <= SPLIT_WASTE * max(np.prod(size(dataset)), 1):
                group.append(dataset)
                break
        else:
            groups.append([dataset])
    order = {id(dataset): i for i, dataset in enumerate(datasets)}
    return [sorted(group, key=lambda d: order[id(d)]) for group in groups]


def build_term(datasets: Sequence[Any], groups: Sequence[Any]) -> SpectrumTerm:
    """One padded term of datasets of the same kind."""
    on_off = isinstance(datasets[0], SpectrumDatasetOnOff)
    size = max(max(int(dataset.mask.sum()) for dataset in datasets), 1)

    def packed(what: str, fill: float = 0.0) -> np.ndarray:
        rows = np.full((len(datasets), size), fill)
        for row, dataset in zip(rows, datasets, strict=True):
            kept = getattr(dataset, what)[dataset.mask]
            row[: kept.size] = kept
        return rows

    edges, axis = _axes(datasets)
    mask = np.zeros((len(datasets), size), dtype=bool)
    for row, dataset in zip(mask, datasets, strict=True):
        row[: int(dataset.mask.sum())] = True
    return SpectrumTerm(
        energy_min=edges[:, :-1],
        energy_max=edges[:, 1:],
        axis=axis,
        responses=_responses(datasets, groups, edges.shape[1] - 1, size),
        counts=packed("counts"),
        counts_off=packed("counts_off") if on_off else np.zeros(mask.shape),
        alpha=packed("alpha", 1.0) if on_off else np.ones(mask.shape),
        background=np.zeros(mask.shape) if on_off else packed("background"),
        mask=mask,
        kind=datasets[0].stat_type,
        nodes=nodes_for(float((edges[:, 1:] / edges[:, :-1]).max())),
    )


def _axes(datasets: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The different true-energy edges, padded with bins of no width, and each one's number."""
    known: list[np.ndarray] = []
    number = []
    for dataset in datasets:
        edges = dataset.energy_true.edges
        for i, other in enumerate(known):
            if other.shape == edges.shape and np.array_equal(other, edges):
                number.append(i)
                break
        else:
            number.append(len(known))
            known.append(edges)
    most = max(edges.size for edges in known)
    padded = np.stack([np.pad(edges, (0, most - edges.size), mode="edge") for edges in known])
    return padded, np.array(number, dtype=np.int64)


def _responses(
    datasets: Sequence[Any], groups: Sequence[Any], n_true: int, n_reco: int
) -> tuple[Response | None, ...]:
    made: dict[tuple[bool, bool], np.ndarray] = {}
    responses: list[Response | None] = []
    for stack, components in groups:
        if not any(c.folds_into(d.name) for c in components for d in datasets):
            responses.append(None)
            continue
        flags = (components[0].irf_applies("exposure"), components[0].irf_applies("edisp"))
        if flags not in made:
            made[flags] = _matrices(datasets, flags, n_true, n_reco)
        weight = [[float(c.folds_into(d.name)) for c in components] for d in datasets]
        intervals = intervals_of(datasets, components) if has_times(components) else None
        fractions = region_fractions(datasets, stack, components, n_true)
        responses.append(Response(made[flags], np.array(weight), intervals, fractions))
    return tuple(responses)


def _matrices(
    datasets: Sequence[Any], flags: tuple[bool, bool], n_true: int, n_reco: int
) -> np.ndarray:
    with_exposure, with_edisp = flags
    matrices = np.zeros((len(datasets), n_true, n_reco))
    for matrix, dataset in zip(matrices, datasets, strict=True):
        edisp = dataset.edisp
        if not with_edisp:
            edisp = EDispKernel.from_diagonal(dataset.energy_true, dataset.energy)
        exposure = dataset.exposure if with_exposure else np.ones(dataset.energy_true.nbin)
        response = exposure[:, None] * edisp.matrix[:, dataset.mask]
        matrix[: response.shape[0], : response.shape[1]] = response
    return matrices
