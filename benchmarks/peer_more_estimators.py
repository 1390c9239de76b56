"""Smoothing, theta squared and morphology with gammapy, run by the Python that has it.

    python benchmarks/peer_more_estimators.py smooth FILE
    python benchmarks/peer_more_estimators.py theta FOLDER
    python benchmarks/peer_more_estimators.py morphology FILE

FILE is a counts cube, FOLDER a data store; prints JSON.
"""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def smooth(file):
    """Nine Gaussians, one image."""
    import astropy.units as u
    import numpy as np
    from gammapy.datasets import MapDataset
    from gammapy.estimators import ASmoothMapEstimator

    dataset = MapDataset.read(file)
    scales = np.geomspace(0.05, 0.8, 9) * u.deg
    estimator = ASmoothMapEstimator(scales=scales, threshold=5, energy_edges=[1, 16] * u.TeV)
    return lambda: estimator.run(dataset)


def theta(folder):
    """Four runs of the Crab, three off positions, events in memory."""
    from astropy.coordinates import SkyCoord
    from gammapy.data import DataStore
    from gammapy.makers.utils import make_theta_squared_table
    from gammapy.maps import MapAxis

    runs = DataStore.from_dir(folder).get_observations([23523, 23526, 23559, 23592])
    center = SkyCoord(83.633, 22.014, unit="deg")
    axis = MapAxis.from_bounds(0, 0.1, nbin=10, interp="lin", unit="deg2")
    for run in runs:
        len(run.events.table)
    return lambda: make_theta_squared_table(runs, axis, center, off_regions_number=3)


def morphology(file):
    """Position and size of a Gaussian in two bins of energy."""
    import astropy.units as u
    from gammapy.datasets import Datasets, MapDataset
    from gammapy.estimators import EnergyDependentMorphologyEstimator
    from gammapy.modeling.models import GaussianSpatialModel, PowerLawSpectralModel, SkyModel

    dataset = MapDataset.read(file, name="one")
    shape = GaussianSpatialModel(
        lon_0="83.63 deg", lat_0="22.01 deg", sigma="0.2 deg", frame="icrs"
    )
    spectrum = PowerLawSpectralModel(index=2.0, amplitude="5e-10 cm-2 s-1 TeV-1")
    spectrum.index.frozen = True
    dataset.models = [SkyModel(spectrum, shape, name="crab")]
    estimator = EnergyDependentMorphologyEstimator([1, 4, 16] * u.TeV, source="crab")
    return lambda: estimator.run(Datasets([dataset]))


def main(what, place):
    """Time one of them, once."""
    run = {"smooth": smooth, "theta": theta, "morphology": morphology}[what](place)
    start = time.perf_counter()
    run()
    print(json.dumps({"run": time.perf_counter() - start}))


if __name__ == "__main__":
    main(*sys.argv[1:])
