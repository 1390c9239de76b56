"""The figure of pulls of a simulated sky.

    python benchmarks/plot_lat_sky.py RESULT.npz FIGURE.png

draws what ``lat_sky.py --out`` wrote: pulls of amplitudes and indices of sources above and
below a test statistic of 100, beside a unit normal.
"""

from __future__ import annotations

import sys

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm


def main() -> None:
    """Draw the two histograms."""
    with np.load(sys.argv[1]) as file:
        found = {name: file[name] for name in file.files}
    errors = np.where(found["errors"] > 0, found["errors"], np.nan)
    pulls = (found["theta"] - found["values"]) / errors
    ts = dict(zip(found["ts_names"].tolist(), found["ts"].tolist(), strict=True))
    strength = np.array([ts.get(name.split(".")[0], np.nan) for name in found["names"]])
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    x = np.linspace(-4.5, 4.5, 200)
    edges = np.linspace(-4.5, 4.5, 28)
    parts = (("TS above 100", strength > 100), ("TS below 100", strength <= 100))
    for ax, (title, chosen) in zip(figure.subplots(1, 2), parts, strict=True):
        for kind, colour in (("amplitude", "C0"), ("index", "C1")):
            named = np.char.endswith(found["names"].astype(str), f"spectral.{kind}")
            some = pulls[chosen & named & np.isfinite(pulls)]
            if some.size:
                text = f"{kind}: {some.size}, {some.mean():+.2f} $\\pm$ {some.std():.2f}"
                ax.hist(some, edges, density=True, histtype="step", color=colour, label=text)
        ax.plot(x, norm.pdf(x), color="0.5", linestyle="--")
        ax.set(xlabel="(fitted - true) / error", title=title)
        ax.legend(fontsize="small", loc="upper left")
        ax.set_ylim(top=0.62)
    figure.savefig(sys.argv[2], dpi=110)


if __name__ == "__main__":
    main()
