"""Write ``stats.json``: what gammapy gives for the statistics on a grid.

Run it by hand in an environment with gammapy 2.1: ``python tests/peer/freeze_stats.py``.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import gammapy
import numpy as np
from gammapy.stats import cash, get_wstat_mu_bkg, wstat

N_ON = (0, 1, 5, 200)
N_OFF = (0, 1, 12, 900)
ALPHA = (0.05, 0.5, 1.0)
MU = (0.0, 0.3, 5.0, 180.0)


def main() -> None:
    rows = []
    for n_on, n_off, alpha, mu in itertools.product(N_ON, N_OFF, ALPHA, MU):
        point = {"n_on": n_on, "n_off": n_off, "alpha": alpha, "mu_sig": mu}
        row = dict(point)
        row["wstat"] = float(wstat(**point))
        row["mu_bkg"] = float(np.nan_to_num(get_wstat_mu_bkg(**point)))
        row["cash"] = float(cash(n_on, np.asarray(mu)))
        rows.append(row)
    found = {"gammapy": gammapy.__version__, "rows": rows}
    Path(__file__).with_name("stats.json").write_text(json.dumps(found, indent=0) + "\n")


if __name__ == "__main__":
    main()
