"""Real counts: sources of 3FHL in the Galactic centre cube of the Fermi-LAT.

    python benchmarks/galactic_centre.py FOLDER [--figure FILE] [--table FILE] [--results FILE]

reads ``fermi-3fhl-gc``, ``fermi_3fhl`` and the catalogue 3FHL below FOLDER, fits the spectra
of all sources with the diffuse template and the isotropic emission as one problem, and
compares fluxes from 10 GeV to 1 TeV with those of the catalogue. The template covers 15 by
8 deg: the fit is within 7 deg of longitude and 3.5 deg of latitude, and sources up to half a
degree outside take part.

The catalogue was made from the same seven years, with another selection of events (four
classes of the point spread function, here one cube of all), with the diffuse emission and the
isotropic one of the same model fitted in small regions, and to 2 TeV (this cube ends at
500 GeV).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np


def main() -> None:
    """Fit, compare, draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    from many_sources import cube

    from gammajax.catalog import load
    from gammajax.models import (
        Models,
        create_fermi_diffuse_model,
        create_fermi_isotropic_diffuse_model,
    )
    from gammajax.survey import CatalogFit, region_models, source_ts

    began = time.perf_counter()
    folder = given.folder / "fermi-3fhl-gc"
    dataset = cube(folder)
    sky = dataset.geom.to_image().get_coord().skycoord.galactic
    inside = (abs(sky.l.wrap_at("180d").deg) < 7) & (abs(sky.b.deg) < 3.5)
    inside = np.broadcast_to(inside, dataset.counts.data.shape)
    dataset = dataset.replace(mask_fit=dataset.counts.with_data(inside.copy()))
    catalog = load("3fhl", given.folder / "catalogs/fermi/gll_psch_v13.fit.gz")
    isotropic = given.folder / "fermi_3fhl/iso_P8R2_SOURCE_V6_v06.txt"
    diffuse = Models(
        [
            create_fermi_diffuse_model(folder / "gll_iem_v06_gc.fits.gz", name="iem"),
            create_fermi_isotropic_diffuse_model(isotropic, name="iso"),
        ]
    )
    diffuse = diffuse.freeze("iso.*").thaw("iem.spectral.tilt")
    models = region_models(catalog, dataset, margin="0.5 deg") + diffuse
    models = models.freeze("*.spatial.*")
    fit = CatalogFit(dataset, models, energy=("10 GeV", "1 TeV"))
    print(fit.memory)
    found = fit.run(progress=True)
    table = found.table
    print(found)
    table.pprint_all()
    names = list(table["name"][:4])
    refits = source_ts(found.result, names, method="refit")
    iem = found.models.parameters
    results = {
        "sources": len(table),
        "free": len(found.result.theta),
        "success": bool(found.success),
        "steps": found.result.n_evaluations,
        "seconds": time.perf_counter() - began,
        "iem norm": [iem["iem.spectral.norm"].value, iem["iem.spectral.norm"].error],
        "iem tilt": [iem["iem.spectral.tilt"].value, iem["iem.spectral.tilt"].error],
        "ts, refitted": {name: [found.ts[name], refits[name]] for name in names},
        "rows": {
            str(row["name"]): {
                key: float(row[key])
                for key in (
                    "ts",
                    "flux",
                    "flux_err",
                    "catalog_flux",
                    "catalog_flux_err",
                    "change",
                )
            }
            for row in table
        },
    }
    change = np.asarray(table["change"])
    results["change"] = {"median": float(np.median(change)), "rms": float(change.std())}
    print(json.dumps({k: v for k, v in results.items() if k != "rows"}, indent=1))
    if given.results:
        given.results.write_text(json.dumps(results, indent=1) + "\n")
    if given.table:
        table.write(given.table, format="ascii.ecsv", overwrite=True)
    if given.figure:
        from gammajax.plots import plot_catalog_fluxes
        from gammajax.plots.style import draw_without_display, save

        draw_without_display()
        save(plot_catalog_fluxes(table), given.figure)


if __name__ == "__main__":
    main()
