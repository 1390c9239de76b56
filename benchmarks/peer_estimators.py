"""Flux points, light curves and maps with gammapy, run by the Python that has it.

    python benchmarks/peer_estimators.py points FILES...
    python benchmarks/peer_estimators.py curve FILES...
    python benchmarks/peer_estimators.py fits FILES...
    python benchmarks/peer_estimators.py map FILE
    python benchmarks/peer_estimators.py cube FILE

FILES are spectra in gammapy's own format, FILE is a counts cube; prints JSON.
"""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def spectra(files):
    """The spectra with a log-parabola, fitted."""
    from gammapy.modeling import Fit

    datasets = unfitted(files)
    Fit().run(datasets)
    return datasets


def unfitted(files):
    """The spectra with a log-parabola at its start values."""
    from gammapy.datasets import Datasets, SpectrumDatasetOnOff
    from gammapy.modeling.models import LogParabolaSpectralModel, SkyModel

    datasets = Datasets([SpectrumDatasetOnOff.read(file, format="gadf") for file in files])
    spectrum = LogParabolaSpectralModel(
        amplitude="3e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.3, beta=0.1
    )
    datasets.models = [SkyModel(spectrum, name="crab")]
    return datasets


class FiveFits:
    """Fits of the spectra, all from the same start."""

    def run(self, datasets):
        """Fit five times."""
        from gammapy.modeling import Fit

        start = datasets.models.parameters.value
        for _ in range(5):
            datasets.models.parameters.value = start
            assert Fit().run(datasets).success


def fits(files):
    """Five fits of all spectra together."""
    return unfitted(files), FiveFits()


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


def significance(files, sum_over_energy_groups=True):
    """A point source at every pixel, in one image, which is what the peer does if not asked."""
    import astropy.units as u
    from gammapy.datasets import MapDataset
    from gammapy.estimators import TSMapEstimator
    from gammapy.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel

    spectrum = PowerLawSpectralModel(index=2.3, amplitude="1e-12 cm-2 s-1 TeV-1")
    return MapDataset.read(files[0]), TSMapEstimator(
        model=SkyModel(spectrum, PointSpatialModel(), name="point"),
        kernel_width=0.5 * u.deg,
        energy_edges=[0.5, 30] * u.TeV,
        sum_over_energy_groups=sum_over_energy_groups,
    )


def energies(files):
    """A point source at every pixel, all energies fitted together, as in our map."""
    return significance(files, sum_over_energy_groups=False)


def main(what, *files):
    """Time one estimator, once; a second time if that is short."""
    made = {"points": points, "curve": curve, "fits": fits, "map": significance}
    make = {**made, "cube": energies}[what]
    start = time.perf_counter()
    datasets, estimator = make(files)
    ready = time.perf_counter()
    estimator.run(datasets)
    done = time.perf_counter()
    print(json.dumps({"prepare": ready - start, "run": done - ready}))


if __name__ == "__main__":
    main(*sys.argv[1:])
