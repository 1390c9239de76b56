"""What models have in model files besides their type and their parameters."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gammajax.maps import Map
from gammajax.models.io.entries import boolean
from gammajax.models.io.template_map import read_template_map
from gammajax.models.spatial.template_map import absolute
from gammajax.models.spectral.compound import OPERATORS
from gammajax.models.spectral.ebl import BUILTIN
from gammajax.storage import check_keys, expand, shown, suggest
from gammajax.units import conversion_factor, to_quantity, to_value

Read = Callable[
    [type[Any], dict[str, Any], dict[str, Any], Path, str],
    Any,
]


class Form(NamedTuple):
    """The form of a model in a file.

    Parameters
    ----------
    keys : tuple of str
        What it has besides its type, its parameters and its parts.
    read : function
        The model with default parameters, of the class, the mapping, the parts, the folder
        of the file and what error messages start with.
    write : function
        The mapping of ``keys`` of a model.
    parts : tuple of str
        The keys that hold other models.
    has_parameters : bool
        Whether it has parameters besides those of its parts.
    all_fields : bool
        Whether to write all fields of its parameters, for a reader's defaults may be others.
    """

    keys: tuple[str, ...] = ()
    read: Read = lambda cls, data, parts, folder, where: cls()
    write: Callable[[Any], dict[str, Any]] = lambda model: {}
    parts: tuple[str, ...] = ()
    has_parameters: bool = True
    all_fields: bool = False

    @property
    def all_keys(self) -> tuple[str, ...]:
        """All keys besides the type."""
        return (*self.keys, *self.parts, *(("parameters",) if self.has_parameters else ()))


def _quantity(data: dict[str, Any], key: str, where: str) -> Any:
    """A table of numbers: ``{data: [...], unit: ...}``."""
    where = f"{where}: {key}"
    item = check_keys(data.get(key), ("data", "unit"), where)
    try:
        values = np.asarray(item.get("data"), dtype=np.float64)
        return to_quantity(values, str(item.get("unit") or ""))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{where}: expected numbers under 'data' and their 'unit' "
            f"({str(error).splitlines()[0]})"
        ) from None


def _numbers(values: Any, unit: str) -> dict[str, Any]:
    return {"data": np.asarray(values).tolist(), "unit": unit}


def _read_compound(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    how = data.get("operator")
    if how not in OPERATORS:
        raise ValueError(f"{where}: operator is {shown(how)}{suggest(str(how), OPERATORS)}")
    return cls(parts["model1"], parts["model2"], how)


def _read_template(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    energy, values = (_quantity(data, key, where) for key in ("energy", "values"))
    return cls(energy, values, interp=data.get("interp", "log"))


def _write_template(model: Any) -> dict[str, Any]:
    data = {
        "energy": _numbers(model.energy, "TeV"),
        "values": _numbers(model.values, model.values_unit),
    }
    # gammapy reads templates on logarithmic scales only, and passes over this key
    return data if model.interp == "log" else {**data, "interp": model.interp}


def _read_template_nd(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    path = expand(data.get("filename"), folder, where)
    found = read_template_map(path, where)
    axes = {n: (a, u) for n, a, u in zip(found.names, found.axes, found.units, strict=True)}
    _complete(data.get("parameters"), axes, where)
    return cls(
        found.energy,
        found.values,
        found.axes,
        found.names,
        axes_interp=found.scales,
        filename=str(path),
    )


def _complete(parameters: Any, axes: dict[str, tuple[Any, str]], where: str) -> None:
    """Give entries the range of their axis as bounds, and take its unit off, once checked."""
    for item in parameters if isinstance(parameters, list) else []:
        name = item.get("name") if isinstance(item, dict) else None
        if name not in axes:
            continue
        axis, unit = axes[name]
        given = str(item.pop("unit", None) or unit)
        if (
            abs(conversion_factor(given, unit, where=f"{where}: parameter {name!r}") - 1)
            > 1e-12
        ):
            raise ValueError(
                f"{where}: parameter {name!r}: its unit differs from {unit!r}, that of the "
                "axis of the template; give it in this one"
            )
        item.setdefault("min", float(axis[0]))
        item.setdefault("max", float(axis[-1]))


def _write_template_nd(model: Any) -> dict[str, Any]:
    if not model.filename:
        raise ValueError(
            f"a {type(model).__name__} is kept in a file of its own, and this one names none; "
            "read it from a file, or give it a filename"
        )
    return {"filename": str(Path(model.filename).absolute()), "unit": model.values_unit}


def _read_piecewise(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    return cls(_quantity(data, "energy", where), interp=data.get("interp", "log"))


def _write_piecewise(model: Any) -> dict[str, Any]:
    return {"energy": _numbers(model.energy, "TeV"), "interp": model.interp}


def _read_ebl(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    if "filename" not in data:
        tables = (_quantity(data, key, where) for key in ("energy", "param", "values"))
        return cls.from_survival(*tables)
    path = _ebl_file(data["filename"], folder, where)
    try:
        return cls.read(path)
    except (OSError, TypeError) as error:
        raise ValueError(f"{where}: {path} is no EBL table ({error})") from None


def _ebl_file(filename: Any, folder: Path, where: str) -> Path:
    """The file of a table; a published one is found again in this machine's data folder."""
    root = os.environ.get("GAMMAPY_DATA")
    for published in BUILTIN.values():
        if root and isinstance(filename, str) and Path(filename).name == published:
            return Path(root) / "ebl" / published
    path = expand(filename, folder, where)
    if not path.is_file():
        raise ValueError(f"{where}: there is no file {path}")
    return path


