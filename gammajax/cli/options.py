"""Options that commands share, and what they amount to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

DatasetsFile = Annotated[
    Path, typer.Option("--datasets", "-d", metavar="FILE", help="YAML list of datasets.")
]
ModelsFile = Annotated[
    Path, typer.Option("--models", "-m", metavar="FILE", help="YAML file of models.")
]
Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results; is made.")
]
ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="YAML file that says what to do.")
]
OutputOrNone = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Folder for the results; by default general.outdir of CONFIG, beside it.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check everything, say what would be done, stop.")
]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Processes that share the runs; else general.n_jobs of CONFIG."),
]
Cluster = Annotated[
    str, typer.Option(metavar="ADDRESS", help="A Dask cluster that reduces the runs instead.")
]
Method = Annotated[
    str, typer.Option(metavar="NAME", help="Minimiser: newton, lbfgs, adam or minuit.")
]
Covariance = Annotated[
    str, typer.Option(metavar="KIND", help="Errors from: hessian, fisher or sandwich.")
]
EnergyMin = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[NAME=]ENERGY",
        help="Lower end of the fit range, in TeV or with a unit. NAME= limits it to datasets "
        "that match a glob; may be given several times.",
    ),
]
EnergyMax = Annotated[
    list[str] | None,
    typer.Option(metavar="[NAME=]ENERGY", help="Upper end of the fit range, likewise."),
]
Source = Annotated[
    str | None, typer.Option(metavar="NAME", help="The source; needed if there are several.")
]
Edges = Annotated[
    str | None,
    typer.Option(
        metavar="ENERGIES", help="Edges of the energy bins, with commas: '0.7,1.5,3 TeV,10'."
    ),
]
Reoptimize = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="Free parameters of other components that are fitted again, such as '*.norm', or "
        "'*' for all; may be given several times.",
    ),
]
How = Annotated[
    str, typer.Option("--method", metavar="NAME", help="independent, or joint: one fit of all.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace results of the same names in DIR.")
]
Plots = Annotated[bool, typer.Option("--plots/--no-plots", help="Whether to draw pictures.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Cache = Annotated[
    bool,
    typer.Option(
        "--cache/--no-cache",
        help="Keep compiled programs on disk, so that the next run starts fast.",
    ),
]


Coordinator = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="Share the fit out over processes: where process 0 is. The same command is "
        "started for each, with its own --process.",
    ),
]
Processes = Annotated[int, typer.Option(metavar="N", min=1, help="How many processes.")]
Process = Annotated[int, typer.Option(metavar="I", min=0, help="Which of them this is.")]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Keep the state of the fit in FILE; go on from it if it is there."
    ),
]


@dataclass(frozen=True)
class Request:
    """What to read, in which energy ranges, and where to write."""

    datasets: Path
    models: Path
    output: Path
    energy_min: list[str] | None = None
    energy_max: list[str] | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Fitting:
    """How to fit, and in which of how many processes."""

    method: str = "newton"
    covariance: str = "hessian"
    checkpoint: Path | None = None
    coordinator: str = ""
    processes: int = 1
    process: int = 0


@dataclass(frozen=True)
class Show:
    """What to draw and print, and whether to keep compiled programs."""

    plots: bool = True
    quiet: bool = False
    cache: bool = True


CatalogName = Annotated[
    str | None, typer.Argument(metavar="NAME", help="3fhl, 4fgl, hgps, ...; none lists all.")
]
CatalogSource = Annotated[
    str | None, typer.Argument(metavar="SOURCE", help="A source by any of its names.")
]
CatalogFile = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="The file, if not below $GAMMAPY_DATA."),
]
Region = Annotated[
    str, typer.Option(metavar="REGION", help="As DS9: 'galactic;circle(0, 0, 5)', in deg.")
]
ModelsOut = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the models to this YAML file."),
]
