"""The part of a likelihood that belongs to flux points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.config import program
from gammajax.fold.matrix_term import MatrixTerm
from gammajax.fold.stack import Stack, stack_components
from gammajax.models import Models
from gammajax.models.spectral.quadrature import nodes_for
from gammajax.stats import PerBin, chi2_asymmetric


class FluxPointsTerm(MatrixTerm):
    """Flux points of one quantity, of any number of datasets.

    Attributes
    ----------
    energy, energy_min, energy_max : array, shape (dataset, point), in TeV
    value, error_low, error_high : array, shape (dataset, point)
    weights : tuple of array, shape (dataset, component)
        One for each stack: 1 where a component belongs to the points, else 0.
    mask : array of bool, shape (dataset, point)
        False where padded.
    sed_type : {"dnde", "e2dnde", "flux", "eflux"}
    nodes : int
        Quadrature nodes for spectra without a closed integral.
    """

    energy: Any
    energy_min: Any
    energy_max: Any
    value: Any
    error_low: Any
    error_high: Any
    weights: tuple[Any, ...]
    mask: Any
    sed_type: str = eqx.field(static=True)
    nodes: int = eqx.field(static=True)

    def predict(self, stacks: Sequence[Stack], values: Any, in_reverse: bool = False) -> Any:
        """What the models predict for each point, shape (dataset, point)."""
        total = jnp.zeros(jnp.shape(self.mask))
        for stack, weight in zip(stacks, self.weights, strict=True):
            if weight is not None:
                total = total + jnp.einsum("dk,kdp->dp", weight, stack.map(values, self._of))
        return total

    def _of(self, spectrum: Any) -> Any:
        if self.sed_type in ("dnde", "e2dnde"):
            dnde = spectrum.evaluate(jnp.asarray(self.energy))
            return dnde if self.sed_type == "dnde" else self.energy**2 * dnde
        edges = jnp.asarray(self.energy_min), jnp.asarray(self.energy_max)
        if self.sed_type == "flux":
            return spectrum.evaluate_integral(*edges, nodes=self.nodes)
        return spectrum.evaluate_energy_flux(*edges, nodes=self.nodes)

    def stat_array(self, mu: Any) -> Any:
        """Chi-squared of each point, 0 where masked."""
        stat = chi2_asymmetric(self.value, self.error_low, self.error_high, mu)
        return jnp.where(self.mask, stat, 0.0)

    def level(self) -> Any:
        """What the data alone add to `stat_array`: nothing."""
        return jnp.zeros(())

    def per_bin(self, mu: Any) -> PerBin:
        """Chi-squared of each point with its derivatives by the prediction."""
        error = jnp.where(mu < self.value, self.error_low, self.error_high)
        bend = 2 / error**2
        found = PerBin(self.stat_array(mu), bend * (mu - self.value), bend, bend)
        return PerBin(*(jnp.where(self.mask, part, 0.0) for part in found))

    def negative_bins(self, mu: Any) -> Any:
        """None: a chi-squared is a statistic at any prediction."""
        return jnp.zeros((), dtype=int)


def build_flux_terms(
    datasets: Sequence[Any], groups: Sequence[Any]
) -> list[tuple[FluxPointsTerm, Any]]:
    """Terms for flux points, one for each quantity, each with the datasets in it."""
    batches: dict[str, list[Any]] = {}
    for dataset in datasets:
        batches.setdefault(dataset.data.sed_type, []).append(dataset)
    return [(build_flux_term(batch, groups), batch) for batch in batches.values()]


def build_flux_term(
    datasets: Sequence[Any], groups: Sequence[Any], every_point: bool = False
) -> FluxPointsTerm:
    """The term of flux points of one quantity.

    Parameters
    ----------
    datasets : sequence of `~gammajax.datasets.FluxPointsDataset`
    groups : sequence of (stack, components)
    every_point : bool
        Predict all points, and not those of the masks.
    """
    kept = [np.nonzero(dataset.mask | every_point)[0] for dataset in datasets]
    shape = len(datasets), max(max(points.size for points in kept), 1)
    mask = np.zeros(shape, dtype=bool)
    # what is padded has a place on the axis of energy, and an error
    packed = {name: np.full(shape, fill) for name, fill in FILL.items()}
    for row, (dataset, points) in enumerate(zip(datasets, kept, strict=True)):
        mask[row, : points.size] = True
        data = dataset.data
        value, low, high = dataset.gaussian
        arrays = {
            "energy": data.energy_ref,
            "energy_min": data.energy_min,
            "energy_max": data.energy_max,
            "value": value,
            "error_low": low,
            "error_high": high,
        }
        for name, array in arrays.items():
            packed[name][row, : points.size] = array[points]
    weights = tuple(_weights(datasets, parts) for _, parts in groups)
    ratio = packed["energy_max"] / packed["energy_min"]
    widest = np.nanmax(ratio, initial=2.0)
    return FluxPointsTerm(
        **packed,
        weights=weights,
        mask=mask,
        sed_type=datasets[0].data.sed_type,
        nodes=nodes_for(float(widest)),
    )


FILL = {
    "energy": 1.0,
    "energy_min": 1.0,
    "energy_max": 2.0,
    "value": 0.0,
    "error_low": 1.0,
    "error_high": 1.0,
}


def _weights(datasets: Sequence[Any], components: Sequence[Any]) -> np.ndarray | None:
    """Which components belong to which points; None if none does.

    Raises
    ------
    ValueError
        If a spectrum has no unit of its own, as that of a template's norm, and belongs to any.
    """
    weight = np.array([[float(c.folds_into(d.name)) for c in components] for d in datasets])
    for row, column in np.argwhere(weight):
        component = components[column]
        if component.spectral_model.is_norm:
            raise ValueError(
                f"component {component.name!r} has a norm for a spectrum, which is no flux, "
                f"and {datasets[row].name!r} has flux points; give the component "
                "datasets_names of other datasets"
            )
    return weight if weight.any() else None


def flux_prediction(dataset: Any, models: Models) -> np.ndarray:
    """What models predict for each of the points of a dataset, shape (point,)."""
    groups = stack_components(models)
    term = build_flux_term([dataset], groups, every_point=True)
    values = np.array([row.value for row in models.parameters])
    return np.asarray(_predict(term, tuple(stack for stack, _ in groups), values))[0]


@program
def _predict(term: FluxPointsTerm, stacks: tuple[Stack, ...], values: Any) -> Any:
    return term.predict(stacks, values)
