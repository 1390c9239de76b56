# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---


# %% [markdown]
# # From a catalogue and a counts cube to a table of refitted sources
#
# The *Fermi*-LAT sees many sources at once around the Galactic centre, each of them blurred
# into its neighbours and into the diffuse emission. Here we take all sources of the
# catalogue 3FHL in a counts cube, fit their spectra together with the diffuse emission as
# **one** problem, and look at what is left over.
#
# The data are the folders `fermi-3fhl-gc` and `catalogs` of the gammapy data set;
# `GAMMAPY_DATA` has to point to it. To keep it short we cut out the inner 6 by 4 degrees;
# the same lines work for the whole cube, and for the whole sky.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from gammajax.catalog import load
from gammajax.config import enable_compilation_cache
from gammajax.datasets import MapDataset
from gammajax.estimators import TSMapEstimator
from gammajax.models import Models, create_fermi_diffuse_model
from gammajax.plots import plot_catalog_fluxes, plot_sed
from gammajax.survey import CatalogFit, catalog_ts, free_sources, region_models

enable_compilation_cache()
data = Path(os.environ["GAMMAPY_DATA"])

# %% [markdown]
# ## Counts
#
# The tools of the LAT write counts, exposure and point spread function into files of their
# own.

# %%
folder = data / "fermi-3fhl-gc"
cube = MapDataset.from_fermi(
    counts=folder / "fermi-3fhl-gc-counts-cube.fits.gz",
    exposure=folder / "fermi-3fhl-gc-exposure-cube.fits.gz",
    psf=folder / "fermi-3fhl-gc-psf-cube.fits.gz",
    name="gc",
)
dataset = cube.cutout((0, 0), (6, 4))
dataset

# %% [markdown]
# ## Sources
#
# `region_models` takes the sources in the cube, and those near it whose photons reach into
# it. Positions stay as they are in the catalogue.

# %%
catalog = load("3fhl", data / "catalogs/fermi/gll_psch_v13.fit.gz")
sources = region_models(catalog, dataset, margin="0.3 deg").freeze("*.spatial.*")
image = dataset.counts.sum_over_axes(keepdims=False).smooth("0.1 deg")
ax = image.plot(stretch="sqrt")
for source in sources:
    place = source.spatial_model.position.galactic
    ax.plot(
        place.l.deg, place.b.deg, "+", color="white", transform=ax.get_transform("galactic")
    )

# %% [markdown]
# What is free? As with other tools for the LAT, rules choose by significance, distance or
# variability. Here the spectra of all sources are free whose test statistic (TS) in the
# catalogue is above 30; of the weaker ones only the norm is.

# %%
ts = catalog_ts(catalog)
sources = free_sources(sources, free=False)
sources = free_sources(sources, pars="norm")
sources = free_sources(sources, pars="shape", minmax_ts=(30, None), ts=ts)

# %% [markdown]
# The diffuse emission is a template: its norm and the tilt of its spectrum are free.

# %%
diffuse = create_fermi_diffuse_model(folder / "gll_iem_v06_gc.fits.gz", name="diffuse")
models = sources + Models([diffuse]).thaw("diffuse.spectral.tilt")
len(models.parameters.free_names)

# %% [markdown]
# ## The fit
#
# `CatalogFit` plans how each source is folded through exposure and point spread function,
# and says what it will keep in memory. A long fit would get `progress=True`, and
# `checkpoint="fit.npz"`, so that it can be interrupted.

# %%
fit = CatalogFit(dataset, models, energy=("10 GeV", "1 TeV"))
fit.memory

# %%
found = fit.run()
found

# %%
found.table[
    "name", "ts", "npred", "flux", "flux_err", "catalog_flux", "change", "index", "note"
]

# %% [markdown]
# The significance of each source is the rise of $-2 \ln L$ when it is taken away and its
# neighbours answer. It is found for all sources at once.
#
# ## Against the catalogue

# %%
axes = plot_catalog_fluxes(found.table)

# %% [markdown]
# ## What is left over
#
# Counts, prediction, and the difference in units of its own deviation:

# %%
axes = dataset.plot_residuals(found.models)

# %% [markdown]
# A map of significance asks the same question more sharply: what would a further point
# source gain? `SourceFinder` (or `gammajax find-sources`) takes its peaks as new sources,
# and fits again.

# %%
maps = TSMapEstimator(kernel_width="0.8 deg").run(dataset, found.models)
ax = maps["sqrt_ts"].slice_by_idx({"energy": 0}).plot(add_cbar=True)
highest = float(np.nanmax(np.asarray(maps["sqrt_ts"].data)))
plt.title(f"highest: {highest:.1f}")

# %% [markdown]
# ## A spectrum
#
# The brightest source is the Galactic centre itself.

# %%
strongest = max(found.ts, key=found.ts.get)
ax = plot_sed(found.result, strongest)

# %%
found.table.write("sources.ecsv", format="ascii.ecsv", overwrite=True)
found.models.write("models.yaml", overwrite=True)
