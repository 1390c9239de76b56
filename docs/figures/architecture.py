"""Draw ``architecture.svg``: the road that the data take through the rooms.

Run it by hand after a change: ``python docs/figures/architecture.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

HOST, PURE, EDGE, INK = "#f3e9d7", "#d8e6f3", "#5b6770", "#1f2a33"

BOXES = {
    "files": (0.0, 1.5, "files", "PHA, ARF, RMF,\nYAML", "white"),
    "datasets": (2.6, 3.0, "datasets", "counts, exposure,\nenergy dispersion", HOST),
    "models": (2.6, 1.0, "models", "spectra, SkyModel,\nparameter table", HOST),
    "fold": (5.2, 2.0, "fold", "stacked sources,\npadded datasets", PURE),
    "stats": (7.8, 2.0, "stats", "Cash, WStat, \u03c7\u00b2\nof each bin", PURE),
    "inference": (10.4, 2.0, "inference", "Likelihood, Fit,\nprofiles, NUTS", PURE),
    "plots": (13.0, 3.0, "plots", "counts, SED,\ncontours, corner", HOST),
    "cli": (13.0, 1.0, "cli", "fit, sample,\ndemo, info", HOST),
    "simulate": (0.0, 3.2, "simulate", "a telescope\nof formulas", HOST),
}
ARROWS = (
    ("files", "datasets"),
    ("files", "models"),
    ("simulate", "datasets"),
    ("datasets", "fold"),
    ("models", "fold"),
    ("fold", "stats"),
    ("stats", "inference"),
    ("inference", "plots"),
    ("inference", "cli"),
)
BELOW = "units  \u2192  parameters  \u2192  maps  \u2192  irf"
WIDTH, HEIGHT = 2.0, 1.3


def box(ax: Any, x: float, y: float, title: str, text: str, colour: str) -> None:
    shape = FancyBboxPatch(
        (x, y),
        WIDTH,
        HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.12",
        fc=colour,
        ec=EDGE,
        lw=1.2,
    )
    ax.add_patch(shape)
    middle = x + WIDTH / 2
    ax.text(
        middle, y + 0.98, title, ha="center", va="center", weight="bold", size=11, color=INK
    )
    ax.text(middle, y + 0.43, text, ha="center", va="center", size=8.5, color=INK)


def arrow(ax: Any, start: str, end: str) -> None:
    (x0, y0), (x1, y1) = (BOXES[name][:2] for name in (start, end))
    tail, head = (x0 + WIDTH, y0 + HEIGHT / 2), (x1, y1 + HEIGHT / 2)
    ax.add_patch(
        FancyArrowPatch(tail, head, arrowstyle="-|>", mutation_scale=13, color=EDGE, lw=1.2)
    )


def draw() -> Any:
    plt.rcParams.update({"font.family": "DejaVu Sans", "svg.hashsalt": "gammajax"})
    figure, ax = plt.subplots(figsize=(12.6, 4.24))
    for spec in BOXES.values():
        box(ax, *spec)
    for start, end in ARROWS:
        arrow(ax, start, end)
    base = FancyBboxPatch(
        (2.6, -0.35),
        9.8,
        0.7,
        boxstyle="round,pad=0,rounding_size=0.12",
        fc=HOST,
        ec=EDGE,
        lw=1.2,
    )
    ax.add_patch(base)
    ax.text(7.5, 0.0, BELOW, ha="center", va="center", weight="bold", size=10.5, color=INK)
    for x, text, colour in (
        (5.3, "on the host: NumPy, astropy", HOST),
        (8.6, "pure JAX: compiled, differentiable", PURE),
    ):
        frame = {"fc": colour, "ec": EDGE, "boxstyle": "round,pad=0.35"}
        ax.text(x, 4.1, text, size=9.5, color=INK, va="center", bbox=frame)
    ax.set(xlim=(-0.15, 15.15), ylim=(-0.5, 4.65), aspect="equal")
    ax.axis("off")
    figure.subplots_adjust(left=0, right=1, bottom=0, top=1)
    return figure


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg")
    metadata = {"Date": None} if target.suffix == ".svg" else None
    draw().savefig(target, metadata=metadata, dpi=100)
