"""From a configuration to what is done: runs, an empty dataset, makers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gammajax.cli.config import Config
from gammajax.storage import expand, suggest

EXCLUSION_WIDTH = 12.0
"""How wide a map of the excluded regions is around an on region, in deg."""


@dataclass(frozen=True)
class Plan:
    """What a reduction will do.

    ``runs`` are those that are there, ``absent`` the numbers of others that are left out.
    """

    config: Config
    runs: list[Any]
    absent: list[int]
    dataset: Any
    makers: list[Any]
    cutout_width: float | None


@contextmanager
def section(name: str) -> Iterator[None]:
    """Errors of objects made from a section begin with its name."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from None


def check_parameters(made: Any, given: dict[str, Any]) -> None:
    """Raise if an object has no parameters of these names.

    Parameters
    ----------
    made : type
        A dataclass.
    given : dict
    """
    known = [item.name for item in fields(made) if item.init]
    for name in given:
        if name not in known:
            raise ValueError(f"unknown key parameters.{name}{suggest(name, known)}")


def make_plan(config: Config, folder: Path) -> Plan:
    """The plan of a configuration whose paths are relative to a folder.

    Raises
    ------
    ValueError
        That begins with the section in which something is wrong.
    """
    with section("datasets.geom"):
        dataset = empty_dataset(config)
    makers = make_makers(config, dataset, folder)
    with section("observations"):
        runs, absent = select_runs(config, folder)
    selection = config.datasets.geom.selection
    is_map = config.datasets.type == "3d"
    width = 2 * selection.offset_max if is_map and selection.offset_max else None
    return Plan(config, runs, absent, dataset, makers, width)


def select_runs(config: Config, folder: Path) -> tuple[list[Any], list[int]]:
    """The runs, and the numbers of those whose files are absent."""
    from gammajax.data import DataStore

    chosen = config.observations
    store = DataStore.from_dir(expand(chosen.datastore, folder, "datastore"))
    numbers = list(chosen.obs_ids)
    if chosen.obs_file:
        path = expand(chosen.obs_file, folder, "obs_file")
        numbers += [int(word) for word in path.read_text(encoding="utf-8").split()]
    if chosen.obs_cone.skycoord is not None:
        store = store.select_sky_circle(chosen.obs_cone.skycoord, chosen.obs_cone.radius or 0)
    start, stop = _times(chosen.obs_time.start, chosen.obs_time.stop)
    if start is not None and stop is not None:
        store = store.select_time(start, stop)
    wanted = numbers or store.obs_ids
    missing = set(store.missing)
    absent = [number for number in wanted if number in missing]
    if absent and chosen.missing == "error":
        raise ValueError(
            f"the files of {len(absent)} of {len(wanted)} runs are absent ({_some(absent)}); "
            "choose others with obs_ids, or leave them out with missing: skip"
        )
    runs = [store.obs(number) for number in wanted if number not in missing]
    if not runs:
        raise ValueError(f"no run is left of {len(wanted)}")
    return runs, absent


def _some(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:5])
    return shown + (" and others" if len(numbers) > 5 else "")


def _times(*texts: str | None) -> list[Any]:
    from astropy.time import Time

    return [None if text is None else Time(text, scale="utc") for text in texts]


def empty_dataset(config: Config) -> Any:
    """The dataset with nothing in it."""
    from gammajax.datasets import MapDataset, SpectrumDataset
    from gammajax.maps import RegionGeom, WcsGeom

    made = config.datasets
    with section("axes.energy"):
        energy = made.geom.axes.energy.axis("energy")
    with section("axes.energy_true"):
        true = made.geom.axes.energy_true.axis("energy_true")
    if made.type == "1d":
        geom = RegionGeom.create(on_region(config), axes=[energy])
        return SpectrumDataset.create(geom, true, name="stacked")
    wcs = made.geom.wcs
    if wcs.skydir.skycoord is None:
        raise ValueError("wcs.skydir: has no lon or lat, the middle of the map")
    geom = WcsGeom.create(
        skydir=wcs.skydir.skycoord,
        width=(wcs.width.width, wcs.width.height),
        binsz=wcs.binsize,
        proj=wcs.proj,
        frame=wcs.skydir.frame or "icrs",
        axes=[energy],
    )
    return MapDataset.create(geom, true, name="stacked", binsz_irf=wcs.binsize_irf)