def _write_ebl(model: Any) -> dict[str, Any]:
    if not model.filename:
        return {
            "energy": _numbers(model.energy, "TeV"),
            "param": _numbers(model.param, ""),
            "values": _numbers(model.values, ""),
        }
    name = Path(model.filename).name
    if name in BUILTIN.values():
        return {"filename": f"$GAMMAPY_DATA/ebl/{name}"}
    return {"filename": str(Path(model.filename).absolute())}


def _framed(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    return cls(frame=data["frame"]) if data.get("frame") else cls()


def _sky_map(data: Any, folder: Path, where: str) -> tuple[Map, Path]:
    path = expand(data.get("filename"), folder, f"{where}: filename")
    found = Map.read(path)
    # files of the peer may tell the unit of their map here, and not in the map
    unit = data.get("unit")
    return (found.with_data(found.data, unit=unit) if unit and not found.unit else found), path


def _read_sky(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    normalize = boolean(data.get("normalize", True), f"{where}: normalize")
    found, path = _sky_map(data, folder, where)
    return cls(found, normalize, filename=path)


def _write_sky(model: Any) -> dict[str, Any]:
    return {
        "frame": model.frame,
        "filename": absolute(model.filename, type(model).__name__),
        "normalize": model.normalize,
        "unit": model.unit,
    }


def _read_sky_nd(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    found, path = _sky_map(data, folder, where)
    axes = {axis.name: (axis.center, axis.unit) for axis in found.geom.axes}
    _complete(data.get("parameters"), axes, where)
    return cls(found, filename=path)


def _write_sky_nd(model: Any) -> dict[str, Any]:
    name = absolute(model.filename, type(model).__name__)
    return {"frame": model.frame, "filename": name, "unit": model.unit}


def _read_piecewise_sky(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    lon, lat = (
        to_value(_quantity(data, key, where), "deg", where=f"{where}: {key}")
        for key in ("lon", "lat")
    )
    return cls(lon, lat, interp=data.get("interp", "lin"), frame=data.get("frame", "icrs"))


def _write_piecewise_sky(model: Any) -> dict[str, Any]:
    data = {"frame": model.frame, "lon": _numbers(model.lon, "deg")}
    data["lat"] = _numbers(model.lat, "deg")
    return data if model.interp == "lin" else {**data, "interp": model.interp}


def _read_energy_dependent(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    names = data.get("names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{where}: names is {shown(names)}, expected a list of parameters")
    return cls(parts["model"], names)


PLAIN = Form()

FRAMED = Form(
    ("frame",), _framed, lambda model: {"frame": model.frame} if model.has_frame else {}
)

SCALED = Form(
    ("scale",),
    lambda cls, data, parts, folder, where: cls(scale=data.get("scale", "utc")),
    lambda model: {"scale": model.scale},
)


def _read_light_curve(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    form = data.get("format", "table")
    if form not in ("table", "map"):
        raise ValueError(f"{where}: format is {shown(form)}, expected 'table' or 'map'")
    path = expand(data.get("filename"), folder, f"{where}: filename")
    return cls.read(path, scale=data.get("scale", "utc"))


def _write_light_curve(model: Any) -> dict[str, Any]:
    name = absolute(model.filename, type(model).__name__)
    return {"scale": model.scale, "filename": name, "format": "table"}


def _read_phase_curve(cls: Any, data: Any, parts: Any, folder: Path, where: str) -> Any:
    normalize = boolean(data.get("normalize", True), f"{where}: normalize")
    path = expand(data.get("filename"), folder, f"{where}: filename")
    return cls.read(path, normalize=normalize, scale=data.get("scale", "utc"))


def _write_phase_curve(model: Any) -> dict[str, Any]:
    name = absolute(model.filename, type(model).__name__)
    return {"scale": model.scale, "filename": name, "normalize": model.normalize}


FORMS = {
    "CompoundSpectralModel": Form(
        ("operator",),
        _read_compound,
        lambda model: {"operator": model.operator},
        parts=("model1", "model2"),
        has_parameters=False,
    ),
    "ScaleSpectralModel": Form(
        read=lambda cls, data, parts, folder, where: cls(parts["model"]), parts=("model",)
    ),
    "TemplateSpatialModel": Form(
        ("filename", "normalize", "unit", "frame"), _read_sky, _write_sky, all_fields=True
    ),
    "TemplateNDSpatialModel": Form(
        ("filename", "unit", "frame"), _read_sky_nd, _write_sky_nd, all_fields=True
    ),
    "PiecewiseNormSpatialModel": Form(
        ("lon", "lat", "interp", "frame"), _read_piecewise_sky, _write_piecewise_sky
    ),
    "EnergyDependentSpatialModel": Form(
        ("names",),
        _read_energy_dependent,
        lambda model: {"names": list(model.names)},
        parts=("model",),
    ),
    "LightCurveTemplateTemporalModel": Form(
        ("filename", "format", "unit", "scale"), _read_light_curve, _write_light_curve
    ),
    "TemplatePhaseCurveTemporalModel": Form(
        ("filename", "normalize", "scale"), _read_phase_curve, _write_phase_curve
    ),
    "TemplateSpectralModel": Form(
        ("energy", "values", "interp"), _read_template, _write_template
    ),
    "TemplateNDSpectralModel": Form(
        ("filename", "unit"), _read_template_nd, _write_template_nd, all_fields=True
    ),
    "PiecewiseNormSpectralModel": Form(("energy", "interp"), _read_piecewise, _write_piecewise),
    "EBLAbsorptionNormSpectralModel": Form(
        ("filename", "energy", "param", "values"), _read_ebl, _write_ebl
    ),
}
"""The forms of the models that are more than their parameters, by the name of the class."""
