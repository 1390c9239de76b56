"""Open what ``gammajax fit`` read and wrote with gammapy, and compare the statistic.

Run by hand, by a Python that has gammapy 2.1:
``python tests/peer/check_fit_output.py DATASETS.yaml RESULT_FOLDER``.
"""

import json
import os
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")


def main(datasets_file, folder):
    """Statistic, values and errors of both sides."""
    import astropy.units as u
    import numpy as np
    import yaml
    from gammapy.datasets import Datasets
    from gammapy.modeling.models import Models

    folder, datasets_file = Path(folder).resolve(), Path(datasets_file).resolve()
    ours = json.loads((folder / "fit.json").read_text())
    os.chdir(datasets_file.parent)
    datasets = Datasets.read(datasets_file)
    entries = yaml.safe_load(datasets_file.read_text())
    for dataset, entry in zip(datasets, entries["datasets"], strict=True):
        edges = (u.Quantity(entry["energy_min"]), u.Quantity(entry["energy_max"]))
        dataset.mask_fit = dataset.counts.geom.energy_mask(*edges)
    datasets.models = Models.read(folder / "models.yaml")
    stat = datasets.stat_sum()
    print(f"statistic: gammapy {stat:.6f}, gammajax {ours['stat']:.6f}")
    assert abs(stat - ours["stat"]) < 1e-5 * abs(stat)
    errors = np.sqrt(np.diag(datasets.models.covariance.data))
    for parameter, row, error in zip(
        datasets.models.parameters, ours["parameters"], errors, strict=True
    ):
        print(row["name"], parameter.quantity, error)
        assert np.isclose(parameter.value, row["value"], rtol=1e-12)
        assert np.isclose(error, row["error"], rtol=1e-6)
        assert parameter.frozen == row["frozen"]
    print("equal")


if __name__ == "__main__":
    main(*sys.argv[1:])
