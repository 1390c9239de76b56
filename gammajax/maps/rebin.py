"""Axes with fewer, more or other bins, made of an axis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gammajax.maps.axes import MapAxis


def sliced(axis: MapAxis, index: int | slice) -> MapAxis:
    """The bins of a slice, or one bin."""
    if not isinstance(index, slice):
        index = slice(index, index + 1) if index != -1 else slice(-1, None)
    start, stop, step = index.indices(axis.nbin)
    if step != 1 or stop <= start:
        raise ValueError(
            f"MapAxis {axis.name!r}: {index} of {axis.nbin} bins, expected at least one bin "
            "and step 1"
        )
    nodes = None if axis.nodes is None else axis.nodes[start:stop]
    return replace(axis, edges=axis.edges[start : stop + 1], nodes=nodes)


def resampled(axis: MapAxis, other: MapAxis) -> MapAxis:
    """The axis whose edges are those of ``axis`` that are nearest to those of ``other``."""
    wanted = axis.coord_to_pix(other.quantity() if axis.unit != other.unit else other.edges)
    index = np.unique(np.clip(np.rint(wanted + 0.5), 0, axis.nbin).astype(int))
    if index.size < 2:
        raise ValueError(
            f"MapAxis {axis.name!r}: no bin of {axis!r} lies in {other!r}; nothing to resample"
        )
    return MapAxis(axis.edges[index], axis.name, axis.unit, axis.interp)


def groups(axis: MapAxis, other: MapAxis) -> np.ndarray:
    """The bin of ``other`` in which each bin of ``axis`` lies; -1 if in none."""
    index = np.asarray(other.coord_to_idx(axis.center))
    slack = 1e-6 * axis.bin_width
    low, high = other.edges[index], other.edges[np.minimum(index + 1, other.nbin)]
    whole = (axis.edges_min >= low - slack) & (axis.edges_max <= high + slack)
    return np.where((index >= 0) & whole, index, -1)


def downsampled(axis: MapAxis, factor: int) -> MapAxis:
    """Join neighbouring bins, or keep some of the nodes."""
    check_factor(factor, f"MapAxis {axis.name!r}")
    if axis.nodes is not None:
        return MapAxis.from_nodes(
            axis.nodes[::factor], name=axis.name, unit=axis.unit, interp=axis.interp
        )
    if axis.nbin % factor:
        raise ValueError(
            f"MapAxis {axis.name!r}: {axis.nbin} bins cannot be joined by {factor}; the "
            "factor has to divide their number"
        )
    return replace(axis, edges=axis.edges[::factor])


def upsampled(axis: MapAxis, factor: int) -> MapAxis:
    """Divide every bin (or step between nodes) evenly in the axis's scale."""
    check_factor(factor, f"MapAxis {axis.name!r}")
    if axis.nodes is not None:
        pixel = np.arange((axis.nbin - 1) * factor + 1) / factor
        nodes = axis.pix_to_coord(pixel)
        nodes[::factor] = axis.nodes
        return MapAxis.from_nodes(nodes, name=axis.name, unit=axis.unit, interp=axis.interp)
    edges = axis.pix_to_coord(np.arange(axis.nbin * factor + 1) / factor - 0.5)
    edges[::factor] = axis.edges  # exact, where the scale would round
    return replace(axis, edges=edges)


def concatenated(axis: MapAxis, other: MapAxis) -> MapAxis:
    """Two axes of one kind in a row."""
    same = ("name", "unit", "interp", "node_type")
    differ = [key for key in same if getattr(axis, key) != getattr(other, key)]
    if differ:
        raise ValueError(
            f"MapAxis {axis.name!r}: cannot be joined to {other!r}, which has another "
            f"{' and '.join(differ)}"
        )
    if axis.nodes is not None and other.nodes is not None:
        nodes = np.concatenate([axis.nodes, other.nodes])
        return MapAxis.from_nodes(nodes, name=axis.name, unit=axis.unit, interp=axis.interp)
    if not np.isclose(axis.edges[-1], other.edges[0], rtol=1e-6, atol=0):
        raise ValueError(
            f"MapAxis {axis.name!r}: ends at {axis.edges[-1]:g} {axis.unit}, and the other "
            f"starts at {other.edges[0]:g}; joined axes have to touch"
        )
    return replace(axis, edges=np.concatenate([axis.edges, other.edges[1:]]))


def check_factor(factor: int, where: str) -> None:
    """A factor to down- or upsample by is a whole number above 0."""
    if int(factor) != factor or factor < 1:
        raise ValueError(f"{where}: the factor is {factor}, expected 1, 2, 3, ...")
