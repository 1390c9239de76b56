"""The configuration of an analysis: what a YAML file may say, close to that of gammapy.

Lengths are in deg and energies in TeV, or texts with a unit. Paths are relative to the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gammajax.storage import parse_yaml, read_text, suggest


def _in_unit(unit: str) -> Any:
    def convert(value: Any) -> Any:
        from gammajax.units import to_value

        return None if value is None else float(to_value(value, unit, where="a number"))

    return BeforeValidator(convert)


Angle = Annotated[float, _in_unit("deg")]
Span = Annotated[float, _in_unit("deg"), Field(gt=0)]
"""An angle above 0."""

Energy = Annotated[float, _in_unit("TeV")]
Frame = Literal["icrs", "galactic", "fk5"]
Text = Annotated[str, BeforeValidator(lambda value: value if value is None else str(value))]
"""A text; YAML reads dates and numbers as such."""


class Section(BaseModel):
    """A part of the configuration; keys that it does not know are errors."""

    model_config = ConfigDict(extra="forbid")


class Position(Section):
    """A place on the sky."""

    frame: Frame | None = None
    lon: Angle | None = None
    lat: Angle | None = None

    @property
    def skycoord(self) -> Any:
        """The place as a `~astropy.coordinates.SkyCoord`; None where it is not given."""
        if self.lon is None or self.lat is None:
            return None
        from astropy.coordinates import SkyCoord

        return SkyCoord(self.lon, self.lat, unit="deg", frame=self.frame or "icrs")


class Circle(Position):
    """A circle on the sky; without a radius, its middle."""

    radius: Span | None = None


class Bounds(Section):
    """Edges of energy that are even in its logarithm, or given one by one."""

    min: Energy | None = None
    max: Energy | None = None
    nbins: int | None = Field(default=None, ge=1)
    edges: list[Energy] | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is anything."""
        return self.edges is not None or None not in (self.min, self.max, self.nbins)

    def axis(self, name: str) -> Any:
        """The axis of energy."""
        from gammajax.maps import MapAxis

        if self.edges is not None:
            return MapAxis.from_energy_edges(self.edges, name=name)
        if not self.is_given:
            raise ValueError("give min, max and nbins, or edges")
        low, high, number = self.min, self.max, self.nbins
        return MapAxis.from_energy_bounds(low, high, number or 1, name=name)


class Range(Section):
    """From one energy to another; without an end, as far as the data go."""

    min: Energy | None = None
    max: Energy | None = None


class General(Section):
    """Folders and files; ``log`` and ``datasets_file`` are gammapy's, and not used here."""

    outdir: str = "results"
    n_jobs: int = Field(default=1, ge=1)
    models_file: str | None = None
    datasets_file: str | None = None
    log: dict[str, Any] = Field(default_factory=dict)


class Interval(Section):
    """A time and a later one, as texts such as ``2006-07-29T20:00:00`` (UTC)."""

    start: Text | None = None
    stop: Text | None = None


class Observations(Section):
    """Which runs; all that the store lists, unless they are chosen."""

    datastore: str = "$GAMMAPY_DATA/hess-dl3-dr1"
    obs_ids: list[int] = Field(default_factory=list)
    obs_file: str | None = None
    obs_cone: Circle = Field(default_factory=Circle)
    obs_time: Interval = Field(default_factory=Interval)
    required_irf: list[str] | None = None
    missing: Literal["error", "skip"] = "error"


class Size(Section):
    """Width and height of a map."""

    width: Span = 5.0
    height: Span = 5.0


class Wcs(Section):
    """A map."""

    skydir: Position = Field(default_factory=Position)
    proj: str = "TAN"
    binsize: Span = 0.02
    width: Size = Field(default_factory=Size)
    binsize_irf: Span = 0.2


class Selection(Section):
    """How much of each run is looked at."""

    offset_max: Span | None = 2.5


class Axes(Section):
    """Reconstructed and true energy."""

    energy: Bounds = Field(default_factory=lambda: Bounds(min=1.0, max=10.0, nbins=5))
    energy_true: Bounds = Field(default_factory=lambda: Bounds(min=0.5, max=20.0, nbins=16))


class Geometry(Section):
    """Pixels and axes."""

    wcs: Wcs = Field(default_factory=Wcs)
    selection: Selection = Field(default_factory=Selection)
    axes: Axes = Field(default_factory=Axes)


class Background(Section):
    """How the background is measured; ``exclusion`` is a mask file, or regions in DS9."""

    method: Literal["reflected", "fov_background", "ring", "adaptive_ring"] | None = None
    exclusion: str | list[str] | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class SafeMask(Section):
    """In which bins the data are to be trusted."""

    methods: list[str] = Field(default_factory=lambda: ["aeff-default"])
    parameters: dict[str, Any] = Field(default_factory=dict)


