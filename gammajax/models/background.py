"""Components that scale counts that are already in the bins of a map."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np

from gammajax.maps import Map
from gammajax.models.base import Model
from gammajax.models.sky import dataset_names
from gammajax.models.spatial.base import SpatialModel
from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.norm import PowerLawNormSpectralModel


class BackgroundModel(Model):
    """What the components that scale counts share: a factor, and where it applies."""

    spectral_model: SpectralModel = eqx.field(metadata={"prefix": "spectral"})
    spatial_model: SpatialModel | None = eqx.field(metadata={"prefix": "spatial"})
    datasets_names: tuple[str, ...] | None = eqx.field(static=True)
    name: str = eqx.field(static=True)

    def _check(self) -> None:
        where = f"{type(self).__name__} {self.name!r}"
        if not isinstance(self.spectral_model, SpectralModel):
            raise ValueError(
                f"{where}: spectral_model is a {type(self.spectral_model).__name__}, expected "
                "a SpectralModel"
            )
        if not self.spectral_model.is_norm:
            raise ValueError(
                f"{where}: {type(self.spectral_model).__name__} has the unit of a flux, "
                "expected a factor, such as PowerLawNormSpectralModel"
            )
        if not (self.spatial_model is None or isinstance(self.spatial_model, SpatialModel)):
            raise ValueError(
                f"{where}: spatial_model is a {type(self.spatial_model).__name__}, expected "
                "a SpatialModel"
            )

    def folds_into(self, dataset_name: str) -> bool:
        """Whether the component contributes to the dataset of this name."""
        return self.datasets_names is None or dataset_name in self.datasets_names


class FoVBackgroundModel(BackgroundModel):
    r"""A factor on the background of one dataset.

    .. math:: \mu_b(E, p) = b(E, p) \, \phi(E) \, f(p)

    with the background b of the dataset, a factor :math:`\phi` at the middle of each bin of
    reconstructed energy, and another one f at the middle of each pixel.

    Parameters
    ----------
    spectral_model : `~gammajax.models.SpectralModel`, optional
        A factor without unit; a `~gammajax.models.PowerLawNormSpectralModel` by default.
    spatial_model : `~gammajax.models.SpatialModel`, optional
        Its value in sr-1 is taken as a number; 1 by default.
    datasets_names : str
        The dataset whose background it is.
    name : str, optional
        By default the dataset's name and ``-bkg``.

    Examples
    --------
    >>> from gammajax.models import FoVBackgroundModel
    >>> model = FoVBackgroundModel(datasets_names="run-1")
    >>> model.name, model.parameter_names
    ('run-1-bkg', ('spectral.tilt', 'spectral.norm', 'spectral.reference'))
    """

    def __init__(
        self,
        spectral_model: SpectralModel | None = None,
        spatial_model: SpatialModel | None = None,
        datasets_names: Any = None,
        name: str = "",
    ) -> None:
        if spectral_model is None:
            spectral_model = PowerLawNormSpectralModel()
        self.spectral_model = spectral_model
        self.spatial_model = spatial_model
        self.datasets_names = dataset_names(datasets_names)
        first = self.datasets_names[0] if self.datasets_names else ""
        self.name = name or f"{first}-bkg"

    def __check_init__(self) -> None:
        self._check()
        if self.datasets_names is None or len(self.datasets_names) != 1:
            raise ValueError(
                f"FoVBackgroundModel {self.name!r}: datasets_names is {self.datasets_names}, "
                "expected the name of one dataset"
            )


class TemplateNPredModel(BackgroundModel):
    """Counts in the bins of a dataset, times a factor.

    Parameters
    ----------
    map : `~gammajax.maps.Map`
        Predicted counts, on the geometry of the dataset.
    spectral_model : `~gammajax.models.SpectralModel`, optional
        A factor without unit; a `~gammajax.models.PowerLawNormSpectralModel` by default.
    spatial_model : `~gammajax.models.SpatialModel`, optional
        Another factor, its value in sr-1 taken as a number; 1 by default.
    datasets_names : tuple of str, optional
        The datasets that the counts are added to; all of them by default.
    name : str
    filename : str
        Where the map came from, for model files.

    Examples
    --------
    >>> from gammajax.maps import Map, MapAxis
    >>> from gammajax.models import TemplateNPredModel
    >>> energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    >>> model = TemplateNPredModel(Map.create(npix=3, axes=[energy]), name="protons")
    >>> model
    TemplateNPredModel(spectral.tilt=0, spectral.norm=1, spectral.reference=1 TeV)
    """

    values: Any = eqx.field()
    geom: Any = eqx.field(static=True)
    filename: str = eqx.field(static=True)

    def __init__(
        self,
        map: Map,
        spectral_model: SpectralModel | None = None,
        spatial_model: SpatialModel | None = None,
        datasets_names: Any = None,
        name: str = "template",
        filename: Any = "",
    ) -> None:
        if spectral_model is None:
            spectral_model = PowerLawNormSpectralModel()
        self.spectral_model = spectral_model
        self.spatial_model = spatial_model
        self.datasets_names = dataset_names(datasets_names)
        self.name = name
        self.values = map.data
        self.geom = map.geom
        self.filename = str(filename)

    def __check_init__(self) -> None:
        self._check()
        data = np.asarray(self.values)
        if not np.isfinite(data).all():
            raise ValueError(
                f"TemplateNPredModel {self.name!r}: the map has values that are not finite, "
                "expected counts"
            )
        if "energy" not in [axis.name for axis in self.geom.axes]:
            raise ValueError(
                f"TemplateNPredModel {self.name!r}: the map has the axes "
                f"{[axis.name for axis in self.geom.axes]}, expected 'energy'"
            )

    @property
    def map(self) -> Map:
        """The counts."""
        return Map.from_geom(self.geom, data=self.values)

    def replace(self, **values: Any) -> Any:
        """A new model with other fields; ``map`` stands for the counts."""
        names = ("map", "spectral_model", "spatial_model", "datasets_names", "name", "filename")
        for name in values:
            if name not in names:
                raise ValueError(
                    f"TemplateNPredModel: has no field {name!r}; it has {', '.join(names)}"
                )
        return type(self)(**({name: getattr(self, name) for name in names} | values))
