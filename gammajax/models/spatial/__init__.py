"""Spatial models: where the flux of a source comes from."""
