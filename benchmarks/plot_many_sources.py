"""The figure of time against the number of sources, from the recorded figures.

    python benchmarks/plot_many_sources.py docs/figures/many_sources.png

draws what `test_fits3d.py` has written into ``benchmarks/results/fits3d.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

RESULTS = Path(__file__).resolve().parent / "results" / "fits3d.json"


def rows(found: dict, kind: str) -> list[dict]:
    """The rows of one kind, by the number of sources."""
    rows = [row for name, row in found.items() if name.endswith(f"sources, positions {kind}")]
    return sorted(rows, key=lambda row: row["sources"])


def main() -> None:
    """Draw seconds of the clock, and gigabytes."""
    found = json.loads(RESULTS.read_text())
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for kind, style in (("frozen", "o-"), ("free", "s--")):
        some = rows(found, kind)
        number = [row["sources"] for row in some]
        for color, (key, label) in enumerate(
            (
                ("cold", "new process"),
                ("plan", "of that planning"),
                ("warm", "fit again"),
            )
        ):
            left.loglog(
                number,
                [row[key] for row in some],
                style,
                color=f"C{color}",
                label=f"{label}, positions {kind}" if some else None,
            )
        right.loglog(number, [row["peak_mb"] / 1024 for row in some], style, color="C3")
    left.set(xlabel="sources", ylabel="time / s")
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    right.set(xlabel="sources", ylabel="largest memory / GB", ylim=(0.5, 16))
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(sys.argv[1], dpi=150)


if __name__ == "__main__":
    main()
