"""The bins in which the responses of a run can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.data import Observation
from gammajax.makers.field import pointing_of
from gammajax.makers.region import region_of
from gammajax.maps import Map
from gammajax.units import to_value

METHODS = ("offset-max", "aeff-default", "aeff-max", "edisp-bias", "bkg-peak")


@dataclass(frozen=True)
class SafeMaskMaker:
    """Restrict ``mask_safe`` by one or several rules.

    Parameters
    ----------
    methods : tuple of str
        - ``"offset-max"``: pixels nearer to the pointing than ``offset_max``;
        - ``"aeff-default"``: energy bins within LO_THRES and HI_THRES of the effective area;
        - ``"aeff-max"``: energy bins above the energy from which the effective area is
          ``aeff_percent`` of its maximum or more; of a spectrum, the area in its region;
        - ``"edisp-bias"``: energy bins above the energy from which the energy bias is
          ``bias_percent`` or less;
        - ``"bkg-peak"``: energy bins from the one with the most background on.

        A bin is kept if it lies wholly in the range of energies.
    offset_max : float in deg or `~astropy.units.Quantity`
    aeff_percent, bias_percent : float
    position : `~astropy.coordinates.SkyCoord`, optional
        Where effective area and bias are taken; by default in the middle of the map or of
        the on region.
    fixed_offset : float in deg or `~astropy.units.Quantity`, optional
        Instead of a position: the distance from the pointing.

    Raises
    ------
    ValueError
        If a method is unknown, or both a position and an offset are given.

    Examples
    --------
    >>> from gammajax.makers import SafeMaskMaker
    >>> SafeMaskMaker(methods=("offset-max", "aeff-default"), offset_max="2.5 deg").offset_max
    2.5
    """

    methods: tuple[str, ...] = ("aeff-default",)
    offset_max: Any = 3.0
    aeff_percent: float = 10.0
    bias_percent: float = 10.0
    position: Any = None
    fixed_offset: Any = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.methods if name not in METHODS]
        if unknown or isinstance(self.methods, str):
            raise ValueError(
                f"SafeMaskMaker: methods are {self.methods!r}, expected a list of some of "
                f"{', '.join(METHODS)}"
            )
        if self.position is not None and self.fixed_offset is not None:
            raise ValueError(
                "SafeMaskMaker: position and fixed_offset are both given; leave one out"
            )
        object.__setattr__(self, "methods", tuple(self.methods))
        for name in ("offset_max", "fixed_offset"):
            value = getattr(self, name)
            if value is not None:
                number = float(to_value(value, "deg", where=f"SafeMaskMaker: {name}"))
                object.__setattr__(self, name, number)

    def run(self, dataset: Any, observation: Observation) -> Any:
        """The dataset with what the rules leave of its ``mask_safe``.

        Parameters
        ----------
        dataset : `~gammajax.datasets.MapDataset` or `~gammajax.datasets.SpectrumDataset`
            Or their kinds with off counts. The offset of a spectrum is that of the middle of
            its region.
        observation : `~gammajax.data.Observation`
        """
        low, high = self.energy_range(dataset, observation)
        kept = dataset.energy.mask(low, high)
        if not hasattr(dataset, "geom"):
            away = region_of(dataset).separation(pointing_of(observation)).item()
            near = "offset-max" not in self.methods or away < self.offset_max
            return dataset.replace(mask_safe=dataset.mask_safe & kept & near)
        mask = np.ones(dataset.geom.data_shape, dtype=bool)
        if dataset.mask_safe is not None:
            mask &= np.asarray(dataset.mask_safe.data)
        if "offset-max" in self.methods:
            mask &= dataset.geom.to_image().separation(pointing_of(observation)) < (
                self.offset_max
            )
        mask &= kept.reshape((-1,) + (1,) * (mask.ndim - 1))
        return dataset.replace(mask_safe=Map.from_geom(dataset.geom, data=mask))

    def energy_range(self, dataset: Any, observation: Observation) -> tuple[float, float]:
        """The energies, in TeV, that the rules leave."""
        low, high = 0.0, float("inf")
        if "aeff-default" in self.methods:
            low, high = observation.energy_range
        if "aeff-max" in self.methods:
            low = max(low, self._area_threshold(dataset, observation))
        if "edisp-bias" in self.methods:
            low = max(low, self._bias_threshold(dataset, observation))
        if "bkg-peak" in self.methods:
            data = _background(dataset)
            peak = int(data.reshape(data.shape[0], -1).sum(axis=1).argmax())
            low = max(low, float(dataset.energy.edges_min[peak]))
        return low, high

    def _offset(self, dataset: Any, observation: Observation) -> float:
        if self.fixed_offset is not None:
            return self.fixed_offset
        geom = dataset.geom if hasattr(dataset, "geom") else region_of(dataset)
        position = geom.center_skydir if self.position is None else self.position
        return float(pointing_of(observation).separation(position.icrs).deg)

    def _area_threshold(self, dataset: Any, observation: Observation) -> float:
        """Where the area passes a part of its maximum for the first time."""
        if not hasattr(dataset, "geom") and self.position is self.fixed_offset is None:
            return self._spectrum_threshold(dataset)
        energy = observation.aeff.axis("energy_true").center
        offset = self._offset(dataset, observation)
        area = observation.aeff.evaluate(energy_true=energy, offset=offset).to_value("cm2")
        wanted = self.aeff_percent / 100 * area.max()
        above = int((area >= wanted).argmax())
        return _crossing(energy, area, above, wanted)

    def _spectrum_threshold(self, dataset: Any) -> float:
        """As `_area_threshold`, of the area in a region: a power law between true bins."""
        area = np.asarray(dataset.exposure)
        if not area.any():
            raise ValueError(
                f"dataset {dataset.name!r}: has no exposure, of which 'aeff-max' takes a part; "
                "run SpectrumDatasetMaker before"
            )
        with np.errstate(divide="ignore"):
            log = np.log(area / area.max())
        wanted = np.log(self.aeff_percent / 100)
        above = int((log >= wanted).argmax())
        return _crossing(dataset.energy_true.center, log, above, wanted)

    def _bias_threshold(self, dataset: Any, observation: Observation) -> float:
        """Where the bias passes a value for the last time."""
        energy = observation.edisp.axis("energy_true").center
        bias = observation.edisp.bias(energy, self._offset(dataset, observation))
        wanted = self.bias_percent / 100
        large = np.nonzero(bias > wanted)[0]
        last = int(large[-1]) + 1 if large.size else 0
        if last == energy.size:
            raise ValueError(
                f"run {observation.obs_id}: its energy bias is above {self.bias_percent:g} % "
                "at all energies; raise bias_percent"
            )
        return _crossing(energy, bias, last, wanted)


def _background(dataset: Any) -> np.ndarray:
    """The background counts of a cube or of a spectrum.

    Raises
    ------
    ValueError
        If there are none.
    """
    is_cube = hasattr(dataset, "geom")
    data = np.asarray(dataset.background_data if is_cube else dataset.background)
    if not data.any():
        raise ValueError(
            f"dataset {dataset.name!r}: has no background, of which 'bkg-peak' takes the "
            "largest; use another method"
        )
    return data


def _crossing(energy: np.ndarray, values: np.ndarray, index: int, wanted: float) -> float:
    """Where a line in ln E from one node before ``index`` to it has the value wanted."""
    if index == 0 or not np.isfinite(values[index - 1]):
        return float(energy[index])
    before, after = values[index - 1], values[index]
    share = (wanted - before) / (after - before)
    return float(energy[index - 1] * (energy[index] / energy[index - 1]) ** share)
