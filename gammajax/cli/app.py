"""The command line: what the commands are called and what they say about themselves.

JAX takes seconds to import, so no module that imports it is imported here: the commands
import theirs when they run.
"""

from __future__ import annotations

import signal
import sys
from typing import Annotated, Any

import typer

from gammajax import __version__
from gammajax.cli import examples, survey_commands
from gammajax.cli import options as opt
from gammajax.cli.console import say_error

app = typer.Typer(
    name="gammajax",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "[bold]New here?[/bold] Run [cyan]gammajax demo --output demo[/cyan] and open "
        "demo/index.html: it simulates a sky, fits and samples it, and leaves the files "
        "that the other commands read."
    ),
)


def _version(asked: bool) -> None:
    if asked:
        print(f"gammajax {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Gamma-ray spectra, from files to fits and posteriors, with exact derivatives."""


@app.command(epilog=examples.FIT)
def fit(
    datasets: opt.DatasetsFile,
    models: opt.ModelsFile,
    output: opt.Output,
    method: opt.Method = "newton",
    covariance: opt.Covariance = "hessian",
    checkpoint: opt.Checkpoint = None,
    coordinator: opt.Coordinator = "",
    processes: opt.Processes = 1,
    process: opt.Process = 0,
    energy_min: opt.EnergyMin = None,
    energy_max: opt.EnergyMax = None,
    overwrite: opt.Overwrite = False,
    plots: opt.Plots = True,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
) -> None:
    """Fit models to datasets.

    Prints the parameters and writes into the output folder: [bold]models.yaml[/bold] with
    errors and a covariance file, [bold]fit.json[/bold] with the statistic, the times and all
    parameters, and plots of the counts, the spectra and the correlations.
    """
    from gammajax.cli.fit import run

    request = opt.Request(datasets, models, output, energy_min, energy_max, overwrite)
    show = opt.Show(plots=plots, quiet=quiet, cache=cache)
    how = opt.Fitting(method, covariance, checkpoint, coordinator, processes, process)
    raise typer.Exit(run(request, show, how))


@app.command(epilog=examples.SAMPLE)
def sample(
    datasets: opt.DatasetsFile,
    models: opt.ModelsFile,
    output: opt.Output,
    chains: Annotated[int, typer.Option(min=1, help="Independent chains.")] = 4,
    warmup: Annotated[int, typer.Option(min=1, help="Steps of each to adapt.")] = 300,
    samples: Annotated[int, typer.Option(min=1, help="Draws of each to keep.")] = 1000,
    seed: Annotated[int, typer.Option(help="Decides the random numbers.")] = 0,
    svi: Annotated[
        bool, typer.Option("--svi", help="Approximate by a multivariate normal: no chains.")
    ] = False,
    energy_min: opt.EnergyMin = None,
    energy_max: opt.EnergyMax = None,
    overwrite: opt.Overwrite = False,
    plots: opt.Plots = True,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
) -> None:
    """Draw from the posterior of models given datasets.

    A fit comes first; its covariance makes the sampler (NUTS) efficient. Priors are those
    of the model file. Writes [bold]posterior.zarr[/bold], which ArviZ and xarray open,
    [bold]summary.json[/bold], a corner plot, the traces and the spectra.
    """
    from gammajax.cli.sample import Sampling, run

    request = opt.Request(datasets, models, output, energy_min, energy_max, overwrite)
    show = opt.Show(plots=plots, quiet=quiet, cache=cache)
    raise typer.Exit(run(request, show, Sampling(chains, warmup, samples, seed, svi)))


@app.command(epilog=examples.REDUCE)
def reduce(
    config: opt.ConfigFile,
    output: opt.OutputOrNone = None,
    dry_run: opt.DryRun = False,
    jobs: opt.Jobs = None,
    cluster: opt.Cluster = "",
    overwrite: opt.Overwrite = False,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
) -> None:
    """Reduce runs to datasets.

    The configuration says which runs, in which bins, and how the background is measured.
    Writes [bold]datasets.yaml[/bold] with its files, which [cyan]gammajax fit[/cyan] reads.
    """
    from gammajax.cli.reduce import run

    show = opt.Show(plots=False, quiet=quiet, cache=cache)
    how = {"jobs": jobs, "cluster": cluster}
    raise typer.Exit(run(config, output, show, overwrite=overwrite, dry_run=dry_run, **how))


@app.command(epilog=examples.ANALYSIS)
def analysis(
    config: opt.ConfigFile,
    output: opt.OutputOrNone = None,
    dry_run: opt.DryRun = False,
    jobs: opt.Jobs = None,
    cluster: opt.Cluster = "",
    overwrite: opt.Overwrite = False,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
) -> None:
    """Go from runs to a report: reduce, fit, sample, flux points, light curve, maps.

    Writes what [cyan]gammajax reduce[/cyan], [cyan]fit[/cyan] and [cyan]sample[/cyan] write,
    and a page, [bold]index.html[/bold], with all pictures.
    """
    from gammajax.cli.analysis import run

    show = opt.Show(plots=True, quiet=quiet, cache=cache)
    how = {"jobs": jobs, "cluster": cluster}
    raise typer.Exit(run(config, output, show, overwrite=overwrite, dry_run=dry_run, **how))


@app.command(name="flux-points", epilog=examples.POINTS)
def flux_points(
    datasets: opt.DatasetsFile,
    models: opt.ModelsFile,
    output: opt.Output,
    edges: opt.Edges = None,
    source: opt.Source = None,
    method: opt.How = "independent",
    reoptimize: opt.Reoptimize = None,
    energy_min: opt.EnergyMin = None,
    energy_max: opt.EnergyMax = None,
    overwrite: opt.Overwrite = False,
    plots: opt.Plots = True,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
) -> None:
    """Measure the spectrum of a source as flux points.

    The models are taken as they are: give those that a fit wrote. Writes
    [bold]flux_points.fits[/bold] with likelihood scans, [bold]flux_points.ecsv[/bold], and a
    picture of points, profiles and model.
    """
    from gammajax.cli.estimate import Estimate
    from gammajax.cli.estimate import flux_points as run

    request = opt.Request(datasets, models, output, energy_min, energy_max, overwrite)
    show = opt.Show(plots=plots, quiet=quiet, cache=cache)
    raise typer.Exit(run(request, show, Estimate(source, edges, reoptimize, method)))


@app.command(name="light-curve", epilog=examples.POINTS)
def light_curve(
    datasets: opt.DatasetsFile,
    models: opt.ModelsFile,
    output: opt.Output,
    intervals: Annotated[str, typer.Option(metavar="NAME", help="run or night.")] = "run",
    edges: opt.Edges = None,
    source: opt.Source = None,
    method: opt.How = "independent",
    reoptimize: opt.Reoptimize = None,
    energy_min: opt.EnergyMin = None,
    energy_max: opt.EnergyMax = None,
    overwrite: opt.Overwrite = False,
    plots: opt.Plots = True,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
) -> None:
    """Measure the flux of a source by run or by night.

    Datasets need good time intervals. Writes [bold]light_curve.fits[/bold],
    [bold]light_curve.ecsv[/bold] and a picture.
    """
    from gammajax.cli.estimate import Estimate
    from gammajax.cli.estimate import light_curve as run

    request = opt.Request(datasets, models, output, energy_min, energy_max, overwrite)
    show = opt.Show(plots=plots, quiet=quiet, cache=cache)
    wanted = Estimate(source, edges, reoptimize, method)
    raise typer.Exit(run(request, show, wanted, intervals))


@app.command(name="ts-map", epilog=examples.POINTS)
def ts_map(
    datasets: opt.DatasetsFile,
    models: opt.ModelsFile,
    output: opt.Output,
    source: opt.Source = None,
    kernel_width: Annotated[
        str | None, typer.Option(metavar="ANGLE", help="Side of the kernel: '0.5 deg'.")
    ] = None,
    edges: opt.Edges = None,
    threshold: Annotated[float, typer.Option(help="Least significance of a peak.")] = 5.0,
    energy_min: opt.EnergyMin = None,
    energy_max: opt.EnergyMax = None,
    overwrite: opt.Overwrite = False,
    plots: opt.Plots = True,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
) -> None:
    """Look for sources: a map of significance, with its peaks.

    [cyan]--source[/cyan] names the component whose shape and spectrum are moved over the map;
    it is taken out of the models, which are the background. Without it, a point with a power
    law of index 2 is. Writes [bold]ts_map.fits[/bold], [bold]peaks.ecsv[/bold] and a picture.
    """
    from gammajax.cli.estimate import Estimate
    from gammajax.cli.estimate import ts_map as run

    request = opt.Request(datasets, models, output, energy_min, energy_max, overwrite)
    show = opt.Show(plots=plots, quiet=quiet, cache=cache)
    wanted = Estimate(source, edges, None)
    raise typer.Exit(run(request, show, wanted, kernel_width, threshold))


@app.command()
def demo(
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="DIR", help="Folder for all results.")
    ] = "gammajax-demo",
    seed: Annotated[int, typer.Option(help="Another seed draws other data.")] = 0,
    overwrite: opt.Overwrite = False,
    quiet: opt.Quiet = False,
    cache: opt.Cache = True,
    samples: Annotated[int, typer.Option(min=10, hidden=True)] = 1000,
    chains: Annotated[int, typer.Option(min=1, hidden=True)] = 4,
) -> None:
    """Show everything once: simulate runs, reduce, fit, sample, compare with the truth.

    Needs no files. Writes a page, [bold]index.html[/bold], that explains each step, and the
    data and model files that [cyan]gammajax fit[/cyan] reads. A folder that an earlier demo
    wrote is replaced.
    """
    from gammajax.cli.demo import run

    show = opt.Show(plots=True, quiet=quiet, cache=cache)
    raise typer.Exit(run(output, show, seed=seed, overwrite=overwrite, draws=(chains, samples)))


