"""Samples of a posterior: their summary, and their files."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.models import Models


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws from a posterior.

    Attributes
    ----------
    names : tuple of str
        The free parameters, and after them the hyper-parameters of populations.
    units : tuple of str
    samples : array, shape (chain, draw, parameter)
        In canonical units.
    sample_stats : dict of arrays, shape (chain, draw)
        ``diverging``, ``accept_prob``, ``n_leapfrog`` and ``lp`` from NUTS.
    settings : dict
        How the draws were made: method, chains, warm-up, seed, seconds.
    likelihood : `~gammajax.inference.Likelihood` or None
        None for a posterior read from a file.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    samples: np.ndarray
    sample_stats: dict[str, np.ndarray] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    likelihood: Any = None

    @property
    def flat(self) -> np.ndarray:
        """All chains in one: shape (draw, parameter)."""
        return self.samples.reshape(-1, self.samples.shape[-1])

    @property
    def theta(self) -> np.ndarray:
        """Draws of the free parameters of the likelihood, without hyper-parameters."""
        return self.flat[:, : self._likelihood().n_free]

    @property
    def n_divergent(self) -> int:
        """The number of divergent transitions."""
        return int(np.sum(self.sample_stats.get("diverging", 0)))

    @cached_property
    def ess(self) -> np.ndarray:
        """Effective number of independent draws of each parameter."""
        from numpyro.diagnostics import effective_sample_size

        return np.asarray(effective_sample_size(self.samples))

    @cached_property
    def r_hat(self) -> np.ndarray:
        """Split Gelman-Rubin statistic of each parameter; 1 for chains that agree."""
        from numpyro.diagnostics import split_gelman_rubin

        return np.asarray(split_gelman_rubin(self.samples))

    @property
    def mean(self) -> np.ndarray:
        """Posterior means."""
        return self.flat.mean(axis=0)

    @property
    def covariance(self) -> np.ndarray:
        """Posterior covariance."""
        return np.atleast_2d(np.cov(self.flat, rowvar=False))

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            raise ValueError(f"no parameter {name!r}; there are: {', '.join(self.names)}")
        return self.samples[..., self.names.index(name)]

    def summary(self, hdi_prob: float = 0.68) -> list[dict[str, Any]]:
        """A row for each parameter: mean, sd, highest-density interval, ess, r_hat."""
        from numpyro.diagnostics import hpdi

        edges = np.asarray(hpdi(self.flat, prob=hdi_prob))
        spread = self.flat.std(axis=0, ddof=1)
        return [
            {
                "name": name,
                "unit": self.units[i],
                "mean": float(self.mean[i]),
                "sd": float(spread[i]),
                "hdi_low": float(edges[0, i]),
                "hdi_high": float(edges[1, i]),
                "ess": float(self.ess[i]),
                "r_hat": float(self.r_hat[i]),
            }
            for i, name in enumerate(self.names)
        ]

    def to_table(self, hdi_prob: float = 0.68) -> Any:
        """The summary as an `~astropy.table.Table`."""
        from astropy.table import Table

        table = Table(rows=self.summary(hdi_prob))
        formats = {"ess": ".0f", "r_hat": ".4f", "name": None, "unit": None}
        for column in table.columns.values():
            column.format = formats.get(column.name, ".4e")
        return table

    def problems(self) -> list[str]:
        """What is wrong with the draws, in words; empty if nothing is."""
        found = []
        if self.n_divergent:
            found.append(f"{self.n_divergent} divergent transitions")
        worst = int(np.nanargmax(self.r_hat)) if np.any(np.isfinite(self.r_hat)) else -1
        if worst < 0 or not self.r_hat[worst] < 1.01:
            value = self.r_hat[worst]
            found.append(f"R-hat of {self.names[worst]} is {value:.3f}, expected below 1.01")
        low = int(np.nanargmin(self.ess))
        if self.ess[low] < 400:
            found.append(
                f"{self.names[low]} has {self.ess[low]:.0f} effective draws, expected 400 "
                "or more"
            )
        return found

    def models(self) -> Models:
        """The models at the posterior mean, with the posterior covariance."""
        covariance = np.atleast_2d(np.cov(self.theta, rowvar=False))
        return self._likelihood().models_at(self.theta.mean(axis=0), covariance)

    def _likelihood(self) -> Any:
        if self.likelihood is None:
            raise ValueError("this posterior was read from a file and has no likelihood")
        return self.likelihood

    def to_arviz(self) -> Any:
        """The draws as ArviZ data: InferenceData (ArviZ 0.x) or a DataTree (1.x)."""
        az = _arviz()
        groups = {
            "posterior": {name: self[name] for name in self.names},
            "sample_stats": {
                key: np.asarray(value) for key, value in self.sample_stats.items()
            },
        }
        groups = {key: value for key, value in groups.items() if value}
        if int(az.__version__.split(".")[0]) < 1:
            return az.from_dict(**groups)
        return az.from_dict(groups)

    def save(self, path: str | Path) -> Path:
        """Write the draws as a Zarr folder that ArviZ and xarray open.

        Raises
        ------
        ValueError
            If something is there already.
        """
        import xarray as xr

        path = Path(path)
        if path.exists():
            raise ValueError(f"{path}: exists already; remove it or choose another name")
        dims = ("chain", "draw")
        sizes = self.samples.shape[:2]
        coords = {dim: np.arange(size) for dim, size in zip(dims, sizes, strict=True)}
        posterior = xr.Dataset(
            {
                name: (dims, self[name], {"unit": self.units[i]})
                for i, name in enumerate(self.names)
            },
            coords=coords,
            attrs={"settings": json.dumps(self.settings), "names": list(self.names)},
        )
        stats = xr.Dataset(
            {key: (dims, np.asarray(value)) for key, value in self.sample_stats.items()},
            coords=coords,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
            tree.to_zarr(path, consolidated=False)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Posterior:
        """Read what `save` wrote."""
        import xarray as xr

        path = Path(path)
        if not (path / "posterior").is_dir():
            raise ValueError(f"{path}: is no posterior folder (it has no group 'posterior')")
        posterior = xr.open_zarr(path, group="posterior", consolidated=False)
        stats = xr.open_zarr(path, group="sample_stats", consolidated=False)
        names = tuple(str(name) for name in posterior.attrs["names"])
        return cls(
            names=names,
            units=tuple(str(posterior[name].attrs.get("unit", "")) for name in names),
            samples=np.stack([posterior[name].to_numpy() for name in names], axis=-1),
            sample_stats={str(key): stats[key].to_numpy() for key in stats.data_vars},
            settings=json.loads(posterior.attrs.get("settings", "{}")),
        )

    def __repr__(self) -> str:
        chains, draws, _ = self.samples.shape
        lines = self.to_table().pformat(max_lines=-1, max_width=-1)
        trouble = "; ".join(self.problems()) or "no problems found"
        return "\n".join([f"Posterior: {chains} chains x {draws} draws, {trouble}", *lines])

    def _repr_html_(self) -> str:
        trouble = "; ".join(self.problems()) or "no problems found"
        return f"<p><b>Posterior</b>: {trouble}</p>{self.to_table()._repr_html_()}"


def _arviz() -> Any:
    with warnings.catch_warnings():  # ArviZ 0.x announces its own future on import
        warnings.simplefilter("ignore")
        import arviz
    return arviz
