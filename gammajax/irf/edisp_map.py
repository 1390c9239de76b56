"""Energy dispersion on the sky, as datasets have it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from gammajax.irf.edisp import EDispKernel
from gammajax.irf.irf_map import IRFMap
from gammajax.irf.psf_map import unit_vector
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.units import to_value


class EDispKernelMap(IRFMap):
    """Probabilities to reconstruct a true energy bin in another, at pixels of the sky.

    Examples
    --------
    >>> from gammajax.maps import MapAxis
    >>> true = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=8, name="energy_true")
    >>> reco = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=4)
    >>> kernel = EDispKernelMap.from_kernel(EDispKernel.from_gauss(true, reco, 0.1))
    >>> kernel.at(np.array([1.0, 0.0, 0.0])).shape
    (8, 4)
    """

    axes_names: ClassVar[tuple[str, ...]] = ("energy", "energy_true")
    axes_units: ClassVar[tuple[str, ...]] = ("TeV", "TeV")
    hdu: ClassVar[str] = "EDISP"
    zero_is_known: ClassVar[bool] = True

    @classmethod
    def from_kernel(
        cls, kernel: EDispKernel, *, exposure: Any = None, frame: str = "icrs"
    ) -> Self:
        """The same dispersion all over the sky.

        Parameters
        ----------
        kernel : `EDispKernel`
        exposure : array, shape (energy_true,), in cm2 s, optional
        frame : str
        """
        geom = WcsGeom.create(npix=(2, 1), binsz=180.0, proj="CAR", frame=frame)
        geom = geom.to_cube([kernel.energy.rename("energy"), kernel.energy_true])
        data = np.broadcast_to(kernel.matrix[..., None, None], geom.data_shape)
        make: Any = cls
        weight = None
        if exposure is not None:
            number = to_value(exposure, "cm2 s", where=f"{cls.__name__}: exposure")
            data_exposure = number[:, None, None, None]
            weight = Map.from_geom(geom.squash("energy"), data=data_exposure, unit="cm2 s")
        return make(Map.from_geom(geom, data=data.copy()), weight)

    def get_edisp_kernel(self, position: Any = None) -> EDispKernel:
        """The dispersion at a position, by default at the middle of the map."""
        if position is None:
            ny, nx = self.table.shape[-2:]
            matrix = self.table[..., ny // 2, nx // 2]
        else:
            matrix = np.asarray(self.at(unit_vector(position, self.geom.frame)))
        return EDispKernel(self.axis("energy_true"), self.axis("energy"), matrix)


class EDispMap(IRFMap):
    """Density of ``migra``, reconstructed over true energy, at pixels of the sky."""

    axes_names: ClassVar[tuple[str, ...]] = ("migra", "energy_true")
    axes_units: ClassVar[tuple[str, ...]] = ("", "TeV")
    hdu: ClassVar[str] = "EDISP"

    def to_edisp_kernel_map(self, energy: MapAxis) -> EDispKernelMap:
        """Integrate the density over bins of reconstructed energy.

        The density is constant within a bin of migra, so its integral is linear between the
        edges, and exact at those of ``energy``. Each true energy bin is taken at its centre.
        """
        migra, true = self.axis("migra"), self.axis("energy_true")
        share = self.table * np.diff(migra.edges)[:, None, None]
        total = share.sum(axis=1, keepdims=True)
        share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
        summed = np.cumsum(share, axis=1)
        summed = np.concatenate([np.zeros_like(summed[:, :1]), summed], axis=1)
        matrix = np.empty((true.nbin, energy.nbin, *self.table.shape[-2:]))
        for row, center, below in zip(matrix, true.center, summed, strict=True):
            row[...] = np.diff(_interpolated(energy.edges / center, migra.edges, below), axis=0)
        geom = self.geom.to_image().to_cube([energy.rename("energy"), true])
        make: Any = EDispKernelMap
        return make(Map.from_geom(geom, data=matrix), self._exposure(energy))

    def _exposure(self, energy: MapAxis) -> Map | None:
        if self.exposure is None:
            return None
        weight = np.asarray(self.exposure.data).sum(axis=1, keepdims=True)
        true = self.axis("energy_true")
        geom = self.geom.to_image().to_cube([energy.squash().rename("energy"), true])
        return Map.from_geom(geom, data=weight, unit="cm2 s")


def _interpolated(x: np.ndarray, nodes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Linear interpolation along the first axis, constant outside."""
    x = np.clip(x, nodes[0], nodes[-1])
    low = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, nodes.size - 2)
    share = ((x - nodes[low]) / (nodes[low + 1] - nodes[low]))[:, None, None]
    return values[low] * (1 - share) + values[low + 1] * share


def read_edisp(hdus: Any, where: str, reader: Any, energy: MapAxis) -> EDispKernelMap:
    """The dispersion in a dataset's file, as matrix or as density of migra."""
    if "migra" in reader(hdus, where, "EDISP").geom.axes.names:
        return EDispMap.from_hdus(hdus, where, None, reader).to_edisp_kernel_map(energy)
    return EDispKernelMap.from_hdus(hdus, where, None, reader)