def on_region(config: Config) -> Any:
    """The on region of spectra: a circle, or a point for responses with a cut."""
    from regions import CircleSkyRegion, PointSkyRegion

    from gammajax.units import to_quantity

    region = config.datasets.on_region
    center = region.skycoord
    if center is None:
        raise ValueError("on_region: has no lon or lat, which a spectrum (type: 1d) needs")
    if region.radius is None:
        return PointSkyRegion(center)
    return CircleSkyRegion(center, to_quantity(region.radius, "deg"))


def make_makers(config: Config, dataset: Any, folder: Path) -> list[Any]:
    """The makers, in order."""
    from gammajax.makers import MapDatasetMaker, SafeMaskMaker, SpectrumDatasetMaker

    made = config.datasets
    with section("datasets.safe_mask"):
        check_parameters(SafeMaskMaker, made.safe_mask.parameters)
        safe = SafeMaskMaker(methods=tuple(made.safe_mask.methods), **made.safe_mask.parameters)
    with section("datasets.background"):
        background = _background(config, dataset, folder)
    if made.type == "3d":
        with section("datasets.map_selection"):
            first: Any = MapDatasetMaker(selection=tuple(made.map_selection))
        return [first, safe, *background]
    with section("datasets"):
        selection = ("counts", "exposure", "edisp")
        first = SpectrumDatasetMaker(
            selection=selection if background else (*selection, "background"),
            containment_correction=made.containment_correction,
            use_region_center=made.use_region_center,
        )
    return [first, *background, safe]


KINDS = {
    "1d": ("reflected",),
    "3d": ("fov_background", "ring", "adaptive_ring"),
}


def _background(config: Config, dataset: Any, folder: Path) -> list[Any]:
    """The maker of the background, if there is one."""
    from gammajax import makers

    wanted = config.datasets.background
    if wanted.method is None:
        return []
    kind = config.datasets.type
    if wanted.method not in KINDS[kind]:
        raise ValueError(
            f"method is {wanted.method!r}, and datasets of type {kind} have "
            f"{', '.join(KINDS[kind])}"
        )
    options = dict(wanted.parameters)
    mask = exclusion_mask(wanted.exclusion, dataset, folder)
    if wanted.method == "reflected":
        wobble = "n_off_regions" in options
        finder = makers.WobbleRegionsFinder if wobble else makers.ReflectedRegionsFinder
        check_parameters(finder, options)
        maker = makers.ReflectedRegionsBackgroundMaker
        return [maker(region_finder=finder(**options), exclusion_mask=mask)]
    named: dict[str, Any] = {
        "fov_background": makers.FoVBackgroundMaker,
        "ring": makers.RingBackgroundMaker,
        "adaptive_ring": makers.AdaptiveRingBackgroundMaker,
    }
    check_parameters(named[wanted.method], options)
    return [named[wanted.method](exclusion_mask=mask, **options)]


def exclusion_mask(given: Any, dataset: Any, folder: Path) -> Any:
    """The mask of a file, or an image that is false in regions of DS9's language."""
    from gammajax.maps import Map, RegionGeom, WcsGeom

    if given is None:
        return None
    if isinstance(given, str) and ";" not in given and "(" not in given:
        found = Map.read(expand(given, folder, "exclusion"))
        return found.with_data(found.data != 0)
    regions = [given] if isinstance(given, str) else given
    if hasattr(dataset, "geom"):
        image = dataset.geom.to_image()
    else:
        center = RegionGeom.create(dataset.meta["on_region"]).center_skydir
        image = WcsGeom.create(
            skydir=center, width=EXCLUSION_WIDTH, binsz=0.02, proj="TAN", frame="icrs"
        )
    return Map.from_geom(image, data=image.region_mask(regions, inside=False))
