"""Reading what the commands work on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from gammajax.cli.options import Request


def read_likelihood(request: Request) -> Any:
    """The likelihood of the files in a request, energy ranges applied.

    Raises
    ------
    ValueError
        If a file, an energy range or their combination is bad.
    """
    from gammajax.datasets import Datasets
    from gammajax.inference import Likelihood
    from gammajax.models import Models

    models = Models.read(request.models)
    datasets = Datasets.read(request.datasets)
    datasets = with_energy_ranges(datasets, request.energy_min, request.energy_max)
    return Likelihood(datasets, models)


def read_sharded(request: Request) -> Any:
    """The likelihood of the files in a request, shared out over all processes.

    A process reads the files of its own datasets only.
    """
    from gammajax.datasets.io import dataset_readers
    from gammajax.inference import ShardedLikelihood
    from gammajax.models import Models

    readers = dataset_readers(request.datasets)
    names = tuple(readers)
    low = _by_dataset(names, request.energy_min, "--energy-min")
    high = _by_dataset(names, request.energy_max, "--energy-max")
    ranged = {
        name: partial(_read_within, read, low.get(name), high.get(name))
        for name, read in readers.items()
    }
    return ShardedLikelihood(ranged, Models.read(request.models))


def _read_within(read: Callable[[], Any], low: float | None, high: float | None) -> Any:
    dataset = read()
    return dataset if low is None and high is None else dataset.within_energy_range(low, high)


def numbers(text: str | None, option: str) -> list[float] | None:
    """Energies separated by commas, in TeV or with units.

    Examples
    --------
    >>> numbers("500 GeV, 1, 10 TeV", "--edges")
    [0.5, 1.0, 10.0]
    """
    if text is None:
        return None
    return [_energy(part.strip(), f"{option} {text}") for part in text.split(",")]


def with_energy_ranges(
    datasets: Any, energy_min: Sequence[str] | None, energy_max: Sequence[str] | None
) -> Any:
    """The datasets with fit ranges from options such as ``0.5`` or ``hess*=500 GeV``.

    Of several options that match a dataset, the last one counts. They narrow the range that
    the list of datasets gives.
    """
    from gammajax.datasets import Datasets

    low = _by_dataset(datasets.names, energy_min, "--energy-min")
    high = _by_dataset(datasets.names, energy_max, "--energy-max")
    ranged = []
    for dataset in datasets:
        edges = low.get(dataset.name), high.get(dataset.name)
        ranged.append(_read_within(lambda own=dataset: own, *edges))
    return Datasets(ranged)


def _by_dataset(
    names: Sequence[str], values: Sequence[str] | None, option: str
) -> dict[str, float]:
    found = {}
    for text in values or ():
        pattern, has_name, energy = text.rpartition("=")
        pattern = pattern if has_name else "*"
        matched = [name for name in names if fnmatchcase(name, pattern)]
        if not matched:
            known = ", ".join(names)
            raise ValueError(
                f"{option} {text}: no dataset matches {pattern!r} (there are: {known})"
            )
        edge = _energy(energy.strip(), f"{option} {text}")
        if not 0 < edge < float("inf"):
            raise ValueError(f"{option} {text}: got {edge:g} TeV, expected an energy above 0")
        found.update(dict.fromkeys(matched, edge))
    return found


def _energy(text: str, where: str) -> float:
    """An energy in TeV; a bare number is one already."""
    from gammajax.units import ENERGY, to_value

    try:
        return float(text)
    except ValueError:
        return float(to_value(text, ENERGY, where=where))
