"""Diffuse emission as the Fermi-LAT collaboration gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.models.sky import SkyModel
from gammajax.models.spatial.constant import ConstantSpatialModel
from gammajax.models.spatial.template import TemplateSpatialModel
from gammajax.models.spectral.norm import PowerLawNormSpectralModel
from gammajax.models.spectral.template import TemplateSpectralModel
from gammajax.units import to_quantity


def create_fermi_isotropic_diffuse_model(
    filename: Any, name: str = "", datasets_names: Any = None
) -> SkyModel:
    """The isotropic diffuse emission from a table of the LAT collaboration.

    The same brightness everywhere, with the tabulated spectrum times a norm. The exposure
    applies, the spread and the dispersion do not: the tables are fitted without them.

    Parameters
    ----------
    filename : path-like
        Text with columns of energy in MeV and of brightness in MeV-1 cm-2 s-1 sr-1; further
        columns are passed over.
    name : str, optional
        By default ``isotropic_`` and the dataset's name, or ``fermi-diffuse-iso``.
    datasets_names : str or tuple of str, optional

    Raises
    ------
    ValueError
        If the file is missing, or no such table.
    """
    path = Path(filename)
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        columns = np.loadtxt(path, ndmin=2)[:, :2].T
    except (ValueError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: is no table of energy and brightness ({reason})") from None
    if len(columns) < 2:
        raise ValueError(f"{path}: has one column, expected energy and brightness")
    spectrum = TemplateSpectralModel(
        to_quantity(columns[0], "MeV"),
        to_quantity(columns[1], "MeV-1 cm-2 s-1"),
        filename=str(path),
    )
    names = (datasets_names,) if isinstance(datasets_names, str) else datasets_names
    single = f"isotropic_{names[0]}" if names and len(names) == 1 else "fermi-diffuse-iso"
    return SkyModel(
        spectrum * PowerLawNormSpectralModel(),
        ConstantSpatialModel(),
        name=name or single,
        datasets_names=names,
        apply_irf={"psf": False, "exposure": True, "edisp": False},
    )


def create_fermi_diffuse_model(
    filename: Any, name: str = "fermi-diffuse-iem", datasets_names: Any = None
) -> SkyModel:
    """The interstellar emission from a cube of brightness (``gll_iem...``), times a norm.

    Parameters
    ----------
    filename : path-like
        A cube in cm-2 s-1 MeV-1 sr-1, of all the sky or a part.
    name : str
    datasets_names : str or tuple of str, optional
    """
    return SkyModel(
        PowerLawNormSpectralModel(),
        TemplateSpatialModel.read(filename, normalize=False),
        name=name,
        datasets_names=datasets_names,
    )
