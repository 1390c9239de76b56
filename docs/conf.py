"""Settings of the documentation."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
os.environ.setdefault("MPLBACKEND", "Agg")
# numpyro asks for notebook progress bars that need another package; the kernels inherit this.
os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"

from parameter_tables import add_parameter_table

from gammajax import __version__

project = "gammajax"
author = "gammajax developers"
copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
default_role = "py:obj"
# The first suffix is the one of generated pages.
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}

myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 240
nb_merge_streams = True

templates_path = ["_templates"]
autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = "gammajax"
html_static_path = ["_static"]
html_css_files = ["gammajax.css"]
html_theme_options = {
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

ROOMS = {
    "models": "Models",
    "parameters": "Parameters and priors",
    "datasets": "Datasets",
    "maps": "Maps, axes and geometries",
    "irf": "Instrument responses",
    "data": "Events and observations",
    "stats": "Statistics",
    "fold": "Folding",
    "inference": "Inference",
    "estimators": "Estimators",
    "survey": "Surveys",
    "plots": "Plots",
    "makers": "Data reduction",
    "simulate": "Simulation",
    "catalog": "Catalogues",
}


def write_room_pages() -> None:
    """One page for each room, with a summary line for everything in its ``__all__``."""
    folder = HERE / "api" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    for room, title in ROOMS.items():
        module = importlib.import_module(f"gammajax.{room}")
        title = f"{title}: gammajax.{room}"
        lines = [title, "=" * len(title), "", (module.__doc__ or "").strip(), ""]
        lines += [f".. currentmodule:: gammajax.{room}", "", ".. autosummary::"]
        lines += ["   :toctree: objects", "   :nosignatures:", ""]
        lines += [f"   {name}" for name in sorted(module.__all__, key=str.lower)]
        page, text = folder / f"{room}.rst", "\n".join(lines) + "\n"
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


def copy_notebooks() -> bool:
    """Bring the notebooks in; return whether the real data that they read are here."""
    folder = HERE / "notebooks"
    folder.mkdir(exist_ok=True)
    for notebook in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
        shutil.copy(notebook, folder)
    beside = HERE.parents[1] / "shared" / "data"
    data = Path(os.environ.setdefault("GAMMAPY_DATA", str(beside)))
    return (data / "joint-crab").is_dir()


write_room_pages()
if not copy_notebooks():
    nb_execution_excludepatterns = ["notebooks/*"]


def setup(app: Any) -> None:
    """Append a table of parameters to the page of every model."""
    app.connect("autodoc-process-docstring", add_parameter_table, priority=900)
