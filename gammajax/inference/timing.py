"""How long JAX compiled, apart from how long the program ran."""

from __future__ import annotations

import time
from typing import Any

import jax

_COMPILING = (
    "/jax/core/compile/jaxpr_trace_duration",
    "/jax/core/compile/jaxpr_to_mlir_module_duration",
    "/jax/core/compile/backend_compile_duration",
)
_watches: list[Stopwatch] = []
_listening = False


class Stopwatch:
    """Context that measures ``compile`` and ``run`` seconds of what happens inside."""

    def __init__(self) -> None:
        self.compile = 0.0
        self.run = 0.0

    def __enter__(self) -> Stopwatch:
        global _listening
        if not _listening:
            jax.monitoring.register_event_duration_secs_listener(_hear)
            _listening = True
        _watches.append(self)
        self._start = time.perf_counter()
        return self

    def __exit__(self, *failure: Any) -> None:
        _watches.remove(self)
        self.run = max(time.perf_counter() - self._start - self.compile, 0.0)


def _hear(event: str, duration_secs: float, **_: Any) -> None:
    if event in _COMPILING:
        for watch in _watches:
            watch.compile += duration_secs
