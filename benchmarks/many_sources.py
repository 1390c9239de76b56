"""Many point sources in the Galactic centre region of the Fermi-LAT, in a process of its own.

    python benchmarks/many_sources.py FOLDER NUMBER [--positions] [--counts FILE]

reads the cubes of ``fermi-3fhl-gc`` in FOLDER, puts NUMBER point sources and the diffuse
template into them, fits counts simulated from just these, and prints JSON. With ``--counts``
the simulated counts are kept in a file, and read from it if it is there.

What is fitted: positions are uniform in longitude (-9.5 to 9.5 deg) and latitude (-4.5 to
4.5 deg); fluxes above 10 GeV follow N(> S) ~ S^-1.2 from 1e-10 to 5e-9 cm-2 s-1 (about 30 to
1600 counts); indices are normal around 2.3 with 0.2; reference energy 30 GeV. Fits start at
1.3 times the true amplitudes and at index 2.3 (and 0.01 deg off in each coordinate), with
amplitudes of 0 or more and indices from 0 to 6; the norm of the template is free too. They
stop at an estimated distance of 1e-8. Everything is drawn with the seed 1.

Each stage is given in seconds of the clock and of the processor: with other work on the
machine only the latter can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path


class Clock:
    """A moment: seconds of the clock, and of the processor."""

    def __init__(self) -> None:
        self.clock, self.processor = time.perf_counter(), time.process_time()


STARTED = Clock()


def stages(moments: dict[str, tuple[Clock, Clock]]) -> dict[str, float]:
    """How long stages took; those of the processor have names that end with ``_processor``.

    ``cold`` is all from the import to the first result, but for the simulation.
    """
    found = {}
    for name, (first, last) in moments.items():
        found[name] = last.clock - first.clock
        found[f"{name}_processor"] = last.processor - first.processor
    for kind in ("", "_processor"):
        parts = ("import", "read", "models", "plan", "fit")
        found[f"cold{kind}"] = sum(found[f"{part}{kind}"] for part in parts)
    return found


def sources(number: int, positions: bool, folder: Path):
    """The models that are simulated, and those that a fit starts from."""
    import numpy as np

    from gammajax.models import (
        Models,
        PointSpatialModel,
        PowerLawNormSpectralModel,
        PowerLawSpectralModel,
        SkyModel,
        TemplateSpatialModel,
    )

    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(-9.5, 9.5, number), rng.uniform(-4.5, 4.5, number)
    flux = np.minimum(1e-10 * rng.uniform(size=number) ** (-1 / 1.2), 5e-9)
    index = rng.normal(2.3, 0.2, number)
    # the amplitude at 30 GeV of a power law with this flux above 10 GeV
    amplitude = flux * (index - 1) / 0.03 * (0.03 / 0.01) ** (1 - index)
    template = TemplateSpatialModel.read(folder / "gll_iem_v06_gc.fits.gz", normalize=False)
    diffuse = SkyModel(PowerLawNormSpectralModel(), template, name="iem")

    def made(scale: float, slope, shift: float) -> Models:
        parts = [
            SkyModel(
                PowerLawSpectralModel(
                    amplitude=scale * amplitude[i],
                    index=index[i] if slope is None else slope,
                    reference="30 GeV",
                ),
                PointSpatialModel(lon[i] + shift, lat[i] + shift, frame="galactic"),
                name=f"s{i}",
            )
            for i in range(number)
        ]
        models = Models([*parts, diffuse]).set("s*.amplitude", min=0)
        models = models.set("s*.index", min=0, max=6)
        return models if positions else models.freeze("*.spatial.*")

    return made(1.0, None, 0.0), made(1.3, 2.3, 0.01 if positions else 0.0)


def cube(folder: Path):
    """The Galactic centre cube of the Fermi-LAT."""
    from gammajax.datasets import MapDataset

    return MapDataset.from_fermi(
        counts=folder / "fermi-3fhl-gc-counts-cube.fits.gz",
        exposure=folder / "fermi-3fhl-gc-exposure-cube.fits.gz",
        psf=folder / "fermi-3fhl-gc-psf-cube.fits.gz",
        name="gc",
    )


def main() -> None:
    """Fit once from a cold start and once more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("number", type=int)
    parser.add_argument("--positions", action="store_true")
    parser.add_argument("--counts", type=Path)
    given = parser.parse_args()
    import numpy as np

    from gammajax.inference import Fit, Likelihood

    imported = Clock()
    folder = given.folder / "fermi-3fhl-gc"
    dataset = cube(folder)
    read = Clock()
    truth, start = sources(given.number, given.positions, folder)
    made = Clock()
    if given.counts and given.counts.exists():
        dataset = dataset.replace(counts=dataset.counts.with_data(np.load(given.counts)))
    else:
        dataset = dataset.fake(truth, seed=1)
        if given.counts:
            np.save(given.counts, np.asarray(dataset.counts.data))
    simulated = Clock()
    likelihood = Likelihood([dataset], start)
    planned = Clock()
    result = Fit().run(likelihood)
    fitted = Clock()
    again = Fit().run(likelihood)
    warm = Clock()
    values = np.array([truth.parameters[name].value for name in result.names])
    free = result.errors > 0
    pulls = (result.theta - values)[free] / result.errors[free]
    print(
        json.dumps(
            {
                "sources": given.number,
                "free": len(result.theta),
                "success": result.success,
                "message": result.message[:200],
                "stat": result.stat,
                "edm": result.edm,
                "steps": result.n_evaluations,
                "load": os.getloadavg()[0],
                "compile": result.seconds["compile"],
                **stages(
                    {
                        "import": (STARTED, imported),
                        "read": (imported, read),
                        "models": (read, made),
                        "simulate": (made, simulated),
                        "plan": (simulated, planned),
                        "fit": (planned, fitted),
                        "warm": (fitted, warm),
                    }
                ),
                "same": bool(abs(again.stat - result.stat) < 1e-6),
                "pull_mean": float(pulls.mean()),
                "pull_std": float(pulls.std()),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
