"""Fit statistics as functions of arrays; all are -2 ln L."""

from gammajax.stats.cash import cash, cash_curvature, cash_per_bin, cash_saturated, cstat
from gammajax.stats.chi2 import chi2, chi2_asymmetric
from gammajax.stats.counts_statistic import CashCountsStatistic, WStatCountsStatistic
from gammajax.stats.per_bin import PerBin
from gammajax.stats.significance import sigma_to_ts, ts_to_sigma
from gammajax.stats.wstat import wstat, wstat_background, wstat_curvature, wstat_per_bin

__all__ = [
    "CashCountsStatistic",
    "PerBin",
    "WStatCountsStatistic",
    "cash",
    "cash_curvature",
    "cash_per_bin",
    "cash_saturated",
    "chi2",
    "chi2_asymmetric",
    "cstat",
    "sigma_to_ts",
    "ts_to_sigma",
    "wstat",
    "wstat_background",
    "wstat_curvature",
    "wstat_per_bin",
]
