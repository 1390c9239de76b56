"""``gammajax info``."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gammajax import __version__
from gammajax.cli.console import console, table

PACKAGES = ("jax", "jaxlib", "equinox", "numpyro", "optax", "numpy", "astropy", "iminuit")


def versions() -> dict[str, str | None]:
    """Versions of Python, gammajax and what it builds on; None for what is not installed."""
    found: dict[str, str | None] = {
        "gammajax": __version__,
        "python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def run(*, as_json: bool) -> int:
    """Print what is installed, and what it runs on."""
    facts = gather()
    if as_json:
        import json

        print(json.dumps(facts, indent=2))
        return 0
    shown = table("gammajax", "what", "found")
    for name, found in facts.pop("versions").items():
        shown.add_row(name, found or "not installed")
    for name, found in facts.items():
        shown.add_row(name, str(found))
    console().print(shown)
    return 0


def gather() -> dict[str, Any]:
    """Versions, devices, precision, cache and data folder."""
    import jax
    import jax.numpy as jnp

    from gammajax.config import enable_compilation_cache

    cache = enable_compilation_cache()
    files = [file for file in cache.iterdir() if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    return {
        "versions": versions(),
        "platform": f"{platform.platform()}, {os.cpu_count()} cores",
        "executable": sys.executable,
        "devices": ", ".join(str(device) for device in jax.devices()),
        "precision": f"{8 * jnp.result_type(float).itemsize}-bit floats",
        "compilation cache": f"{cache} ({len(files)} files, {size:.1f} MB)",
        "data": _data_folder(),
    }


def _data_folder() -> str:
    given = os.environ.get("GAMMAPY_DATA")
    if not given:
        return "$GAMMAPY_DATA is not set (only examples on real data need it)"
    return (
        given if Path(given).is_dir() else f"{given} ($GAMMAPY_DATA): there is no such folder"
    )
