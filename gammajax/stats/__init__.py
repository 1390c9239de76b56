"""Fit statistics as functions of arrays; all are -2 ln L."""

from gammajax.stats.cash import cash, cash_curvature, cstat
from gammajax.stats.chi2 import chi2, chi2_asymmetric
from gammajax.stats.wstat import wstat, wstat_background, wstat_curvature

__all__ = [
    "cash",
    "cash_curvature",
    "chi2",
    "chi2_asymmetric",
    "cstat",
    "wstat",
    "wstat_background",
    "wstat_curvature",
]
