"""Pictures: the only room that imports matplotlib.

Every function takes the axes to draw on, or makes them, and gives them back.
"""

from gammajax.plots.catalog_fluxes import plot_catalog_fluxes
from gammajax.plots.datasets import plot_fit, plot_spectrum_dataset
from gammajax.plots.events import peek_events, plot_gti
from gammajax.plots.flux_points import plot_flux_points
from gammajax.plots.flux_profiles import plot_flux_profiles
from gammajax.plots.irf import peek_irf, peek_irfs
from gammajax.plots.light_curve import plot_light_curve, plot_light_curve_violins
from gammajax.plots.maps import plot_map, plot_map_grid, plot_map_interactive
from gammajax.plots.morphology import plot_energy_dependence
from gammajax.plots.off_regions import plot_off_regions
from gammajax.plots.posterior import plot_corner, plot_trace
from gammajax.plots.regions import plot_region, plot_region_map
from gammajax.plots.residuals import plot_residual_maps
from gammajax.plots.response import plot_response
from gammajax.plots.scans import plot_contours, plot_correlation, plot_profile
from gammajax.plots.sed import plot_sed
from gammajax.plots.spatial import plot_spatial
from gammajax.plots.spectral import plot_spectrum, plot_spectrum_error
from gammajax.plots.temporal import plot_temporal
from gammajax.plots.theta_squared import plot_theta_squared_table
from gammajax.plots.violins import plot_violins

__all__ = [
    "peek_events",
    "peek_irf",
    "peek_irfs",
    "plot_catalog_fluxes",
    "plot_contours",
    "plot_corner",
    "plot_correlation",
    "plot_energy_dependence",
    "plot_fit",
    "plot_flux_points",
    "plot_flux_profiles",
    "plot_gti",
    "plot_light_curve",
    "plot_light_curve_violins",
    "plot_map",
    "plot_map_grid",
    "plot_map_interactive",
    "plot_off_regions",
    "plot_profile",
    "plot_region",
    "plot_region_map",
    "plot_residual_maps",
    "plot_response",
    "plot_sed",
    "plot_spatial",
    "plot_spectrum",
    "plot_spectrum_dataset",
    "plot_spectrum_error",
    "plot_temporal",
    "plot_theta_squared_table",
    "plot_trace",
    "plot_violins",
]
