"""Distributions of the squared distance from a source."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.plots.style import BACKGROUND, DATA, MODEL, main_and_residual, styled


@styled
def plot_theta_squared_table(table: Any, ax: Any = None) -> tuple[Any, Any]:
    r"""Counts on and off a source against :math:`\theta^2`, and their significance.

    Off counts are scaled by alpha.

    Parameters
    ----------
    table : `~astropy.table.Table`
        From `~gammajax.makers.make_theta_squared_table`.
    ax : axes or pair of axes, optional
        Single axes are split in two.

    Returns
    -------
    axes : pair of axes
    """
    main, lower = main_and_residual(ax)
    low, high = (np.asarray(table[name].quantity.to_value("deg2"))
                 for name in ("theta2_min", "theta2_max"))  # fmt: skip
    edges, middle = np.append(low, high[-1]), (low + high) / 2
    counts, off, alpha = (np.asarray(table[n]) for n in ("counts", "counts_off", "alpha"))
    main.stairs(alpha * off, edges, fill=True, color=BACKGROUND, alpha=0.35)
    style = {"linestyle": "none", "markersize": 4, "elinewidth": 1.2}
    main.errorbar(middle, alpha * off, alpha * np.sqrt(off), color=BACKGROUND, marker="s",
                  label="off, scaled", **style)  # fmt: skip
    main.errorbar(middle, counts, np.sqrt(counts), (high - low) / 2, color=DATA, marker="o",
                  label="on", **style)  # fmt: skip
    sides = np.nan_to_num([np.asarray(table[f"excess_err{side}"]) for side in "np"])
    main.errorbar(middle, np.asarray(table["excess"]), sides, color=MODEL, marker="+",
                  label="excess", **style)  # fmt: skip
    main.axhline(0, color=DATA, linewidth=0.8)
    main.set_ylabel("Counts")
    main.legend()
    lower.stairs(np.asarray(table["sqrt_ts"]), edges, color=MODEL, linewidth=1.4)
    lower.axhline(0, color=DATA, linewidth=0.8)
    lower.set(xlabel=r"$\theta^2$ [deg$^2$]", ylabel="Significance", xlim=edges[[0, -1]])
    return main, lower
