"""Folding: from models to predicted counts, in pure JAX."""

from gammajax.fold.spectrum import SpectrumTerm, build_terms, npred_signal
from gammajax.fold.stack import Stack, stack_components

__all__ = ["SpectrumTerm", "Stack", "build_terms", "npred_signal", "stack_components"]
