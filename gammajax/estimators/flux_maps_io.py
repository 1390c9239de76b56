"""Files of flux maps, in the layout of gammapy: an image HDU for each map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gammajax.data.flux_norms import REFERENCES
from gammajax.estimators.flux_maps import FluxMaps
from gammajax.maps import Map
from gammajax.maps.io import map_from_hdus, map_hdus, open_fits
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.storage import replacing


def write_flux_maps(maps: FluxMaps, path: Path, sed_type: str, overwrite: bool) -> None:
    """See `FluxMaps.write`."""
    from astropy.io import fits

    if sed_type not in ("likelihood", *REFERENCES):
        raise ValueError(
            f"sed_type is {sed_type!r}, expected likelihood, {', '.join(REFERENCES)}"
        )
    hdus: list[Any] = [fits.PrimaryHDU()]
    for name, found in maps.maps.items():
        if name.startswith("norm") and sed_type != "likelihood":
            name = sed_type + name.removeprefix("norm")
            found = maps[name]
        data = np.asarray(found.data)
        if data.dtype == bool:
            found = found.with_data(data.astype(np.int16))
        hdus += map_hdus(found, name.upper())
    model = path.with_name(f"{path.name.split('.')[0]}_model.yaml")
    hdus[0].header["SED_TYPE"] = sed_type
    hdus[0].header["MODEL"] = str(model)
    with replacing(path, model, overwrite=overwrite) as (temporary, temporary_model):
        fits.HDUList(hdus).writeto(temporary, overwrite=True)
        temporary_model.write_text(maps.models().to_yaml(), encoding="utf-8")


def read_flux_maps(path: Path) -> FluxMaps:
    """See `FluxMaps.read`.

    Raises
    ------
    ValueError
        If the file is missing or damaged, or has neither norms nor fluxes.
    """
    hdus = open_fits(path)
    sed_type = str(hdus[0].header.get("SED_TYPE", "likelihood")).strip()
    names = [hdu.name for hdu in hdus[1:] if hdu.is_image]
    found: dict[str, Map] = {
        name.lower(): map_from_hdus(hdus, str(path), name) for name in names
    }
    model = _model(path, hdus[0].header.get("MODEL"))
    maps = FluxMaps(maps=found, model=model, meta={"filename": str(path)})
    if sed_type in REFERENCES:
        scale = maps.reference(sed_type)[:, None, None]
        kept = {}
        for name, one in found.items():
            if name.split("_")[0] == sed_type:
                one = one.to_unit(REFERENCES[sed_type])
                one = one.with_data(np.asarray(one.data) / scale, unit="")
                name = "norm" + name.removeprefix(sed_type)
            kept[name] = one
        maps = FluxMaps(maps=kept, model=model, meta=maps.meta)
    if "norm" not in maps:
        raise ValueError(f"{path}: has no map of norms or fluxes (maps: {', '.join(found)})")
    return maps


def _model(path: Path, name: Any) -> SkyModel:
    """The model that the file names, or is beside it; else a power law of index 2."""
    places = [] if not name else [Path(str(name)), path.with_name(Path(str(name)).name)]
    for place in places:
        if place.is_file():
            return Models.read(place)[0]
    return SkyModel(PowerLawSpectralModel(index=2.0), name="reference")
