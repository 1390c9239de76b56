"""Counts cubes of single runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.data import Observation, fov_axes
from gammajax.datasets import MapDataset
from gammajax.irf import EDispKernelMap, PSFMap, project_background, project_exposure
from gammajax.irf.table import IRF
from gammajax.makers.field import field_steps, offset_axes, pointing_of
from gammajax.maps import Map

STEPS = 4
"""Lengths to which pixels are padded, in each factor of two."""

PARTS = ("counts", "exposure", "background", "psf", "edisp")


@dataclass(frozen=True)
class MapDatasetMaker:
    """Reduce runs to counts cubes, on the geometries of a given dataset.

    Parameters
    ----------
    selection : tuple of str
        What to make of counts, exposure, background, psf and edisp. The rest is left as it is
        in the given dataset.

    Raises
    ------
    ValueError
        If the selection names something else.

    Examples
    --------
    >>> from gammajax.makers import MapDatasetMaker
    >>> MapDatasetMaker(selection=("counts", "exposure"))
    MapDatasetMaker(selection=('counts', 'exposure'))
    """

    selection: tuple[str, ...] = PARTS

    def __post_init__(self) -> None:
        unknown = [name for name in self.selection if name not in PARTS]
        if unknown or not self.selection:
            raise ValueError(
                f"MapDatasetMaker: selection is {self.selection}, expected some of "
                f"{', '.join(PARTS)}"
            )
        object.__setattr__(self, "selection", tuple(self.selection))

    def run(self, dataset: MapDataset, observation: Observation) -> MapDataset:
        """The dataset of a run.

        Parameters
        ----------
        dataset : `~gammajax.datasets.MapDataset`
            Gives the name and the geometries; see `MapDataset.create`.
        observation : `~gammajax.data.Observation`

        Returns
        -------
        dataset : `~gammajax.datasets.MapDataset`
            With all of its bins in ``mask_safe``.

        Raises
        ------
        ValueError
            If the run lacks a response, the dataset a part that is selected, or the telescope
            moves over the sky during the run.
        """
        made: dict[str, Any] = {}
        if "counts" in self.selection:
            made["counts"] = self.make_counts(dataset.geom, observation)
        if "exposure" in self.selection:
            made["exposure"] = self.make_exposure(dataset.exposure.geom, observation)
        if "background" in self.selection:
            made["background"] = self.make_background(dataset.geom, observation)
        for name, make in (("psf", self.make_psf), ("edisp", self.make_edisp)):
            if name in self.selection:
                found = getattr(dataset, name)
                if found is None:
                    raise ValueError(
                        f"MapDatasetMaker: dataset {dataset.name!r} has no {name}, which says "
                        f"where to make it; take {name!r} out of the selection, or start from "
                        "MapDataset.create"
                    )
                made[name] = make(found.geom, observation)
        everywhere = np.ones(dataset.geom.data_shape, dtype=bool)
        return dataset.replace(
            **made,
            mask_safe=Map.from_geom(dataset.geom, data=everywhere),
            gti=observation.gti,
            meta={**dataset.meta, "obs_ids": [observation.obs_id]},
        )

    @staticmethod
    def make_counts(geom: Any, observation: Observation) -> Map:
        """The number of events in each bin."""
        events = observation.events
        return Map.from_geom(geom).fill_by_coord(events.map_coord(geom))

    @staticmethod
    def make_exposure(geom: Any, observation: Observation) -> Map:
        """Effective area times livetime at the pixel centres, in cm2 s."""
        image = geom.to_image()
        values = project_exposure(
            _table(observation, "aeff"),
            padded(image.unit_vectors().reshape(-1, 3)),
            offset_axes(observation, geom.frame),
            geom.axes["energy_true"].center,
            observation.livetime.to_value("s"),
        )
        return Map.from_geom(geom, data=_unpadded(values, geom), unit="cm2 s")

    @staticmethod
    def make_background(geom: Any, observation: Observation) -> Map:
        """Expected background counts in each bin.

        The rate is one of the ontime. Where it is tied to the horizon, the run is divided
        into parts in which the field of view turns by a degree at most.
        """
        table = _table(observation, "bkg")
        image = geom.to_image()
        vectors = padded(image.unit_vectors().reshape(-1, 3))
        area = padded(image.solid_angle().ravel())
        edges = geom.axes["energy"].edges
        total: Any = 0.0
        for frame, seconds in field_steps(observation, table.fov_alignment):
            axes = fov_axes(pointing_of(observation), table.fov_alignment, frame, geom.frame)
            total = total + project_background(table, vectors, axes, edges, area, seconds)
        return Map.from_geom(geom, data=_unpadded(total, geom))

    @staticmethod
    def make_psf(geom: Any, observation: Observation) -> PSFMap:
        """The point spread function at the pixels of a geometry with rad and energy_true."""
        table = _table(observation, "psf")
        image, true = geom.to_image(), geom.axes["energy_true"]
        values = table.evaluate(
            energy_true=true.center[:, None, None],
            rad=geom.axes["rad"].center[:, None],
            offset=padded(_offsets(image, observation).ravel()),
        ).to_value("sr-1")
        make: Any = PSFMap
        return make(
            Map.from_geom(geom, data=_unpadded(values, geom), unit="sr-1"),
            _exposure_of(geom, "rad", observation),
        )

    @staticmethod
    def make_edisp(geom: Any, observation: Observation) -> EDispKernelMap:
        """The dispersion at the pixels of a geometry with energy and energy_true."""
        table = _table(observation, "edisp")
        energy, true = geom.axes["energy"], geom.axes["energy_true"]
        offset = _offsets(geom.to_image(), observation)
        matrices = table.matrices(offset.ravel(), true, energy)
        data = np.moveaxis(matrices, 0, -1).reshape(geom.data_shape)
        make: Any = EDispKernelMap
        return make(Map.from_geom(geom, data=data), _exposure_of(geom, "energy", observation))


def padded(values: np.ndarray) -> np.ndarray:
    """Values of pixels with the last one repeated, up to one of a few lengths.

    Programs are compiled for each number of pixels, and the cutouts of runs differ by some.
    """
    steps = np.ceil(STEPS * np.log2(max(len(values), 1)) - 1e-9)
    length = int(np.ceil(2.0 ** (steps / STEPS)))
    widths = [(0, max(length - len(values), 0)), *[(0, 0)] * (values.ndim - 1)]
    return np.pad(values, widths, mode="edge")


def _unpadded(values: Any, geom: Any) -> np.ndarray:
    """Values, of which the last axis is that of padded pixels, in the shape of a map."""
    number = int(np.prod(geom.to_image().data_shape))
    return np.asarray(values)[..., :number].reshape(geom.data_shape)


def _table(observation: Observation, part: str) -> Any:
    """A response of a run that is a table of the field of view."""
    found = getattr(observation, part)
    if not isinstance(found, IRF):
        raise ValueError(
            f"run {observation.obs_id}: its {part} is a {type(found).__name__}, a map of the "
            "sky, and runs are reduced with tables of the field of view; put such maps into a "
            "MapDataset as they are"
        )
    return found


def _offsets(image: Any, observation: Observation) -> np.ndarray:
    """Distances of the pixels from the pointing, in deg."""
    return np.asarray(image.separation(pointing_of(observation)))


def _exposure_of(geom: Any, squashed: str, observation: Observation) -> Map:
    """The exposure that weighs a map of responses, with one bin on its other axis."""
    image, true = geom.to_image(), geom.axes["energy_true"]
    exposure = MapDatasetMaker.make_exposure(image.to_cube([true]), observation)
    weights = image.to_cube([geom.axes[squashed].squash(), true])
    data = np.asarray(exposure.data).reshape(weights.data_shape)
    return Map.from_geom(weights, data=data, unit="cm2 s")