@app.command(epilog=examples.DOWNLOAD)
def download(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAMES]...", help="Datasets; all of them.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder for them; $GAMMAPY_DATA by default."
        ),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Another index: a file, or an address (YAML)."),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Only show what there is.")] = False,
    quiet: opt.Quiet = False,
) -> None:
    """Fetch public datasets into [bold]$GAMMAPY_DATA[/bold].

    Files are compared with their checksums. What is there already is not fetched again, and
    what was interrupted goes on where it stopped.
    """
    from gammajax.cli.download import run

    raise typer.Exit(run(names or [], output, index, listing=listing, quiet=quiet))


@app.command(epilog=examples.CATALOG)
def catalog(
    name: opt.CatalogName = None,
    source: opt.CatalogSource = None,
    file: opt.CatalogFile = None,
    region: opt.Region = "",
    output: opt.ModelsOut = None,
    overwrite: opt.Overwrite = False,
) -> None:
    """Show published sources, and write them as models."""
    from gammajax.cli.catalog import run

    how = {"file": file, "region": region, "output": output, "overwrite": overwrite}
    raise typer.Exit(run(name, source, **how))


app.command(name="catalog-fit", epilog=examples.SURVEY)(survey_commands.catalog_fit)
app.command(name="find-sources", epilog=examples.SURVEY)(survey_commands.find_sources)


@app.command()
def info(
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON instead of a table.")
    ] = False,
) -> None:
    """Show versions, devices, precision, and where cache and data are."""
    from gammajax.cli.info import run

    raise typer.Exit(run(as_json=json))


def _stop(number: int, _: Any) -> None:
    sys.exit(128 + number)


def main() -> None:
    """The entry point. A signal to stop ends in the same clean-up as any exception."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except KeyboardInterrupt:
        say_error("interrupted; nothing was written")
        sys.exit(130)
