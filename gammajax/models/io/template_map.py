"""Templates over energy and further axes, as gammapy keeps them: a map of one sky region.

The table ``SKYMAP`` holds the values, the last axis of the map first and energy last;
``SKYMAP_BANDS`` holds the coordinates of every bin, from which the axes are read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gammajax.storage import shown
from gammajax.units import ENERGY, conversion_factor, to_quantity


class TemplateMap(NamedTuple):
    """What such a file holds; ``values`` has the axes as ``names`` has them, then energy."""

    energy: np.ndarray
    values: Any
    names: tuple[str, ...]
    axes: list[np.ndarray]
    units: list[str]
    scales: list[str]


def read_template_map(path: Path, where: str) -> TemplateMap:
    """Read a template.

    Raises
    ------
    ValueError
        If the file is missing, damaged or no such template.
    """
    from astropy.io import fits

    if not path.is_file():
        raise ValueError(f"{where}: there is no file {path}")
    try:
        with fits.open(path, memmap=False) as hdus:
            table: Any = hdus["SKYMAP"]
            bands: Any = hdus["SKYMAP_BANDS"]
            data = np.asarray(table.data["DATA"], dtype=np.float64)
            unit = table.columns["DATA"].unit or ""
            header, columns = dict(table.header), bands.columns
            coordinates = {name: np.asarray(bands.data[name], float) for name in columns.names}
            units = {column.name: column.unit or "" for column in columns}
    except Exception as error:  # astropy raises nearly anything on damaged files
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{where}: {path} is no template map ({reason})") from None
    keys, scales = [], []
    while (key := header.get(f"AXCOLS{len(keys) + 1}")) is not None:
        keys.append(str(key).split(",")[0].removesuffix("_MIN"))
        scales.append(str(header.get(f"INTERP{len(keys)}", "lin")))
    unknown = [key for key in keys if key not in coordinates]
    if not keys or unknown or not keys[0].startswith("ENERGY"):
        raise ValueError(
            f"{where}: {path} has the axes {shown(keys)}, expected energy and then parameters"
        )
    nodes = [np.unique(coordinates[key]) for key in keys]
    shape = tuple(axis.size for axis in reversed(nodes))
    if data.size != int(np.prod(shape)):
        raise ValueError(f"{where}: {path} has {data.size} values, its axes want {shape}")
    order = (*range(len(keys) - 2, -1, -1), len(keys) - 1)
    factor = conversion_factor(units[keys[0]], ENERGY, where=f"{where}: {path}: energy")
    return TemplateMap(
        energy=nodes[0] * factor,
        values=to_quantity(data.reshape(shape).transpose(order), unit),
        names=tuple(key.lower() for key in keys[1:]),
        axes=nodes[1:],
        units=[units[key] for key in keys[1:]],
        scales=scales[1:],
    )
