"""Expected errors of planned observations, and how they change with the plan."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.datasets import Datasets
from gammajax.estimators.information import information, live_seconds, prior_information
from gammajax.fold import FoldOptions
from gammajax.inference.covariance import invert
from gammajax.models import Models
from gammajax.units import to_value


@dataclass(frozen=True, eq=False, kw_only=True)
class Forecast:
    r"""Expected covariance of parameters for a plan of observations.

    Attributes
    ----------
    names, units : tuple of str
        The free parameters.
    values : array, shape (parameter,)
        The truth.
    rates : array, shape (observation, parameter, parameter)
        Fisher information of each second of an observation.
    livetimes : array, shape (observation,)
        In s.
    prior : array, shape (parameter, parameter)
        Information of priors.
    notes : tuple of str
        What is odd about the plan, in words.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    values: np.ndarray
    rates: np.ndarray
    livetimes: np.ndarray
    prior: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def fisher(self) -> np.ndarray:
        """The information of the whole plan, priors included."""
        return np.tensordot(self.livetimes, self.rates, axes=1) + self.prior

    @property
    def covariance(self) -> np.ndarray:
        """The inverse of the information; NaN where the plan does not determine all."""
        return invert(self.fisher)

    @property
    def errors(self) -> np.ndarray:
        """Expected standard deviations."""
        return np.sqrt(np.diag(self.covariance))

    def error_gradient(self) -> np.ndarray:
        r"""The change of each error with each live time, shape (parameter, observation), by s.

        .. math:: \frac{d\sigma_i}{dt_k} = -\frac{(C F_k C)_{ii}}{2 \sigma_i}
        """
        covariance = self.covariance
        change = np.einsum("ij,kjl,li->ik", covariance, self.rates, covariance)
        return -change / (2 * self.errors[:, None])

    def with_livetimes(self, livetimes: Any) -> Forecast:
        """The same observations with other live times (s, or a quantity)."""
        return dataclasses.replace(self, livetimes=seconds_of(livetimes, len(self.rates)))

    def to_table(self) -> Any:
        """A row for each parameter: name, value, error, unit, relative error."""
        from astropy.table import Table

        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.abs(self.errors / self.values)
        return Table(
            {"name": self.names, "value": self.values, "error": self.errors,
             "relative": relative, "unit": self.units}
        )  # fmt: skip

    def __repr__(self) -> str:
        hours = self.livetimes.sum() / 3600
        lines = [f"Forecast({len(self.livetimes)} observations, {hours:.4g} h)"]
        width = max(len(name) for name in self.names)
        rows = zip(self.names, self.values, self.errors, self.units, strict=True)
        lines += [f"  {n:<{width}}  {v:.4g} +- {e:.2g} {u}".rstrip() for n, v, e, u in rows]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def forecast(
    datasets: Any, models: Any, livetimes: Any = None, *, fold: FoldOptions | None = None
) -> Forecast:
    """The covariance that datasets like these would give, without simulating any.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`, or an iterable of datasets
        Spectra or cubes with their responses and backgrounds; counts do not matter, but off
        counts are taken for those expected.
    models : `~gammajax.models.Models`
        The truth; what is free is what would be fitted.
    livetimes : array in s, or `~astropy.units.Quantity`, optional
        Planned ones, of each dataset; exposures and backgrounds grow with them. Those of the
        datasets by default.
    fold : `~gammajax.fold.FoldOptions`, optional

    Returns
    -------
    found : `Forecast`

    Examples
    --------
    >>> from gammajax.models import Models, PowerLawSpectralModel, SkyModel
    >>> from gammajax.simulate import simulate_on_off
    >>> models = Models([SkyModel(PowerLawSpectralModel(amplitude=4e-11), name="crab")])
    >>> datasets = simulate_on_off(models, n_observations=2, livetime="30 min", seed=1)
    >>> one, four = (forecast(datasets, models, [t, t]) for t in (3600, 4 * 3600))
    >>> (one.errors / four.errors).round(6).tolist()
    [2.0, 2.0]
    """
    datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
    models = models if isinstance(models, Models) else Models(models)
    own = np.array([live_seconds(dataset) for dataset in datasets])
    found = [information(dataset, models, fold) for dataset in datasets]
    rates = np.stack([fisher for fisher, _ in found]) / own[:, None, None]
    planned = own if livetimes is None else seconds_of(livetimes, len(own))
    notes = [
        f"{dataset.name} is expected to see no counts, and says nothing"
        for dataset, (_, counts) in zip(datasets, found, strict=True)
        if not counts > 0
    ]
    return made_forecast(models, rates, planned, notes)


def made_forecast(
    models: Models, rates: np.ndarray, livetimes: np.ndarray, notes: list[str]
) -> Forecast:
    """A forecast, with a note on what is not determined."""
    rows = [models.parameters[name] for name in models.parameters.free_names]
    if not rows:
        raise ValueError("all parameters are frozen or linked: thaw one to forecast its error")
    made = Forecast(
        names=tuple(row.name for row in rows),
        units=tuple(row.unit for row in rows),
        values=np.array([row.value for row in rows]),
        rates=rates,
        livetimes=livetimes,
        prior=prior_information(models),
        notes=tuple(notes),
    )
    if np.all(np.isfinite(made.errors)):
        return made
    blind = [n for n, f in zip(made.names, np.diag(made.fisher), strict=True) if not f > 0]
    text = f"nothing is learned of {', '.join(blind)}" if blind else "some are degenerate"
    note = f"the plan does not determine all parameters: {text}"
    return dataclasses.replace(made, notes=(*made.notes, note))


def seconds_of(livetimes: Any, number: int) -> np.ndarray:
    seconds = to_value(livetimes, "s", where="livetimes")
    if seconds.shape not in ((), (number,)) or not np.all(seconds >= 0):
        raise ValueError(
            f"livetimes: got {seconds} s, expected {number} numbers of 0 or more, or one"
        )
    return np.broadcast_to(seconds, (number,)).copy()
