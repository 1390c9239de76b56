"""Events drawn from the prediction of a counts cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.data import EventList
from gammajax.datasets import MapDataset
from gammajax.maps import WcsGeom
from gammajax.models import FoVBackgroundModel, Models, TemplateNPredModel


@dataclass(frozen=True)
class MapDatasetEventSampler:
    """Draw events from the predicted counts of a counts cube.

    Events are those of a telescope that sees no more than the bins of the cube: within a bin
    directions are even in the pixel, energies in their logarithm, and times in the good time
    intervals. `ObservationEventSampler` knows no bins, and follows sources that change with
    time.

    Parameters
    ----------
    seed : int
        The same seed draws the same events.

    Examples
    --------
    >>> import numpy as np
    >>> from gammajax.data import GTI
    >>> from gammajax.maps import MapAxis, WcsGeom
    >>> geom = WcsGeom.create(npix=4, axes=[MapAxis(np.geomspace(1, 10, 3))])
    >>> empty = MapDataset.create(geom, name="sky").replace(gti=GTI([0.0], [60.0]))
    >>> flat = empty.replace(background=empty.counts.with_data(np.ones(geom.data_shape)))
    >>> events = MapDatasetEventSampler(seed=1).run(flat)
    >>> sorted(events.columns)
    ['DEC', 'ENERGY', 'EVENT_ID', 'MC_ID', 'RA', 'TIME']
    """

    seed: int = 0

    def run(self, dataset: MapDataset, models: Any = None) -> EventList:
        """The events of a dataset.

        Parameters
        ----------
        dataset : `~gammajax.datasets.MapDataset`
            On WCS pixels, with good time intervals.
        models : `~gammajax.models.Models` or components, optional

        Returns
        -------
        events : `~gammajax.data.EventList`
            The number of the component is in MC_ID, 0 for the background of the dataset; the
            header has the names.

        Raises
        ------
        ValueError
            If the dataset has other pixels or no good time, or a source changes with time.
        """
        _check(dataset)
        parts = predicted(dataset, models)
        stream = np.random.SeedSequence(self.seed)
        pieces, numbers = [], []
        for (number, _, mu), seed in zip(parts, stream.spawn(len(parts)), strict=True):
            rng = np.random.default_rng(seed)
            counts = rng.poisson(np.maximum(mu, 0.0))
            pieces.append(_in_bins(dataset, counts, rng))
            numbers.append(np.full(int(counts.sum()), number, np.int32))
        joined = {key: np.concatenate([p[key] for p in pieces]) for key in pieces[0]}
        order = np.argsort(joined["TIME"])
        columns = {"EVENT_ID": np.arange(1, order.size + 1)}
        columns |= {key: values[order] for key, values in joined.items()}
        columns["MC_ID"] = np.concatenate(numbers)[order]
        meta = {f"MID{number:05d}": number for number, _, _ in parts}
        meta |= {f"MMN{number:05d}": name for number, name, _ in parts}
        return EventList(columns, {}, dataset.gti.reference, meta)


def predicted(dataset: MapDataset, models: Any) -> list[tuple[int, str, np.ndarray]]:
    """Number, name and predicted counts of each component, the background first."""
    models = models if isinstance(models, Models) else Models(() if models is None else models)
    chosen = [(i, c) for i, c in enumerate(models, 1) if c.folds_into(dataset.name)]
    scales = [c for _, c in chosen if isinstance(c, FoVBackgroundModel)]
    found = []
    if dataset.background is not None:
        background = dataset.npred(Models(scales) if scales else None)
        name = scales[0].name if scales else "background"
        found.append((0, name, np.asarray(background.data)))
    for number, component in chosen:
        if isinstance(component, FoVBackgroundModel):
            continue
        if getattr(component, "temporal_model", None) is not None:
            raise ValueError(
                f"component {component.name!r} changes with time, and the prediction of "
                f"{dataset.name!r} has no times; draw with ObservationEventSampler"
            )
        alone = Models([component])
        if isinstance(component, TemplateNPredModel):
            whole = np.asarray(dataset.npred(alone).data)
            mu = whole - dataset.background_data
        else:
            mu = np.asarray(dataset.npred_signal(alone).data)
        found.append((number, component.name, mu))
    return found or [(0, "background", np.zeros(dataset.geom.data_shape))]


def _in_bins(
    dataset: MapDataset, counts: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Columns of events that fill bins."""
    energy, row, column = (
        np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts > 0)
    )
    n = energy.size
    x, y = column + rng.random(n) - 0.5, row + rng.random(n) - 0.5
    sky = dataset.geom.to_image().pix_to_coord((x, y))
    ra, dec = _to_icrs(dataset.geom.frame, *sky[:2])
    axis, gti = dataset.energy, dataset.gti
    low, high = axis.edges_min[energy], axis.edges_max[energy]
    lived = np.append(0.0, np.cumsum(gti.stop - gti.start))
    passed = rng.random(n) * lived[-1]
    interval = np.clip(np.searchsorted(lived, passed, side="right") - 1, 0, len(gti) - 1)
    return {
        "TIME": gti.start[interval] + passed - lived[interval],
        "RA": ra,
        "DEC": dec,
        "ENERGY": low * (high / low) ** rng.random(n),
    }


def _to_icrs(frame: str, lon: Any, lat: Any) -> tuple[np.ndarray, np.ndarray]:
    from astropy.coordinates import SkyCoord

    found: Any = SkyCoord(np.asarray(lon), np.asarray(lat), unit="deg", frame=frame).icrs
    return np.asarray(found.ra.deg), np.asarray(found.dec.deg)


def _check(dataset: Any) -> None:
    where = f"MapDatasetEventSampler: dataset {dataset.name!r}"
    if not isinstance(dataset, MapDataset) or not isinstance(dataset.geom, WcsGeom):
        raise ValueError(
            f"{where} is a {type(dataset).__name__} on a "
            f"{type(getattr(dataset, 'geom', None)).__name__}, expected a MapDataset on WCS "
            "pixels"
        )
    if dataset.gti is None or not dataset.gti.time_sum > 0:
        raise ValueError(f"{where} has no good time intervals; give it a gti")
