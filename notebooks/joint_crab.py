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
# # One nebula, three telescopes
#
# The Crab nebula is bright enough for every gamma-ray telescope. Nigro et al. (2019,
# [A&A 625, A10](https://doi.org/10.1051/0004-6361/201834938)) published spectra of it from five
# instruments in one format, so that anybody can fit them together. Here we take three of them,
# from the *Fermi*-LAT satellite (tens of GeV), MAGIC and H.E.S.S. (up to tens of TeV), and go
# from files to a joint fit, its errors, its posterior and a picture of the spectrum.
#
# The data are the folder `joint-crab/spectra` of the gammapy data set; `GAMMAPY_DATA` has to
# point to it. Most of the time that the cells take is compiling; `enable_compilation_cache`
# keeps the compiled programs on disk, so that the notebook is fast when it runs again.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from gammajax.config import enable_compilation_cache
from gammajax.datasets import Datasets, SpectrumDatasetOnOff
from gammajax.inference import (
    Fit,
    Likelihood,
    confidence,
    posterior_predictive,
    sample,
    stat_contour,
    stat_profile,
)
from gammajax.models import LogParabolaSpectralModel, Models, SkyModel
from gammajax.plots import (
    plot_contours,
    plot_corner,
    plot_correlation,
    plot_fit,
    plot_profile,
    plot_sed,
    plot_spectrum_dataset,
)

enable_compilation_cache()
spectra = Path(os.environ["GAMMAPY_DATA"]) / "joint-crab" / "spectra"

# %% [markdown]
# ## Files in
#
# Each observation comes as four OGIP files: counts in the *on* region around the source (PHA),
# counts in *off* regions beside it (BKG), the effective area (ARF) and the energy dispersion
# (RMF). The PHA file names the others, so it is the only one that we name.
#
# Every instrument is trusted in a range of energies of its own. Bins that lie wholly inside
# the range take part in the fit, unless the file itself marks them as bad.

# %%
RANGES = {
    "fermi": ("30 GeV", "2 TeV"),
    "magic": ("80 GeV", "30 TeV"),
    "hess": ("0.5 TeV", "30 TeV"),
}

observations = []
for instrument, (low, high) in RANGES.items():
    for path in sorted((spectra / instrument).glob("pha_*.fits")):
        name = path.stem.replace("pha_obs", f"{instrument}-")
        dataset = SpectrumDatasetOnOff.read(path, name=name)
        observations.append(dataset.with_energy_range(low, high))

datasets = Datasets(observations)
datasets.info_table()

# %% [markdown]
# *Excess* is what is left of the on counts after the background: off counts times *alpha*, the
# ratio of the two regions. One of the H.E.S.S. observations, bin by bin:

# %%
ax = plot_spectrum_dataset(datasets["hess-23523"])

# %% [markdown]
# ## A model
#
# Over three decades of energy the spectrum is curved. A *log-parabola* says so with three
# numbers:
#
# $$\frac{dN}{dE} = \phi_0 \left( \frac{E}{1\,\mathrm{TeV}} \right)
#   ^{-\alpha - \beta \ln(E / 1\,\mathrm{TeV})}$$
#
# The values given here are where the fit starts. They need not be good.

# %%
spectrum = LogParabolaSpectralModel(
    amplitude="3e-11 cm-2 s-1 TeV-1", reference="1 TeV", alpha=2.3, beta=0.1
)
models = Models(SkyModel(spectrum, name="crab"))
models

# %% [markdown]
# ## Each telescope for itself
#
# A `Likelihood` is datasets and models together. It folds the spectrum through each response
# into predicted counts and compares them with the observed ones. The statistic (W, since the
# background is measured) is $-2 \ln L$: smaller is better, and a rise by 1 is one standard
# deviation. `Fit` finds the minimum with exact first and second derivatives.

# %%
results = {}
for instrument in RANGES:
    mine = [dataset for dataset in datasets if dataset.name.startswith(instrument)]
    results[instrument] = Fit().run(Likelihood(mine, models))
    print(instrument, results[instrument], sep="\n", end="\n\n")

# %% [markdown]
# ## All together
#
# A joint fit is nothing special: give the likelihood all datasets.

# %%
likelihood = Likelihood(datasets, models)
joint = results["joint"] = Fit().run(likelihood)
joint

# %% [markdown]
# The fit converged, which it would say if it had not. Do the predicted counts look like the
# observed ones? Runs of the same instrument are summed for the picture, not for the fit.

# %%
axes = plot_fit(joint)

