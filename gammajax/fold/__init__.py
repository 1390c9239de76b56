"""Folding: from models to predicted counts."""

from gammajax.fold.flux_points import FluxPointsTerm, flux_prediction
from gammajax.fold.fourier import FourierFold
from gammajax.fold.map_term import MapTerm
from gammajax.fold.options import FoldOptions
from gammajax.fold.round import RoundFold
from gammajax.fold.rows import Fold, outgrown_rows
from gammajax.fold.spectrum import SpectrumTerm, npred_signal
from gammajax.fold.stack import Stack, stack_components
from gammajax.fold.terms import build_terms, npred_map

__all__ = [
    "FluxPointsTerm",
    "Fold",
    "FoldOptions",
    "FourierFold",
    "MapTerm",
    "RoundFold",
    "SpectrumTerm",
    "Stack",
    "build_terms",
    "flux_prediction",
    "npred_map",
    "npred_signal",
    "outgrown_rows",
    "stack_components",
]
