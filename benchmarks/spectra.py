"""The spectra that the benchmarks fit, read by us; also run as a whole process.

    python benchmarks/spectra.py FOLDER [CACHE]

reads the four H.E.S.S. spectra in FOLDER/joint-crab/spectra, fits them and prints JSON with
the seconds of each stage and the peak memory. CACHE is a folder for compiled programs.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

RANGES = {"fermi": ("0.03 TeV", "2 TeV"), "magic": ("0.08 TeV", "30 TeV"),
          "hess": ("0.5 TeV", "30 TeV")}  # fmt: skip


def read(folder: Path, *instruments: str) -> list[Any]:
    """The spectra of the instruments, in the energy ranges of the published analysis."""
    from gammajax.datasets import SpectrumDatasetOnOff

    found = []
    for instrument in instruments:
        files = sorted((folder / "joint-crab" / "spectra" / instrument).glob("pha*.fits"))
        for file in files:
            dataset = SpectrumDatasetOnOff.read(file, name=f"{instrument}-{file.stem[4:]}")
            found.append(dataset.with_energy_range(*RANGES[instrument]))
    return found


def log_parabola() -> Any:
    """The model at the start values of every benchmark."""
    from gammajax.models import LogParabolaSpectralModel, Models, SkyModel

    spectrum = LogParabolaSpectralModel(amplitude=3e-11, reference=1.0, alpha=2.3, beta=0.1)
    return Models([SkyModel(spectrum, name="crab")])


def peak_mb() -> float:
    """Most memory this process has held; the kernel's other figure counts the parent's too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main(folder: str, cache: str | None = None) -> None:
    """Import, read and fit, each timed."""
    start = time.perf_counter()
    from gammajax.config import enable_compilation_cache
    from gammajax.inference import Fit, Likelihood

    if cache:
        enable_compilation_cache(cache)
    imported = time.perf_counter()
    datasets = read(Path(folder), "hess")
    reading = time.perf_counter()
    result = Fit().run(Likelihood(datasets, log_parabola()))
    done = time.perf_counter()
    print(
        json.dumps(
            {
                "import": imported - start,
                "read": reading - imported,
                "compile": result.seconds["compile"],
                "fit": done - reading - result.seconds["compile"],
                "stat": result.stat,
                "success": result.success,
                "peak_mb": peak_mb(),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
