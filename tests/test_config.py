"""Numerical settings."""

from __future__ import annotations

from pathlib import Path

import jax
import pytest

from gammajax.config import Program, enable_compilation_cache, program, require_x64


@pytest.fixture
def cache_settings():
    """Put JAX's cache settings back after a test."""
    names = (
        "jax_compilation_cache_dir",
        "jax_persistent_cache_min_compile_time_secs",
        "jax_persistent_cache_min_entry_size_bytes",
    )
    before = {name: getattr(jax.config, name) for name in names}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.mark.usefixtures("cache_settings")
def test_compilation_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.delenv("GAMMAJAX_CACHE", raising=False)
    assert enable_compilation_cache() == tmp_path / "user" / "gammajax" / "xla"
    monkeypatch.setenv("GAMMAJAX_CACHE", str(tmp_path / "mine"))
    assert enable_compilation_cache() == tmp_path / "mine"
    assert enable_compilation_cache(tmp_path / "given") == tmp_path / "given"
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "given")
    assert (tmp_path / "given").is_dir()


def test_double_precision_is_required_by_name() -> None:
    require_x64("Likelihood")
    with (
        jax.enable_x64(False),
        pytest.raises(ValueError, match=r"^Likelihood: JAX is set to 32"),
    ):
        require_x64("Likelihood")


def test_a_program_goes_without_an_option_that_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Once for all programs; errors of other kinds are those of the function."""
    monkeypatch.setattr(Program, "known", True)
    monkeypatch.setattr("gammajax.config.QUICK", {"xla_cpu_use_steam": True})
    doubled = program(lambda x, times: times * x, static_argnames="times")
    assert float(doubled(1.5, times=2)) == 3.0
    assert not Program.known
    assert float(program(lambda x: x + 1)(1.0)) == 2.0

    monkeypatch.setattr(Program, "known", True)
    monkeypatch.undo()
    with pytest.raises(TypeError):
        program(lambda x: x + 1)("text")
    assert Program.known
