"""``gammajax reduce``."""

from __future__ import annotations

import warnings
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gammajax.cli.config import read_config
from gammajax.cli.console import bad_input, console, counted, say_error, table
from gammajax.cli.folder import check_output, output_folder, write_json
from gammajax.cli.info import versions
from gammajax.cli.options import Show
from gammajax.cli.plan import Plan, make_plan


def run(
    path: Path, output: Path | None, show: Show, *, overwrite: bool, dry_run: bool, **how: Any
) -> int:
    """Read the configuration, reduce and write; gives the exit status."""
    with bad_input():
        plan, target = planned(path, output, overwrite=overwrite or dry_run)
    out = console(show.quiet)
    if dry_run:
        describe_plan(plan, out)
        out.print(f"Would write the datasets to {target}/")
        return 0
    with bad_input():
        datasets = reduce(plan, show, **how)
        with output_folder(target) as folder:
            write_reduced(plan, datasets, folder, path)
    print_reduced(plan, datasets, out)
    out.print(f"Datasets are in {target}/; gammajax fit -d {target / 'datasets.yaml'} ...")
    return 1 if datasets.failures else 0


def planned(path: Path, output: Path | None, *, overwrite: bool) -> tuple[Plan, Path]:
    """The plan of a configuration, and where its results go.

    Raises
    ------
    ValueError
        If the configuration is bad, or the output folder is not empty.
    """
    config = read_config(path)
    target = output if output is not None else path.parent / config.general.outdir
    check_output(target, overwrite)
    try:
        return make_plan(config, path.parent), target
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def reduce(plan: Plan, show: Show, *, jobs: int | None = None, cluster: str = "") -> Any:
    """The datasets of a plan; runs that fail are in their ``failures``."""
    from gammajax.config import enable_compilation_cache
    from gammajax.makers import RunsFailedWarning

    if show.cache:
        enable_compilation_cache()
    with warnings.catch_warnings(), executor_at(cluster) as executor:
        warnings.simplefilter("ignore", RunsFailedWarning)  # they are printed as a table
        return maker_of(plan, jobs=jobs, executor=executor, progress=not show.quiet).run(
            plan.dataset, plan.runs
        )


def maker_of(plan: Plan, *, jobs: int | None, executor: Any, progress: bool) -> Any:
    """The maker of all datasets of a plan."""
    from gammajax.makers import DatasetsMaker

    config = plan.config
    return DatasetsMaker(
        [Required(tuple(config.observations.required_irf or ())), *plan.makers],
        stack_datasets=config.datasets.stack,
        cutout_width=plan.cutout_width,
        n_jobs=jobs or config.general.n_jobs,
        executor=executor,
        progress=progress,
    )


class Required:
    """A maker that changes nothing, and refuses runs that lack a response."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names

    def run(self, dataset: Any, observation: Any) -> Any:
        """The dataset as it is."""
        lacking = [name for name in self.names if name not in observation.available]
        if lacking:
            raise ValueError(
                f"run {observation.obs_id}: has no {', '.join(lacking)}, which "
                "observations.required_irf asks for"
            )
        return dataset


class executor_at:
    """The executor of a Dask cluster at an address; None without one."""

    def __init__(self, address: str) -> None:
        self.address, self.client = address, None

    def __enter__(self) -> Any:
        if not self.address:
            return None
        try:
            from distributed import Client
        except ImportError:
            raise ValueError(
                '--cluster needs the package distributed: pip install "gammajax[dask]"'
            ) from None
        client: Any = Client(self.address)
        self.client = client
        return client.get_executor()

    def __exit__(self, *failure: Any) -> None:
        if self.client is not None:
            self.client.close()


def write_reduced(plan: Plan, datasets: Any, folder: Path, config: Path) -> None:
    """The files of a reduction: datasets, the configuration, and ``reduction.json``."""
    datasets.write(folder / "datasets.yaml")
    (folder / "config.yaml").write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    write_json(folder / "reduction.json", describe_reduced(plan, datasets))


def describe_reduced(plan: Plan, datasets: Any) -> dict[str, Any]:
    """What ``reduction.json`` holds."""
    return {
        "runs": [run.obs_id for run in plan.runs if run.obs_id not in datasets.failures],
        "failures": datasets.failures,
        "absent": plan.absent,
        "datasets": [dataset.info_dict() for dataset in datasets],
        "versions": versions(),
    }


def describe_plan(plan: Plan, out: Any) -> None:
    """What a dry run prints."""
    numbers = ", ".join(str(run.obs_id) for run in plan.runs)
    out.print(f"[bold]{counted(len(plan.runs), 'run')}[/bold]: {numbers}")
    if plan.absent:
        out.print(f"Left out, as their files are absent: {counted(len(plan.absent), 'run')}")
    dataset = plan.dataset
    if hasattr(dataset, "geom"):
        out.print(f"Map: {dataset.geom!r}", markup=False)
    else:
        out.print(f"On region: {region_in_words(dataset.meta['on_region'])}", markup=False)
        out.print(f"Energy: {dataset.energy!r}", markup=False)
    out.print(f"True energy: {dataset.energy_true!r}", markup=False)
    for maker in plan.makers:
        out.print(f"Maker: {maker_in_words(maker)}", markup=False)
    stacked = plan.config.datasets.stack
    out.print("All runs are summed" if stacked else "Each run has a dataset of its own")
    for key in plan.config.unused():
        out.print(f"[yellow]{key} is not used[/yellow]")


def maker_in_words(maker: Any) -> str:
    """A maker, with what differs from its defaults."""
    from gammajax.maps import Map

    if not is_dataclass(maker):
        return repr(maker)
    told = []
    for item in fields(maker):
        value = getattr(maker, item.name)
        if isinstance(value, Map):
            share = 100 * float(np.mean(np.asarray(value.data) == 0))
            size = "x".join(str(number) for number in value.geom.to_image().data_shape[::-1])
            told.append(f"{item.name}=<{share:.2g} % of {size} pixels excluded>")
        elif is_dataclass(value):
            told.append(f"{item.name}={maker_in_words(value)}")
        elif value != item.default:
            told.append(f"{item.name}={value!r}")
    return f"{type(maker).__name__}({', '.join(told)})"


def region_in_words(region: Any) -> str:
    """A circle or a point on the sky, in one line."""
    center = region.center
    first, second = (
        f"{float(a.deg):.4f}" for a in (center.spherical.lon, center.spherical.lat)
    )
    where = f"({first}, {second}) in {center.frame.name}"
    if not hasattr(region, "radius"):
        return f"the point {where}"
    return f"a circle of {float(region.radius.to_value('deg')):g} deg around {where}"


def print_reduced(plan: Plan, datasets: Any, out: Any) -> None:
    """The datasets, and the runs that failed."""
    numbers = ("bins", "counts", "background", "excess")
    shown = table("Datasets", "name", *numbers, "energies (TeV)", numbers=numbers)
    for dataset in datasets:
        info = dataset.info_dict()
        energies = f"{info['energy_min']:.3g} to {info['energy_max']:.3g}"
        whole = (f"{info[key]:.0f}" for key in ("n_bins", "counts"))
        parts = (f"{info[key]:.2f}" for key in ("background", "excess"))
        shown.add_row(dataset.name, *whole, *parts, energies)
    out.print(shown)
    for number, reason in datasets.failures.items():
        say_error(f"left out: run {number}: {reason.removeprefix(f'run {number}: ')}")
    if plan.absent:
        out.print(f"Left out, as their files are absent: {counted(len(plan.absent), 'run')}")
