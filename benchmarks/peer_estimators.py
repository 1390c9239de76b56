"""Flux points, light curves and maps with gammapy, run by the Python that has it.

    python benchmarks/peer_estimators.py points FILES...
    python benchmarks/peer_estimators.py curve FILES...
    python benchmarks/peer_estimators.py map FILE

FILES are spectra in gammapy's own format, FILE is a counts cube; prints JSON.
"""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def spectra(files):
    """The spectra with a log-parabola, fitted."""
    from gammapy.datasets import Datasets, SpectrumDatasetOnOff
    from gammapy.modeling import Fit
    from gammapy.modeling.models import LogParabolaSpectralModel, SkyModel

    datasets = Datasets([SpectrumDatasetOnOff.read(file, format="gadf") for file in files])
    spectrum = LogParabolaSpectralModel(
        amplitude="3e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.3, beta=0.1
    )
    datasets.models = [SkyModel(spectrum, name="crab")]
    Fit().run(datasets)
    return datasets


def points(files):
    """Six flux points with everything that is optional."""
    import astropy.units as u
    import numpy as np
    from gammapy.estimators import FluxPointsEstimator

    return spectra(files), FluxPointsEstimator(
        energy_edges=np.geomspace(0.7, 30, 7) * u.TeV, source="crab", selection_optional="all"
    )


def curve(files):
    """A flux for each run, with everything that is optional."""
    import astropy.units as u
    from gammapy.estimators import LightCurveEstimator

    return spectra(files), LightCurveEstimator(
        energy_edges=[0.7, 30] * u.TeV, source="crab", selection_optional="all"
    )


def significance(files):
    """A point source at every pixel."""
    import astropy.units as u
    from gammapy.datasets import MapDataset
    from gammapy.estimators import TSMapEstimator
    from gammapy.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel

    spectrum = PowerLawSpectralModel(index=2.3, amplitude="1e-12 cm-2 s-1 TeV-1")
    return MapDataset.read(files[0]), TSMapEstimator(
        model=SkyModel(spectrum, PointSpatialModel(), name="point"),
        kernel_width=0.5 * u.deg,
        energy_edges=[0.5, 30] * u.TeV,
    )


def main(what, *files):
    """Time one estimator, once; a second time if that is short."""
    make = {"points": points, "curve": curve, "map": significance}[what]
    start = time.perf_counter()
    datasets, estimator = make(files)
    ready = time.perf_counter()
    estimator.run(datasets)
    done = time.perf_counter()
    print(json.dumps({"prepare": ready - start, "run": done - ready}))


if __name__ == "__main__":
    main(*sys.argv[1:])
