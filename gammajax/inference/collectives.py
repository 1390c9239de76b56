"""Sums over the devices of a mesh, in one process or in many.

The mesh has the axes ``datasets`` and ``sources``. What devices hold is of different shapes
and made by different programs, so only these sums are programs of the whole mesh.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

AXES = ("datasets", "sources")


class LostProcess(RuntimeError):
    """Another process of a distributed computation has ended, so its part is missing."""


def default_mesh(n_datasets: int) -> Mesh:
    """All devices of all processes: shared out by datasets first, then by sources.

    Parameters
    ----------
    n_datasets : int
        The axis ``datasets`` is the largest divisor of the number of devices that is not
        larger than this.
    """
    devices = np.array(jax.devices())
    rows = max(n for n in range(1, min(devices.size, n_datasets) + 1) if devices.size % n == 0)
    return Mesh(devices.reshape(rows, -1), AXES)


class Collectives:
    """The sums over a mesh that a likelihood needs.

    Parameters
    ----------
    mesh : `jax.sharding.Mesh`

    Raises
    ------
    ValueError
        If the axes have other names, or this process has no device in the mesh.
    """

    def __init__(self, mesh: Mesh) -> None:
        if tuple(mesh.axis_names) != AXES:
            raise ValueError(
                f"the mesh has the axes {', '.join(map(str, mesh.axis_names))}, expected "
                f"{' and '.join(AXES)}"
            )
        self.mesh = mesh
        here = jax.process_index()
        devices: Any = mesh.devices
        every = np.ndindex(*devices.shape)
        self.places = [place for place in every if devices[place].process_index == here]
        if not self.places:
            raise ValueError(f"process {here} has no device in the mesh; use jax.devices()")
        self.devices = [devices[place] for place in self.places]
        self._shards = NamedSharding(mesh, PartitionSpec(AXES))
        self._total = _summing(mesh, AXES, PartitionSpec())
        self._over_sources = _summing(mesh, "sources", PartitionSpec("datasets"))

    @property
    def shape(self) -> tuple[int, int]:
        """Shards of datasets, and of sources."""
        rows, columns = self.mesh.devices.shape
        return rows, columns

    @property
    def leads(self) -> bool:
        """Whether the first device belongs to this process."""
        return (0, 0) in self.places

    def total(self, parts: Sequence[Any]) -> np.ndarray:
        """The sum over all devices; known to all.

        Parameters
        ----------
        parts : sequence of array, shape (1, ...)
            One for each device of this process, on it.
        """
        return np.asarray(self._run(self._total, parts).addressable_data(0))

    def over_sources(self, parts: Sequence[Any]) -> list[Any]:
        """The sum over the devices with the same datasets, on each of them; no first axis."""
        if self.shape[1] == 1:
            return [part[0] for part in parts]
        found = self._run(self._over_sources, parts)
        by_device = {shard.device: shard.data for shard in found.addressable_shards}
        return [by_device[device][0] for device in self.devices]

    def agreed(self, value: Any) -> np.ndarray:
        """The value that the process of the first device has; known to all.

        Decisions go through this: rounding may differ between hosts of different kinds, and
        a loop that one of them leaves earlier would never end in the others.
        """
        value = np.asarray(value, dtype=np.float64)
        if jax.process_count() == 1:
            return value
        own = [value if place == (0, 0) else np.zeros_like(value) for place in self.places]
        return self.total([self.put(part[None], i) for i, part in enumerate(own)])

    def loop(
        self, condition: Callable[[Any], Any], body: Callable[[Any], Any], carry: Any
    ) -> Any:
        """`jax.lax.while_loop` on the host, which all processes leave together."""
        while bool(self.agreed(condition(carry))):
            carry = body(carry)
        return carry

    def put(self, value: Any, number: int) -> Any:
        """A value on one of the devices of this process."""
        return jax.device_put(value, self.devices[number])

    def _run(self, program: Any, parts: Sequence[Any]) -> Any:
        shape = (self.mesh.devices.size, *np.shape(parts[0])[1:])
        whole = jax.make_array_from_single_device_arrays(shape, self._shards, list(parts))
        try:
            return jax.block_until_ready(program(whole))
        except (jax.errors.JaxRuntimeError, ValueError) as error:  # Gloo raises either
            if jax.process_count() == 1:
                raise
            raise LostProcess(
                f"process {jax.process_index()} of {jax.process_count()} lost the connection "
                "to another one, which has ended or cannot be reached: see its own last "
                f"message ({_first_line(error)})"
            ) from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _summing(mesh: Mesh, axes: Any, out: PartitionSpec) -> Any:
    """A compiled sum of shards of shape (1, ...) over some axes of a mesh."""

    @partial(jax.shard_map, mesh=mesh, in_specs=PartitionSpec(AXES), out_specs=out)
    def summed(part: Any) -> Any:
        found = jax.lax.psum(part, axes)
        return found[0] if axes == AXES else found

    return jax.jit(summed)
