"""Temporal models: how the flux of a source changes with time."""
