"""The same work with gammapy, run by the Python that has it.

    python benchmarks/peer_spectra.py FOLDER [fit | profile | cold]

prints JSON. ``fit`` repeats the joint fit of the four H.E.S.S. spectra, ``profile`` times 20
points of a profile of alpha, ``cold`` imports, reads and fits once.
"""

import json
import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")


def read(folder):
    """The four H.E.S.S. spectra from 0.5 to 30 TeV."""
    import astropy.units as u
    from gammapy.datasets import Datasets, SpectrumDatasetOnOff

    datasets = Datasets()
    for file in sorted((Path(folder) / "joint-crab/spectra/hess").glob("pha*.fits")):
        dataset = SpectrumDatasetOnOff.read(file)
        dataset.mask_fit = dataset.counts.geom.energy_mask(0.5 * u.TeV, 30 * u.TeV)
        datasets.append(dataset)
    return datasets


def set_models(datasets):
    """The start values of every benchmark."""
    from gammapy.modeling.models import LogParabolaSpectralModel, SkyModel

    spectrum = LogParabolaSpectralModel(
        amplitude="3e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.3, beta=0.1
    )
    datasets.models = [SkyModel(spectrum, name="crab")]
    return spectrum


def peak_mb():
    """Most memory this process has held; the kernel's other figure counts the parent's too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main(folder, what="fit"):
    """Time one kind of work."""
    start = time.perf_counter()
    from gammapy.modeling import Fit

    imported = time.perf_counter()
    datasets = read(folder)
    reading = time.perf_counter()
    found = {"import": imported - start, "read": reading - imported}
    times = []
    for _ in range(1 if what == "cold" else 5):
        spectrum = set_models(datasets)
        before = time.perf_counter()
        result = Fit().run(datasets)
        times.append(time.perf_counter() - before)
    found["fit"] = sorted(times)[len(times) // 2]
    found["stat"] = float(result.total_stat)
    if what == "profile":
        spectrum.alpha.scan_n_values = 20
        before = time.perf_counter()
        Fit().stat_profile(datasets=datasets, parameter=spectrum.alpha, reoptimize=True)
        found["profile_20"] = time.perf_counter() - before
    found["peak_mb"] = peak_mb()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
