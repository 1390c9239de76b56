"""What the commands of surveys are called, and what they say about themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gammajax.cli import options as opt

CatalogName = Annotated[
    str, typer.Argument(metavar="NAME", help="Of the catalogue: 3fhl, 4fgl, ...")
]
OtherModels = Annotated[
    Path | None,
    typer.Option(
        "--models", "-m", metavar="FILE", help="YAML file of what is there besides: diffuse "
        "emission, backgrounds."
    ),
]  # fmt: skip
Fluxes = Annotated[
    str | None,
    typer.Option(
        metavar="ENERGIES", help="Range of the fluxes in the table: '10 GeV, 1 TeV'; by "
        "default that of the datasets."
    ),
]  # fmt: skip
Margin = Annotated[
    str, typer.Option(metavar="ANGLE", help="How far outside of the maps sources are taken.")
]
MinTS = Annotated[
    float | None,
    typer.Option(metavar="TS", help="Sources below this in the catalogue are frozen."),
]
MinVariability = Annotated[
    float | None,
    typer.Option(metavar="NUMBER", help="Sources whose variability index is below are frozen."),
]
Within = Annotated[
    str | None,
    typer.Option(
        metavar="ANGLE", help="Sources further from the middle of the first map are frozen."
    ),
]
PositionsTS = Annotated[
    float | None,
    typer.Option(metavar="TS", help="Positions of sources above this are free too."),
]
NormsOnly = Annotated[
    bool, typer.Option("--norms-only", help="Leave the shapes of spectra as they are.")
]
CheckpointFile = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint", metavar="FILE", help="Keep the state of the fit here; go on from it "
        "if it is there."
    ),
]  # fmt: skip


def catalog_fit(
    name: CatalogName,
    datasets: opt.DatasetsFile,
    output: opt.Output,
    models: OtherModels = None,
    file: opt.CatalogFile = None,
    margin: Margin = "1 deg",
    min_ts: MinTS = None,
    min_variability: MinVariability = None,
    within: Within = None,
    positions_ts: PositionsTS = None,
    norms_only: NormsOnly = False,
    fluxes: Fluxes = None,
    checkpoint: CheckpointFile = None,
    energy_min: opt.EnergyMin = None,
    energy_max: opt.EnergyMax = None,
    overwrite: opt.Overwrite = False,
    plots: opt.Plots = True,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
) -> None:
    """Fit all sources of a catalogue that are in counts cubes, as one problem.

    Spectra start from the catalogue. Prints how much memory it takes and how far it is. Writes
    [bold]sources.ecsv[/bold] with fluxes and significances beside those of the catalogue,
    [bold]models.yaml[/bold], [bold]fit.json[/bold], maps of residuals, and a page,
    [bold]index.html[/bold].
    """
    from gammajax.cli.survey import Rules, Survey
    from gammajax.cli.survey import catalog_fit as run

    survey = Survey(datasets, models, output, energy_min, energy_max, fluxes, overwrite)
    rules = Rules(name, file, margin, min_ts, min_variability, within, positions_ts, norms_only)
    show = opt.Show(plots=plots, quiet=quiet, cache=cache)
    raise typer.Exit(run(survey, show, rules, checkpoint))


def find_sources(
    datasets: opt.DatasetsFile,
    output: opt.Output,
    models: OtherModels = None,
    threshold: Annotated[float, typer.Option(help="Least significance, in sigma.")] = 5.0,
    min_distance: Annotated[
        str, typer.Option(metavar="ANGLE", help="Of peaks in one round.")
    ] = "0.5 deg",
    kernel_width: Annotated[
        str | None, typer.Option(metavar="ANGLE", help="Side of the kernel: '0.5 deg'.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Most rounds.")] = 5,
    fixed: Annotated[
        bool, typer.Option("--fixed-positions", help="Leave new sources on their pixels.")
    ] = False,
    fluxes: Fluxes = None,
    energy_min: opt.EnergyMin = None,
    energy_max: opt.EnergyMax = None,
    overwrite: opt.Overwrite = False,
    plots: opt.Plots = True,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
) -> None:
    """Find the sources that models lack: significance map, peaks, fit, and again.

    Writes [bold]models.yaml[/bold] with the new sources, [bold]sources.ecsv[/bold],
    [bold]fit.json[/bold], maps of residuals, and a page, [bold]index.html[/bold].
    """
    from gammajax.cli.survey import Survey
    from gammajax.cli.survey import find_sources as run

    survey = Survey(datasets, models, output, energy_min, energy_max, fluxes, overwrite)
    show = opt.Show(plots=plots, quiet=quiet, cache=cache)
    how = {
        "threshold": threshold,
        "min_distance": min_distance,
        "kernel_width": kernel_width,
        "most_rounds": rounds,
        "free_position": not fixed,
    }
    raise typer.Exit(run(survey, show, how))
