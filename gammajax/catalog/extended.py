"""Extended sources of the Fermi-LAT catalogues: disks, Gaussians, and templates in files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from gammajax.catalog.parts import CONTAINMENT_2D, Part
from gammajax.models import DiskSpatialModel, GaussianSpatialModel, TemplateSpatialModel
from gammajax.storage import expand

DISKS = ("disk", "elliptical disk", "radialdisk")
GAUSSIANS = ("2d gaussian", "gaussian", "elliptical 2d gaussian", "elliptical gaussian")


def extended_shape(row: dict[str, Any], folder: Path, templates: Any, where: str) -> Part:
    """The spatial model of a row of the table of extended sources.

    Parameters
    ----------
    row : dict
        ``form``, ``lon``, ``lat``, ``major``, ``minor``, ``angle`` in deg, and ``filename``.
    folder : path
        The folder of the catalogue; templates are looked up below it.
    templates : path-like, optional
        The folder of templates, if it is another one.
    where : str
        Catalogue and source.

    Raises
    ------
    ValueError
        If the template is missing, or the form is not known.

    Notes
    -----
    The catalogues give the radius that holds 68 % of a Gaussian: 3 deg for the Cygnus cocoon,
    whose standard deviation is 2 deg (Acero et al. 2015, ApJS 218, 23).
    """
    form = row["form"].casefold()
    major, minor = row["major"], row["minor"]
    if form in (*DISKS, *GAUSSIANS):
        ratio = min(minor / major, 1.0) if minor > 0 else 1.0
        law, size = DiskSpatialModel, major
        if form in GAUSSIANS:
            law, size = GaussianSpatialModel, major / CONTAINMENT_2D[0.68]
        e, phi = math.sqrt(1 - ratio**2), _half_turn(row["angle"])
        return Part(law(row["lon"], row["lat"], size, e, phi))
    if not row["filename"]:
        raise ValueError(f"{where}: its shape is {row['form']!r}, which has no model here")
    path = _template(row["filename"], folder, templates)
    if path is None:
        raise ValueError(
            f"{where}: its shape is the template {row['filename']}, which is not below "
            f"{templates or folder}; unpack the catalogue's archive of extended sources there, "
            "or give the folder as templates"
        )
    return Part(TemplateSpatialModel.read(path, normalize=True))


def _half_turn(angle: float) -> float:
    return (angle + 180) % 360 - 180 if math.isfinite(angle) else 0.0


def _template(filename: str, folder: Path, templates: Any) -> Path | None:
    if templates is not None:
        folder = expand(str(templates), Path(), "templates")
    direct = [folder / filename, folder / f"{filename}.gz"]
    below = sorted(folder.glob(f"*/Templates/{filename}*"))
    return next((path for path in (*direct, *below) if path.is_file()), None)
