"""Spectral models."""
