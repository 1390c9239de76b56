"""Write ``data/fermi_crab_kernel.fits.gz``: gammapy's kernel of the Fermi-LAT Crab.

The header has the statistic that gammapy finds with it at the parameters of the files. Run it
by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_fermi_crab.py``.
"""

from __future__ import annotations

import os
from pathlib import Path

import gammapy
from astropy.io import fits
from gammapy.datasets import Datasets
from gammapy.modeling.models import Models

FOLDER = Path(os.environ["GAMMAPY_DATA"]) / "fermi-3fhl-crab"


def main() -> None:
    datasets = Datasets.read(FOLDER / "Fermi-LAT-3FHL_datasets.yaml")
    datasets.models = Models.read(FOLDER / "Fermi-LAT-3FHL_models.yaml")
    stat = float(datasets.stat_sum())
    kernel = datasets[0].evaluators["Crab Nebula"].psf.data
    hdu = fits.PrimaryHDU(kernel)
    hdu.header["STAT"] = stat
    hdu.header["CREATOR"] = f"gammapy {gammapy.__version__}"
    hdu.writeto(Path(__file__).with_name("data") / "fermi_crab_kernel.fits.gz", overwrite=True)
    print(kernel.shape, stat)


if __name__ == "__main__":
    main()