# %% [markdown]
# The published fit of five instruments found an amplitude of (3.85 ± 0.11) 10⁻¹¹,
# α = 2.51 ± 0.03 and β = 0.103 ± 0.011 (for the natural logarithm). Ours uses
# three of them, so the two share data and should be close. Neither error includes that the flux
# scales of such telescopes are uncertain by some 10 %.

# %%
published = {
    "amplitude": (3.849e-11, 0.114e-11),
    "alpha": (2.505, 0.026),
    "beta": (0.1026, 0.0106),
}
for name, (value, error) in published.items():
    ours = joint.parameters[f"crab.spectral.{name}"]
    distance = (ours.value - value) / ours.error
    print(f"{name}: {ours.value:.4g} +- {ours.error:.2g}, published {value:.4g} +- {error:.2g}")
    print(f"    {distance:+.1f} of our errors apart")

# %% [markdown]
# ## How well do we know it?
#
# Parameters trade off against each other. The matrix below tells how much: near ±1, data say
# much about a combination of two parameters and little about each of them.

# %%
ax = plot_correlation(joint)

# %% [markdown]
# Contours show the same for one pair. Along each line, with the third parameter at its best,
# the fit is worse than the best of all by $\Delta(-2 \ln L) = 2.3$. Such lines hold the truth
# in 68 % of all repetitions.

# %%
figure, ax = plt.subplots(figsize=(6, 5), layout="constrained")
colours = {"fermi": "#E69F00", "magic": "#009E73", "hess": "#D55E00", "joint": "#0072B2"}
for instrument, result in results.items():
    contour = stat_contour(result, "*.amplitude", "*.alpha", sigma=1)
    plot_contours(contour, result, ax=ax, label=instrument, colour=colours[instrument])

# %% [markdown]
# For a single parameter, the *profile* gives errors that need not be the same on both sides.
# Is the spectrum curved at all? At β = 0, no curvature, the profile has risen far beyond nine,
# which would be three standard deviations.

# %%
beta = stat_profile(joint, "*.beta", values=np.linspace(0.0, 0.16, 41))
ax = plot_profile(beta, joint)
print(confidence(joint, "*.beta")["crab.spectral.beta"])
print(f"no curvature: worse by {beta.delta[0]:.1f}, or {np.sqrt(beta.delta[0]):.1f} sigma")

# %% [markdown]
# ## The posterior
#
# A fit gives a point and a parabola around it. Sampling gives the whole distribution of
# parameters that the data allow. Four chains are drawn with NUTS, on the very same likelihood;
# the covariance of the fit straightens the space first, so that the chains move easily.
# No prior is set here, which means flat ones; `models.set("*.beta", prior=...)` would set one.

# %%
posterior = sample(joint, n_chains=4, n_samples=1000, seed=0, progress=False)
posterior

# %% [markdown]
# R-hat near 1 says that the chains agree, and `ess` how many independent draws they are worth.

# %%
axes = plot_corner(posterior)

# %% [markdown]
# Does a source like this produce data like ours? New counts are drawn for parameters from the
# posterior, and their statistic is compared with the one observed. Values very near 0 would say
# that the model is wrong for that observation.

# %%
posterior_predictive(posterior, n=500, seed=1)

# %% [markdown]
# ## The spectrum
#
# The fit, its error band, and the band that holds 68 % of the posterior at every energy. The
# dash-dotted line is the published joint fit. Below, observed over predicted excess of each
# instrument.

# %%
nigro = models.set("*.amplitude", 3.849e-11).set("*.alpha", 2.505).set("*.beta", 0.1026)
main, lower = plot_sed(joint, posterior=posterior, truth=nigro, truth_label="Nigro et al. 2019",
                       residuals=True)  # fmt: skip

# %% [markdown]
# Fluxes come with errors, too, propagated from the covariance by exact derivatives:

# %%
crab = joint.models["crab"].spectral_model
covariance = joint.models.covariance_of("crab.spectral.*")
flux, flux_error = crab.energy_flux_error("1 TeV", "10 TeV", covariance)
print("Energy flux between 1 and 10 TeV:")
print(f"{flux.to('erg cm-2 s-1'):.3g} +- {flux_error.to('erg cm-2 s-1'):.2g}")

# %% [markdown]
# ## Files out
#
# Model files are those of gammapy, with errors and covariance; posteriors are Zarr folders that
# ArviZ opens. The same analysis without Python is two commands:
#
# ```
# gammajax fit    --datasets datasets.yaml --models models.yaml --output fit
# gammajax sample --datasets datasets.yaml --models models.yaml --output posterior
# ```

# %%
folder = Path(tempfile.mkdtemp())
joint.models.write(folder / "models.yaml")
posterior.save(folder / "posterior.zarr")
print((folder / "models.yaml").read_text())
