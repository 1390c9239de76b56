"""Notebooks run from the first cell to the last, and their two files agree."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jupytext
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("*.py"))

EXECUTE = """
import sys
import jupytext, nbclient, nbformat

notebook = jupytext.read(sys.argv[1])
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def test_there_are_notebooks():
    assert "joint_crab" in [path.stem for path in SCRIPTS]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_and_notebook_are_a_pair(path):
    script, notebook = jupytext.read(path), jupytext.read(path.with_suffix(".ipynb"))
    sources = [[cell.source for cell in found.cells] for found in (script, notebook)]
    assert sources[0] == sources[1], "run: jupytext --sync " + str(
        path.relative_to(FOLDER.parent)
    )


def cache_folder():
    """The compilation cache of the tests."""
    return jax.config.jax_compilation_cache_dir


@pytest.mark.long
@pytest.mark.data
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_notebook_runs(path, data_path, tmp_path):
    data = data_path("joint-crab/spectra").parents[1]
    environment = {**os.environ, "GAMMAPY_DATA": str(data), "GAMMAJAX_CACHE": cache_folder()}
    # numpyro asks for notebook progress bars that need another package.
    environment["PYTHONWARNINGS"] = "ignore:IProgress not found"
    environment.pop("MPLBACKEND", None)
    target = tmp_path / "executed.ipynb"
    run = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(path), str(target)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    cells = [cell for cell in jupytext.read(target).cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    stderr = [output.text for output in outputs if output.get("name") == "stderr"]
    assert stderr == []
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 5
