"""Maps on fewer, more or other bins; filling and sampling."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.maps import rebin, wcs_shape
from gammajax.maps.arrays import from_scale, is_jax, namespace, to_scale
from gammajax.maps.geom import MapCoord

REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "all",
    "logical_or": "any",
}


def reduce(found: Any, axis_name: str, func: str, keepdims: bool) -> Any:
    """One axis reduced to one bin, or removed."""
    if func not in REDUCTIONS:
        raise ValueError(f"reduce: func is {func!r}, expected {', '.join(REDUCTIONS)}")
    geom = found.geom
    place = geom.axes.dim(axis_name)
    data = getattr(found.data, REDUCTIONS[func])(axis=place, keepdims=keepdims)
    reduced = geom.squash(axis_name) if keepdims else geom.drop(axis_name)
    return found.with_data(data, geom=reduced)


def resample_axis(found: Any, axis: Any, weights: Any) -> Any:
    """Bins of one axis summed; bins outside of ``axis`` are left out."""
    own = found.geom.axes[axis.name]
    geom = found.geom.resample_axis(axis)
    new = geom.axes[axis.name]
    group = rebin.groups(own, new)
    matrix = (group == np.arange(new.nbin)[:, None]).astype(float)
    place = found.geom.axes.dim(axis.name)
    data = found.data if weights is None else found.data * weights.data
    xp = namespace(data)
    summed = xp.moveaxis(xp.tensordot(matrix, data, axes=(1, place)), 0, place)
    return found.with_data(summed > 0 if found.is_mask else summed, geom=geom)


def downsample(found: Any, factor: int, preserve_counts: bool, axis_name: str | None) -> Any:
    """Neighbouring bins joined into their sum or mean; bools into whether any is true."""
    geom = found.geom.downsample(factor, axis_name)
    data = found.data
    places = (-2, -1) if axis_name is None else (found.geom.axes.dim(axis_name) - data.ndim,)
    for place in places:
        position = data.ndim + place
        split = (*data.shape[:position], -1, factor, *data.shape[position + 1 :])
        parts = data.reshape(split)
        if found.is_mask:
            data = parts.any(axis=position + 1)
        else:
            data = getattr(parts, "sum" if preserve_counts else "mean")(axis=position + 1)
    return found.with_data(data, geom=geom)


def upsample(found: Any, factor: int, preserve_counts: bool, axis_name: str | None) -> Any:
    """Bins divided; with counts preserved, each part has an equal share."""
    geom = found.geom.upsample(factor, axis_name)
    data, xp = found.data, namespace(found.data)
    places = (-2, -1) if axis_name is None else (found.geom.axes.dim(axis_name),)
    for place in places:
        data = xp.repeat(data, factor, axis=place)
        if preserve_counts and not found.is_mask:
            data = data / factor
    return found.with_data(data, geom=geom)


def stack(found: Any, other: Any, weights: Any) -> Any:
    """Add an aligned map where the two overlap."""
    corner = wcs_shape.offset(found.geom, other.geom)
    if corner is None or not found.geom.axes.is_close(other.geom.axes):
        raise ValueError(
            f"stack: the pixels or axes of {other.geom!r} do not fall on those of "
            f"{found.geom!r}; reproject or resample it first"
        )
    values = other.data if found.is_mask else other.to_unit(found.unit).data
    if weights is not None:
        values = values & weights.data if found.is_mask else values * weights.data
    own, theirs = [], []
    for first, size, limit in zip(corner, other.geom.npix, found.geom.npix, strict=True):
        start, stop = max(first, 0), max(min(first + size, limit), 0)
        own.append(slice(start, stop))
        theirs.append(slice(start - first, max(stop - first, start - first)))
    part = values[..., theirs[1], theirs[0]]
    place = (..., own[1], own[0])
    if part.size == 0:
        return found
    xp = namespace(found.data, part)
    if xp is not np:
        target = xp.asarray(found.data).at[place]
        return found.with_data(target.max(part) if found.is_mask else target.add(part))
    data = found.data.copy()
    data[place] = data[place] | part if found.is_mask else data[place] + part
    return found.with_data(data)


def filled(data: Any, index: tuple[np.ndarray, ...], weights: Any = None) -> Any:
    """Values with the number (or summed weights) of points in each bin added.

    Parameters
    ----------
    data : array
        It is not changed.
    index : tuple of array of int
        x, y, then the axes; -1 outside. Points outside are left out.
    weights : array, optional
    """
    parts = np.broadcast_arrays(*index)
    inside = parts[0] >= 0
    for part in parts[1:]:
        inside = inside & (part >= 0)
    kept = tuple(part[inside] for part in reversed(parts))
    flat = np.ravel_multi_index(kept, data.shape)
    if weights is not None:
        weights = np.broadcast_to(np.asarray(weights, float), inside.shape)[inside]
    if not is_jax(data) and data.dtype == np.float64 and flat.size < data.size // 8:
        # few points in a large map: only their bins are touched
        values = data.copy()
        np.add.at(values.reshape(-1), flat, 1.0 if weights is None else weights)
        return values
    return data + np.bincount(flat, weights, minlength=data.size).reshape(data.shape)


def sample(found: Any, n_events: int, rng: np.random.Generator) -> MapCoord:
    """Points drawn with the values as weights, uniform within each bin."""
    geom, weights = found.geom, np.asarray(found.data, dtype=float).ravel()
    if not np.all(weights >= 0) or not 0 < weights.sum() < np.inf:
        raise ValueError(f"sample_coord: {found!r} has values that are no weights")
    cumulative = np.cumsum(weights)
    drawn = np.searchsorted(cumulative, rng.random(n_events) * cumulative[-1], side="right")
    index = np.unravel_index(np.minimum(drawn, weights.size - 1), geom.data_shape)[::-1]
    x, y = (part + rng.random(n_events) - 0.5 for part in index[:2])
    lon, lat, *_ = geom.to_image().pix_to_coord((x, y))
    values = {"lon": lon, "lat": lat}
    for axis, part in zip(geom.axes, index[2:], strict=True):
        if not hasattr(axis, "edges_min"):
            values[axis.name] = axis.center[part]
            continue
        low, high = (to_scale(edge[part], axis.interp) for edge in _edges(axis))
        values[axis.name] = from_scale(low + (high - low) * rng.random(n_events), axis.interp)
    return MapCoord(values, geom.frame)


def _edges(axis: Any) -> tuple[np.ndarray, np.ndarray]:
    return axis.edges_min, axis.edges_max


def reproject(found: Any, geom: Any, preserve_counts: bool) -> Any:
    """Values on the pixels of another projection, interpolated bilinearly; NaN outside."""
    from reproject import reproject_interp

    if len(geom.axes) and not geom.axes.is_close(found.geom.axes):
        raise ValueError(
            f"reproject_to_geom: the map has {found.geom.axes!r}, the geometry {geom.axes!r}; "
            "resample the axis first"
        )
    target = geom.to_image().to_cube(found.geom.axes)
    values = np.asarray(found.data, dtype=float)
    if preserve_counts:
        with np.errstate(divide="ignore", invalid="ignore"):
            density = values / found.geom.solid_angle()
        values = np.nan_to_num(density, nan=0.0, posinf=0.0)
    images = [
        reproject_interp(
            (image, found.geom.wcs),
            geom.wcs,
            shape_out=target.data_shape[-2:],
            order="nearest-neighbor" if found.is_mask else "bilinear",
            return_footprint=False,
        )
        for image in values.reshape(-1, *values.shape[-2:])
    ]
    data = np.asarray(images).reshape(target.data_shape)
    if found.is_mask:
        return found.with_data(np.nan_to_num(data) > 0.5, geom=target)
    return found.with_data(data * geom.solid_angle() if preserve_counts else data, geom=target)


def to_region(found: Any, region: Any, func: str) -> Any:
    """The pixels of a region (or all) summed or averaged."""
    from gammajax.maps.region_geom import RegionGeom
    from gammajax.maps.region_map import RegionNDMap

    if func not in ("add", "mean"):
        raise ValueError(f"to_region_nd_map: func is {func!r}, expected 'add' or 'mean'")
    geom = RegionGeom.create(region, axes=found.geom.axes)
    if geom.is_point:
        coords = dict(geom.get_coord(sparse=True))
        return RegionNDMap(
            geom, found.interp_by_coord(MapCoord(coords, geom.frame)), found.unit
        )
    image = found.geom.to_image()
    mask = np.isfinite(image.get_image_coord()["lat"])
    if region is not None:
        mask = geom.to_image().contains(image.get_image_coord())
    if not mask.any():
        raise ValueError(f"to_region_nd_map: no pixel of {image!r} lies in {geom!r}")
    xp = namespace(found.data)
    total = xp.where(mask, found.data, 0).sum(axis=(-2, -1), keepdims=True)
    return RegionNDMap(geom, total / mask.sum() if func == "mean" else total, found.unit)
