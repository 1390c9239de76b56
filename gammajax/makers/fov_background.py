"""The background of a field of view, scaled to the counts outside of known sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.makers.exclusion import outside
from gammajax.maps import Map
from gammajax.models import FoVBackgroundModel, Models

METHODS = ("scale", "fit")


@dataclass(frozen=True)
class FoVBackgroundMaker:
    """Scale the background of a dataset to its counts.

    Parameters
    ----------
    method : {"scale", "fit"}
        One factor, the ratio of counts and background; or a fit of ``spectral_model``.
    exclusion_mask : `~gammajax.maps.Map` of bool, optional
        An image that is false where there are sources. What it does not cover is used.
    spectral_model : `~gammajax.models.SpectralModel`, optional
        A norm as a function of energy, for ``"fit"``; by default a power law of which norm
        and tilt are free.
    min_counts, min_npred_background : float
        Fewer counts, or a smaller background, are an error.

    Raises
    ------
    ValueError
        If the method is unknown.

    Examples
    --------
    >>> from gammajax.makers import FoVBackgroundMaker
    >>> FoVBackgroundMaker().method
    'scale'
    """

    method: str = "scale"
    exclusion_mask: Any = None
    spectral_model: Any = None
    min_counts: float = 0.0
    min_npred_background: float = 0.0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                f"FoVBackgroundMaker: method is {self.method!r}, expected {', '.join(METHODS)}"
            )
        if self.method == "scale" and self.spectral_model is not None:
            raise ValueError(
                "FoVBackgroundMaker: the method 'scale' has one factor for all energies, and "
                "a spectral_model is given; use method='fit'"
            )

    def run(self, dataset: Any, observation: Any = None) -> Any:
        """The dataset with its background scaled; the factor is in ``meta``.

        Parameters
        ----------
        dataset : `~gammajax.datasets.MapDataset`
        observation : optional
            Is not used; all makers can be called alike.

        Raises
        ------
        ValueError
            If there is no background, no more than ``min_counts`` counts, or no more
            background than ``min_npred_background`` outside of the sources.
        """
        if dataset.background is None:
            raise ValueError(f"dataset {dataset.name!r}: has no background to scale")
        used = dataset.mask & outside(dataset.geom, self.exclusion_mask)
        counts = float(np.asarray(dataset.counts.data)[used].sum())
        background = float(dataset.background_data[used].sum())
        for what, found, least in (
            ("counts", counts, self.min_counts),
            ("background", background, self.min_npred_background),
        ):
            if not found > least:
                raise ValueError(
                    f"dataset {dataset.name!r}: {what} outside of the exclusion mask is "
                    f"{found:g}, expected more than {least:g}; leave the dataset out, or make "
                    "the excluded regions smaller"
                )
        if self.method == "scale":
            factor = np.full(dataset.energy.nbin, counts / background)
            told = {"norm": counts / background}
        else:
            factor, told = self._fitted(dataset, used)
        shape = (-1,) + (1,) * (dataset.background_data.ndim - 1)
        scaled = dataset.background.with_data(dataset.background_data * factor.reshape(shape))
        return dataset.replace(background=scaled, meta={**dataset.meta, "background": told})

    def _fitted(self, dataset: Any, used: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
        """The factor in each energy bin, and the parameters it comes from."""
        from gammajax.inference import Fit, Likelihood

        name = dataset.name
        component = FoVBackgroundModel(self.spectral_model, datasets_names=name, name="bkg")
        models = Models([component])
        if self.spectral_model is None:
            models = models.thaw("bkg.spectral.tilt")
        inside = dataset.replace(mask_fit=Map.from_geom(dataset.geom, data=used))
        result = Fit().run(Likelihood([inside], models))
        if not result.success:
            raise ValueError(
                f"dataset {name!r}: the fit of the background ended with {result.message!r}; "
                "use method='scale'"
            )
        fitted = result.models["bkg"].spectral_model
        values = {row.name.split(".")[-1]: row.value for row in result.models.parameters}
        return np.asarray(fitted(dataset.energy.center), dtype=float), values
