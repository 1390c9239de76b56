"""A simulated sky like that of the Fermi-LAT: all sources of a catalogue as one problem.

    python benchmarks/lat_sky.py CATALOG [--number N] [--positions N] [--coarse] [--out FOLDER]

takes the positions and fluxes of all sources of CATALOG (3fhl or 3fgl, below $GAMMAPY_DATA),
simulates eight years of counts from 100 MeV to 1 TeV on the whole sky with the responses and
the diffuse emission of `gammajax.simulate.lat_sky`, fits the spectra of all sources and the
diffuse emission (two norms and a tilt) as one problem, and prints JSON.

What is simulated: every source is a point with a power law; 3FHL's are continued from 10 GeV
down to 100 MeV with indices of at most 2.5, those of other spectra in 3FGL have the index and
the flux density at the pivot energy. Sources that have no index are given 2.2. Fits start at
1.3 times the true amplitudes and at an index of 2.3. With ``--positions`` those of the N
brightest are free, from 0.01 deg beside the truth. ``--coarse`` has pixels twice as wide and
leaves the lowest energies out.

Photons of sources are drawn one by one, with nothing folded (`gammajax.simulate.draw_photons`),
so that the prediction is tested too.

What is asked: pulls of all free parameters, of sources above and below a test statistic of
100 (with ``--wald`` the square of the norm over its error); the coverage of their intervals of
one standard deviation; twice the difference of ln L between the truth and the fit, which
follows a chi-squared law of as many degrees as there are free parameters, less those at a
bound.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

STARTED = time.perf_counter()

COARSE = 2
"""Part of the nside with ``--coarse``."""


def models_of(catalog, number, positions):
    """The models that are simulated, and those that a fit starts from."""
    import numpy as np

    from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel

    place = catalog.positions.galactic
    reference = catalog.numbers("Pivot_Energy", "TeV")
    amplitude = catalog.numbers("Flux_Density", "cm-2 s-1 TeV-1")
    index = catalog.numbers("Spectral_Index", "")
    most = 2.5 if catalog.tag == "3fhl" else 3.5
    index = np.clip(np.where(np.isfinite(index), index, 2.2), 1.2, most)
    chosen = np.arange(len(catalog))
    if number:
        chosen = np.sort(np.random.default_rng(7).permutation(chosen)[:number])
    bright = chosen[np.argsort(-catalog.numbers("Signif_Avg", "")[chosen])][:positions]

    def made(scale, slope, shift):
        parts = []
        for i in chosen:
            moved = shift if i in bright else 0.0
            law = PowerLawSpectralModel(
                amplitude=scale * amplitude[i],
                index=index[i] if slope is None else slope,
                reference=reference[i],
            )
            point = PointSpatialModel(
                float(place.l.deg[i]), float(place.b.deg[i]) + moved, frame="galactic"
            )
            parts.append(SkyModel(law, point, name=f"s{i}"))
        return parts

    truth = Models(made(1.0, None, 0.0))
    start = Models(made(1.3, 2.3, 0.01))
    fixed = [f"s{i}" for i in set(chosen) - set(bright)]
    return truth, start, fixed


def tied(models, fixed):
    """Bounds, and frozen positions, in one go."""
    import dataclasses

    from gammajax.parameters import ParameterTable

    fixed = set(fixed)

    def changed(row):
        name = row.name.split(".")[0]
        if row.name.endswith("spectral.amplitude"):
            return dataclasses.replace(row, min=0.0)
        if row.name.endswith("spectral.index"):
            return dataclasses.replace(row, min=0.0, max=6.0)
        return dataclasses.replace(row, frozen=row.frozen or name in fixed)

    return models.with_table(ParameterTable(tuple(changed(row) for row in models.parameters)))


def main() -> None:
    """Simulate, fit, and say how the pulls are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("catalog", choices=["3fhl", "3fgl"])
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--positions", type=int, default=0)
    parser.add_argument("--coarse", action="store_true")
    parser.add_argument("--wald", action="store_true")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    import numpy as np

    from gammajax.catalog import load
    from gammajax.inference import Fit, Likelihood
    from gammajax.simulate import (
        LatLikeComponent,
        draw_photons,
        lat_like_datasets,
        lat_like_diffuse,
    )
    from gammajax.simulate.lat_sky import COMPONENTS
    from gammajax.survey import memory_plan, source_ts

    seconds = {"import": time.perf_counter() - STARTED}

    def lap(name, began):
        seconds[name] = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{name}: {seconds[name]:.1f} s, at most {memory:.2f} GB", flush=True)
        return time.perf_counter()

    began = time.perf_counter()
    parts = COMPONENTS
    if given.coarse:
        parts = [LatLikeComponent(c.edges, c.nside // COARSE) for c in COMPONENTS[1:]]
    sky = lat_like_datasets(parts)
    diffuse = lat_like_diffuse(sky)
    began = lap("sky and diffuse emission", began)
    truth, start, fixed = models_of(load(given.catalog), given.number, given.positions)
    truth, start = tied(truth, fixed) + diffuse, tied(start, fixed) + diffuse
    began = lap("models", began)
    data = [draw_photons(dataset, truth, seed=i) for i, dataset in enumerate(sky)]
    counts = [int(np.asarray(d.counts.data).sum()) for d in data]
    began = lap("simulation", began)
    likelihood = Likelihood(data, start)
    began = lap("plan", began)
    print(memory_plan(likelihood), flush=True)
    result = Fit(tolerance=1e-6).run(likelihood, progress=True, checkpoint=given.checkpoint)
    began = lap("fit", began)
    values = np.array([truth.parameters[name].value for name in result.names])
    ts = wald(result) if given.wald else source_ts(result)
    began = lap("significances", began)
    true_stat = float(likelihood.stat(values))
    found = report(result, values, ts, true_stat)
    found |= {
        "catalog": given.catalog,
        "sources": len(truth) - len(diffuse),
        "positions": given.positions,
        "coarse": given.coarse,
        "counts": counts,
        "bins": [int((np.asarray(d.counts.data) > 0).sum()) for d in data],
        "free": len(result.theta),
        "success": bool(result.success),
        "message": result.message[:200],
        "steps": result.n_evaluations,
        "compile": result.seconds["compile"],
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
    }
    print(json.dumps(found, indent=1))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        stem = f"lat_sky_{given.catalog}_{found['sources']}"
        (given.out / f"{stem}.json").write_text(json.dumps(found, indent=1) + "\n")
        np.savez(
            given.out / f"{stem}.npz",
            names=list(result.names),
            theta=result.theta,
            errors=result.errors,
            values=values,
            ts_names=list(ts),
            ts=list(ts.values()),
        )


def wald(result):
    """Squares of norms over their errors, for sources whose norm is not at 0."""
    return {
        name.split(".")[0]: float((value / error) ** 2) if error > 0 else 0.0
        for name, value, error in zip(result.names, result.theta, result.errors, strict=True)
        if name.startswith("s") and name.endswith("spectral.amplitude")
    }


def report(result, values, ts, true_stat):
    """Pulls, coverage, and the likelihood ratio of the truth."""
    import numpy as np
    from scipy.stats import chi2, kstest

    pulls = (result.theta - values) / np.where(result.errors > 0, result.errors, np.nan)
    source = [name.split(".")[0] for name in result.names]
    strength = np.array([ts.get(name, np.nan) for name in source])
    kind = np.array([name.split(".", 1)[1] for name in result.names])
    known = np.isfinite(pulls)

    def described(chosen):
        some = pulls[chosen & known]
        if some.size < 2:
            return None
        return {
            "number": int(some.size),
            "mean": float(some.mean()),
            "width": float(some.std()),
            "beyond_3": int((abs(some) > 3).sum()),
            "inside_1": float((abs(some) < 1).mean()),
            "ks_p": float(kstest(some, "norm").pvalue),
        }

    found = {}
    for name, chosen in (
        ("ts_above_100", strength > 100),
        ("ts_25_to_100", (strength > 25) & (strength <= 100)),
        ("ts_below_25", strength <= 25),
    ):
        found[name] = described(chosen)
        for k in ("spectral.amplitude", "spectral.index", "spatial.lon_0", "spatial.lat_0"):
            found[f"{name}, {k}"] = described(chosen & (kind == k))
    found["diffuse"] = [
        {"name": n, "pull": float(p)}
        for n, p, s in zip(result.names, pulls, strength, strict=True)
        if not np.isfinite(s) and np.isfinite(p)
    ]
    ratio, free = true_stat - result.stat, int(known.sum())
    found["likelihood_ratio"] = {
        "value": ratio,
        "degrees": free,
        "sigma": float((ratio - free) / np.sqrt(2 * free)),
        "p": float(chi2.sf(ratio, free)),
    }
    found["at_bounds"] = len(result.at_bounds)
    return found


if __name__ == "__main__":
    main()
