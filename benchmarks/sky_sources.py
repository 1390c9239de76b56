"""Many sources with free positions on the whole sky: how time and memory grow.

    python benchmarks/sky_sources.py NUMBER [--frozen] [--inputs FOLDER] [--checkpoint FILE]

puts NUMBER point sources on a sky like that of the Fermi-LAT above 10 GeV
(`gammajax.simulate.lat_sky`: eight years, 3.1 million HEALPix pixels of 0.11 deg, two bins of
energy in each of two decades), draws their photons and the diffuse emission, fits the
amplitude, index, longitude and latitude of each and the diffuse emission (two norms and a
tilt) as one problem, and prints JSON. With ``--frozen`` positions stay. With ``--inputs``
counts and diffuse templates are kept in a folder, and read from it if they are there. With
``--checkpoint`` the steps are shown, and a fit that was interrupted goes on.

What is fitted: positions are uniform on the sphere; fluxes above 10 GeV follow N(> S) ~
S^-1.2 from 1e-10 to 5e-9 cm-2 s-1; indices are normal around 2.3 with 0.2; reference energy
30 GeV. Fits start at 1.3 times the true amplitudes, at index 2.3, and 0.01 deg off in
latitude, with amplitudes of 0 or more and indices from 0 to 6. They stop at an estimated
distance of 1e-8. Everything is drawn with the seed 1.

Counted as cold: a new process with no compilation cache, from the import to the errors of
all parameters, without what makes the simulated inputs.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from pathlib import Path

KINDS = ("galactic", "isotropic")

STARTED, WORKED = time.perf_counter(), time.process_time()


def sources(number: int, frozen: bool):
    """The models that are simulated, and those that a fit starts from."""
    import numpy as np

    from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel

    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(-180, 180, number), np.rad2deg(np.arcsin(rng.uniform(-1, 1, number)))
    flux = np.minimum(1e-10 * rng.uniform(size=number) ** (-1 / 1.2), 5e-9)
    index = rng.normal(2.3, 0.2, number)
    # the amplitude at 30 GeV of a power law with this flux above 10 GeV
    amplitude = flux * (index - 1) / 0.03 * (0.03 / 0.01) ** (1 - index)

    def made(scale: float, slope, shift: float) -> Models:
        parts = [
            SkyModel(
                PowerLawSpectralModel(
                    amplitude=scale * amplitude[i],
                    index=index[i] if slope is None else slope,
                    reference="30 GeV",
                ),
                PointSpatialModel(lon[i], lat[i] + shift, frame="galactic"),
                name=f"s{i}",
            )
            for i in range(number)
        ]
        models = Models(parts).set("s*.amplitude", min=0).set("s*.index", min=0, max=6)
        return models.freeze("*.spatial.*") if frozen else models

    return made(1.0, None, 0.0), made(1.3, 2.3, 0.0 if frozen else 0.01)


def inputs(dataset, truth, folder: Path | None):
    """The simulated sky, and the templates of its diffuse emission; kept in a folder."""
    import numpy as np

    from gammajax.datasets import Datasets
    from gammajax.models import TemplateNPredModel
    from gammajax.simulate import draw_photons, lat_like_diffuse

    known = folder / "diffuse.npz" if folder else None
    counts = folder / f"counts_{len(truth)}.npy" if folder else None
    if known and known.exists():
        with np.load(known) as file:
            templates = [dataset.counts.with_data(file[name]) for name in KINDS]
    else:
        parts = lat_like_diffuse(Datasets([dataset]))
        templates = [part.map for part in parts if isinstance(part, TemplateNPredModel)]
        if known:
            np.savez(known, **{n: m.data for n, m in zip(KINDS, templates, strict=True)})
    if counts and counts.exists():
        return dataset.replace(counts=dataset.counts.with_data(np.load(counts))), templates
    dataset = draw_photons(dataset, truth + emission(templates, dataset.name), seed=1)
    if counts:
        np.save(counts, np.asarray(dataset.counts.data))
    return dataset, templates


def emission(templates, name: str):
    """Two norms and a tilt."""
    from gammajax.models import Models, PowerLawNormSpectralModel, TemplateNPredModel

    parts = [
        TemplateNPredModel(
            template,
            PowerLawNormSpectralModel(reference="1 GeV"),
            datasets_names=name,
            name=kind,
        )
        for kind, template in zip(KINDS, templates, strict=True)
    ]
    return Models(parts).thaw("galactic.spectral.tilt").set("*.norm", min=0)


def main() -> None:
    """Fit once, from a cold start."""
    parser = argparse.ArgumentParser()
    parser.add_argument("number", type=int)
    parser.add_argument("--frozen", action="store_true")
    parser.add_argument("--inputs", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    given = parser.parse_args()
    import numpy as np

    from gammajax.inference import Fit, Likelihood
    from gammajax.simulate import lat_like_datasets
    from gammajax.simulate.lat_sky import COMPONENTS

    laps, began = {}, [STARTED, WORKED]

    def lap(name: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        laps[name], laps[f"{name}_cpu"] = (a - b for a, b in zip(now, began, strict=True))
        began[:] = now

    lap("import")
    truth, start = sources(given.number, given.frozen)
    lap("models")
    kept = bool(given.inputs and (given.inputs / f"counts_{given.number}.npy").exists())
    dataset, templates = inputs(lat_like_datasets(COMPONENTS[-1:])[0], truth, given.inputs)
    lap("read" if kept else "simulate")
    diffuse = emission(templates, dataset.name)
    likelihood = Likelihood([dataset], start + diffuse)
    lap("plan")
    shown = given.checkpoint is not None
    result = Fit().run(likelihood, progress=shown, checkpoint=given.checkpoint)
    lap("fit")
    truth = truth + diffuse
    values = np.array([truth.parameters[name].value for name in result.names])
    free = result.errors > 0
    pulls = (result.theta - values)[free] / result.errors[free]
    names = np.array(result.names)[free]
    far = np.abs(pulls) > 5
    beyond = dict(zip(names[far], pulls[far].round(1).tolist(), strict=True))
    counted = [name for name in laps if not name.startswith("simulate")]
    print(
        json.dumps(
            {
                "sources": given.number,
                "free": len(result.theta),
                "success": bool(result.success),
                "message": result.message[:200],
                "counts": int(np.asarray(dataset.counts.data).sum()),
                "bins": int((np.asarray(dataset.counts.data) > 0).sum()),
                "edm": result.edm,
                "steps": result.n_evaluations,
                "compile": result.seconds["compile"],
                **laps,
                "cold": sum(laps[n] for n in counted if not n.endswith("_cpu")),
                "cold_cpu": sum(laps[n] for n in counted if n.endswith("_cpu")),
                "pull_mean": float(pulls.mean()),
                "pull_std": float(pulls.std()),
                "pulls_beyond_5": beyond,
                "rise": float(likelihood.stat(values)) - float(result.stat),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "load": os.getloadavg()[0],
            }
        )
    )


if __name__ == "__main__":
    main()
