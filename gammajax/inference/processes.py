"""Starting the processes of a distributed computation."""

from __future__ import annotations

import os
import re
import sys

import jax

HEARTBEAT = 30
"""Seconds without a sign of life after which a process counts as lost."""


def start_distributed(
    coordinator: str, n_processes: int, process: int, *, timeout: int = 300
) -> None:
    """Join the processes of a distributed computation; wait until all are there.

    Call it first, before any other use of JAX. On CPUs the processes talk to each other with
    Gloo, which comes with jaxlib; on GPUs with NCCL.

    Parameters
    ----------
    coordinator : str
        Host and port of process 0, as ``node1:9876``, the same in all processes.
    n_processes : int
    process : int
        The number of this one, from 0.
    timeout : int
        Seconds to wait for the others.

    Raises
    ------
    ValueError
        If the address or a number makes no sense.
    RuntimeError
        If the others do not come in time.

    Examples
    --------
    >>> from gammajax.inference import start_distributed
    >>> start_distributed("node1", 2, 0)
    Traceback (most recent call last):
    ...
    ValueError: coordinator is 'node1', expected a host and a port, as node1:9876
    """
    if not re.fullmatch(r"\S+:\d{1,5}", coordinator):
        raise ValueError(
            f"coordinator is {coordinator!r}, expected a host and a port, as node1:9876"
        )
    if not 0 <= process < n_processes:
        raise ValueError(
            f"process is {process}, expected a number from 0 to {n_processes - 1}: there are "
            f"{n_processes} processes"
        )
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            coordinator,
            n_processes,
            process,
            initialization_timeout=timeout,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=HEARTBEAT,
        )
    except jax.errors.JaxRuntimeError as error:
        text = str(error).partition("\n")[0]
        raise RuntimeError(
            f"process {process} of {n_processes}: the others were not at {coordinator} within "
            f"{timeout} s ({text})"
        ) from None


def leave_at_once(status: int) -> None:
    """End this process without waiting for others, of which one is lost."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
