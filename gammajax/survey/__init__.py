"""Surveys of many sources: what is free, significances, fits of catalogues, new sources."""

from gammajax.survey.catalog_fit import CatalogFit, CatalogResult
from gammajax.survey.find import Found, Round, SourceFinder
from gammajax.survey.memory import MemoryPlan, memory_plan
from gammajax.survey.rules import (
    catalog_column,
    catalog_ts,
    free_sources,
    region_models,
)
from gammajax.survey.significance import predicted_counts, source_ts

__all__ = [
    "CatalogFit",
    "CatalogResult",
    "Found",
    "MemoryPlan",
    "Round",
    "SourceFinder",
    "catalog_column",
    "catalog_ts",
    "free_sources",
    "memory_plan",
    "predicted_counts",
    "region_models",
    "source_ts",
]
