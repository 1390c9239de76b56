"""The numerical settings that every module with JAX in it shares.

Importing this module is what turns on 64-bit floats: a float32 statistic of 1e6 has a
spacing of 0.06, which is larger than the differences that errors are made of. A choice
that the user made before (``JAX_ENABLE_X64`` in the environment, or
``jax.config.update("jax_enable_x64", ...)``) is kept.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp


def _in_x64() -> bool:
    return jnp.result_type(float) == jnp.float64


if "JAX_ENABLE_X64" not in os.environ and not _in_x64():
    jax.config.update("jax_enable_x64", True)


def require_x64(what: str) -> None:
    """Raise if JAX runs in 32 bits, where ``what`` cannot keep its promises.

    Parameters
    ----------
    what : str
        The object that needs 64-bit floats; it starts the error message.

    Raises
    ------
    ValueError
        If ``jax_enable_x64`` is off.
    """
    if not _in_x64():
        raise ValueError(
            f"{what}: JAX is set to 32-bit floats, which leave noise of 1e-2 in a fit "
            "statistic. Unset JAX_ENABLE_X64, or call "
            "jax.config.update('jax_enable_x64', True) first."
        )


def enable_compilation_cache(folder: str | Path | None = None) -> Path:
    """Keep compiled programs on disk, so that a second process starts faster.

    Parameters
    ----------
    folder : path-like, optional
        Where to keep them. The default is ``$GAMMAJAX_CACHE``, else ``gammajax/xla`` in the
        user's cache folder (``$XDG_CACHE_HOME`` or ``~/.cache``).

    Returns
    -------
    folder : `~pathlib.Path`
        The folder in use.
    """
    if folder is None:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = os.environ.get("GAMMAJAX_CACHE") or Path(base) / "gammajax" / "xla"
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def compilation_cache() -> str | None:
    """The folder in which compiled programs are kept; None if they are not."""
    config: Any = jax.config
    return config.jax_compilation_cache_dir


def on_accelerator() -> bool:
    """Whether programs run on a GPU or TPU by default, where what costs is other than here.

    There a program takes microseconds for each kernel that it starts, and wide loops are free;
    on a processor arrays that stay in the cache are.

    Examples
    --------
    >>> import jax
    >>> from gammajax.config import on_accelerator
    >>> on_accelerator() == (jax.default_backend() != "cpu")
    True
    """
    return jax.default_backend() != "cpu"


FEW_BYTES = 2**29
"""Room for one array on a device that does not say how much memory it has."""


def room_on_device() -> int:
    """Bytes that one array of intermediate results may take on an accelerator.

    An eighth of what JAX may use of its memory; `FEW_BYTES` where that is not known.
    """
    stats = jax.local_devices()[0].memory_stats() or {}
    return int(stats.get("bytes_limit", 8 * FEW_BYTES)) // 8


QUICK = {"xla_cpu_use_fusion_emitters": False}
"""Options of programs that are compiled on processors in two thirds of the time."""

_UNKNOWN = "No such compile option"


class Program:
    """A function that is compiled when the host calls it; see `program`."""

    known = True

    def __init__(self, function: Callable[..., Any], jit: Any, options: Any) -> None:
        functools.update_wrapper(self, function)
        self.quick = jit(function, compiler_options=QUICK, **options)
        self.plain = jit(function, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function gives."""
        if Program.known:
            try:
                return self.quick(*args, **kwargs)
            except jax.errors.JaxRuntimeError as error:
                if _UNKNOWN not in str(error):
                    raise
                Program.known = False
        return self.plain(*args, **kwargs)

    @property
    def n_compiled(self) -> int:
        """For how many kinds of arguments it has been compiled."""
        return sum(part._cache_size() for part in (self.quick, self.plain))


def program(function: Callable[..., Any], jit: Any = jax.jit, **options: Any) -> Program:
    """`jax.jit` of a large function that only the host calls, never another traced one.

    XLA's older emitters for processors compile folds and fits in two thirds of the time of the
    newer ones, and what they make is as fast. Where they are gone, the option is left out. They
    are slower for programs that draw Poisson numbers.

    Parameters
    ----------
    function : callable
    jit : callable
        What compiles: `jax.jit`, or `equinox.filter_jit` for arguments that are not arrays.
    **options
        Of ``jit``.

    Examples
    --------
    >>> from gammajax.config import program
    >>> float(program(lambda x: x + 1)(1.0))
    2.0
    """
    return Program(function, jit, options)
