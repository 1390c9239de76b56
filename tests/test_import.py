"""What importing costs: nothing heavy before it is used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = ("jax", "astropy", "matplotlib", "numpyro", "arviz", "healpy", "pandas")


def loaded_by(code: str, **environment: str) -> set[str]:
    """The heavy packages in memory after a new process ran ``code``."""
    report = "import sys; print(*[name for name in sys.modules if '.' not in name])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    return set(done.stdout.splitlines()[-1].split()) & set(HEAVY)


def test_import_is_light() -> None:
    assert loaded_by("import gammajax; gammajax.__version__") == set()


def test_rooms_load_when_used() -> None:
    assert "jax" in loaded_by("import gammajax; gammajax.stats")


def test_unknown_name_is_an_attribute_error() -> None:
    import gammajax

    with pytest.raises(AttributeError, match="no attribute 'statz'"):
        gammajax.statz


def test_dir_lists_the_rooms() -> None:
    import gammajax

    assert {"models", "datasets", "inference", "__version__"} <= set(dir(gammajax))


@pytest.mark.parametrize("room", ["units", "maps", "irf"])
def test_host_rooms_load_without_jax_and_astropy(room: str) -> None:
    assert loaded_by(f"import gammajax.{room}") == set()


def test_inference_loads_without_astropy_matplotlib_and_arviz() -> None:
    loaded = loaded_by("import gammajax.inference")
    assert not loaded & {"astropy", "matplotlib", "arviz", "healpy", "pandas"}


def test_help_of_the_command_line_is_light() -> None:
    code = "from typer.testing import CliRunner; from gammajax.cli.app import app; "
    code += "assert CliRunner().invoke(app, ['--help']).exit_code == 0"
    assert loaded_by(code) == set()


def test_double_precision_is_on() -> None:
    code = "import gammajax.models, jax.numpy as jnp; assert jnp.ones(1).dtype == 'float64'"
    environment = {k: v for k, v in os.environ.items() if k != "JAX_ENABLE_X64"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_users_choice_of_precision_is_kept_and_a_likelihood_refuses_it() -> None:
    code = (
        "from gammajax.config import require_x64\n"
        "try:\n    require_x64('Likelihood')\n"
        "except ValueError as error:\n    assert 'Likelihood' in str(error), error\n"
        "else:\n    raise SystemExit('no error in 32 bits')\n"
    )
    environment = {**os.environ, "JAX_ENABLE_X64": "0"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