class Reduction(Section):
    """From runs to datasets."""

    type: Literal["1d", "3d"] = "1d"
    stack: bool = True
    geom: Geometry = Field(default_factory=Geometry)
    map_selection: list[str] = Field(
        default_factory=lambda: ["counts", "exposure", "background", "psf", "edisp"]
    )
    background: Background = Field(default_factory=Background)
    safe_mask: SafeMask = Field(default_factory=SafeMask)
    on_region: Circle = Field(default_factory=Circle)
    containment_correction: bool = True
    use_region_center: bool = True


class FitSection(Section):
    """The fit."""

    fit_range: Range = Field(default_factory=Range)
    method: Literal["newton", "lbfgs", "adam", "minuit"] = "newton"
    covariance: Literal["hessian", "fisher", "sandwich"] = "hessian"


class SampleSection(Section):
    """The posterior."""

    run: bool = True
    chains: int = Field(default=4, ge=1)
    warmup: int = Field(default=300, ge=1)
    samples: int = Field(default=1000, ge=1)
    seed: int = Field(default=0, ge=0)
    svi: bool = False


class FluxPointsSection(Section):
    """Flux points, where their energies are given."""

    energy: Bounds = Field(default_factory=Bounds)
    source: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class Intervals(Section):
    """Beginnings and ends of intervals, as texts (UTC)."""

    start: list[Text] | None = None
    stop: list[Text] | None = None


class LightCurveSection(Section):
    """A light curve, where its energies or its times are given; by default by run."""

    time_intervals: Intervals | Literal["run", "night"] | None = None
    energy_edges: Bounds = Field(default_factory=Bounds)
    source: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_given(self) -> bool:
        """Whether there is anything."""
        times = self.time_intervals
        if isinstance(times, Intervals):
            times = times.start
        return self.energy_edges.is_given or bool(times)


class ExcessMapSection(Section):
    """A map of the excess of counts cubes, where the section is given."""

    correlation_radius: Span = 0.1
    energy_edges: Bounds = Field(default_factory=Bounds)
    parameters: dict[str, Any] = Field(default_factory=dict)


class TSMapSection(Section):
    """A map of the significance of a source of counts cubes, where the section is given."""

    source: str | None = None
    kernel_width: Span | None = None
    threshold: float = 5.0
    energy_edges: Bounds = Field(default_factory=Bounds)
    parameters: dict[str, Any] = Field(default_factory=dict)


class Config(Section):
    """All that a file may say; every section has defaults."""

    general: General = Field(default_factory=General)
    observations: Observations = Field(default_factory=Observations)
    datasets: Reduction = Field(default_factory=Reduction)
    fit: FitSection = Field(default_factory=FitSection)
    sample: SampleSection = Field(default_factory=SampleSection)
    flux_points: FluxPointsSection = Field(default_factory=FluxPointsSection)
    light_curve: LightCurveSection = Field(default_factory=LightCurveSection)
    excess_map: ExcessMapSection | None = None
    ts_map: TSMapSection | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def wants_excess_map(self) -> bool:
        """Whether there is to be one: spectra have no map, and files of gammapy the section."""
        return self.excess_map is not None and self.datasets.type == "3d"

    def unused(self) -> list[str]:
        """What the file says and nothing uses."""
        found = ["metadata"] if self.metadata else []
        if self.excess_map is not None and not self.wants_excess_map:
            found.append("excess_map")
        given = {key: getattr(self.general, key) for key in ("log", "datasets_file")}
        return [*found, *(f"general.{key}" for key, value in given.items() if value)]


def read_config(path: str | Path) -> Config:
    """Read a configuration.

    Raises
    ------
    ValueError
        If there is no such file, or it says something unknown: in one line, with the place.
    """
    where = str(path)
    data = parse_yaml(read_text(path), where)
    try:
        return Config(**data)
    except ValidationError as error:
        errors = error.errors()
        # of a choice that a section is one of, its words are told, not that it is no section
        told = [_in_words(e) for e in errors if e["type"] != "model_type" or len(errors) == 1]
        told = "; ".join(dict.fromkeys(told))
        raise ValueError(f"{where}: {told}") from None
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from None


def _in_words(error: Any) -> str:
    """One error of the schema, with the keys on the way to it."""
    place = [part for part in error["loc"] if not str(part).startswith(("literal", "Inter"))]
    place = [str(part) for part in place if part not in ("str", "list[str]")]
    name = ".".join(place)
    if error["type"] == "extra_forbidden":
        known = _known(error["loc"][:-1])
        return f"unknown key {name}{suggest(place[-1], known)}"
    message = error["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if error["type"] == "value_error":
        return f"{name}: {message.removeprefix('a number: ')}"
    return f"{name} is {error['input']!r}: {message}"


def _known(path: tuple[Any, ...]) -> list[str]:
    """The keys of the section at a path."""
    section: Any = Config
    for part in path:
        if part not in section.model_fields:  # which of several kinds a value is
            continue
        kind = section.model_fields[part].annotation
        kinds = [one for one in (kind, *get_args(kind)) if isinstance(one, type)]
        section = next((one for one in kinds if issubclass(one, BaseModel)), section)
    return list(section.model_fields)
