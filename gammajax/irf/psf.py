"""Point spread functions: what they share, and the table."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.irf.axis import GridAxis
from gammajax.irf.table import ENERGY_TRUE, IRF, OFFSET, RAD, AxisForm, Quantities
from gammajax.units import to_quantity, to_value

N_BISECTIONS = 48
SR_PER_DEG2 = (np.pi / 180) ** 2


class PSF(IRF):
    """Base of the point spread functions.

    The value is the density in sr-1 at a distance ``rad`` from the true direction. Solid
    angles are those of flat space, 2 pi r dr, as in the format: at 5 deg that is 1e-3 off.
    """

    hduclas2: ClassVar[str] = "RPSF"

    def contained(self, *, rad: Any, energy_true: Any, offset: Any) -> Any:
        """Fraction of the events within ``rad``, coordinates in canonical units; pure."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def largest_rad(self) -> float:
        """A radius, in deg, that contains every event of the table."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def containment(self, *, rad: Any, energy_true: Any, offset: Any) -> np.ndarray:
        """Fraction of the events within a radius."""
        coords = {"rad": rad, "energy_true": energy_true, "offset": offset}
        return np.asarray(_contained(self, _numbers(coords)))

    def containment_radius(self, *, fraction: Any, energy_true: Any, offset: Any) -> Any:
        """The radius that contains a fraction of all the events that the table has.

        Returns
        -------
        radius : `~astropy.units.Quantity`
            Not a number where the table is empty.
        """
        share = to_value(fraction, "", where="fraction")
        if np.any(share <= 0) or np.any(share >= 1):
            raise ValueError(f"containment_radius: fraction is {fraction}, expected 0 to 1")
        numbers = _numbers({"energy_true": energy_true, "offset": offset})
        return to_quantity(_radius(self, share, numbers), "deg")

    def normalisation(self) -> np.ndarray:
        """What the density integrates to at each node of energy and offset; 0 if empty."""
        energy, offset = self.axis("energy_true").center, self.axis("offset").center
        return self.containment(
            rad=self.largest_rad(), energy_true=energy[:, None], offset=offset
        )

    def check_normalisation(self, tolerance: float = 0.01) -> None:
        """Raise if the integral at a node is neither 0 nor 1 within ``tolerance``."""
        total = self.normalisation()
        bad = (np.abs(total - 1) > tolerance) & (total > 0)
        if bad.any():
            row, column = (int(i) for i in np.argwhere(bad)[0])
            raise ValueError(
                f"{type(self).__name__}: the density integrates to {total[row, column]:.4g} at "
                f"{self.axis('energy_true').center[row]:.4g} TeV and offset "
                f"{self.axis('offset').center[column]:.4g} deg ({int(bad.sum())} of "
                f"{bad.size} nodes are like this), expected 1 within {tolerance:g}"
            )


def _numbers(coords: dict[str, Any]) -> dict[str, np.ndarray]:
    units = {"rad": "deg", "energy_true": "TeV", "offset": "deg"}
    return {name: to_value(x, units[name], where=name) for name, x in coords.items()}


@eqx.filter_jit
def _contained(psf: PSF, coords: dict[str, Any]) -> Any:
    return psf.contained(**coords)


@eqx.filter_jit
def _radius(psf: PSF, fraction: Any, coords: dict[str, Any]) -> Any:
    shape = jnp.broadcast_shapes(jnp.shape(fraction), *(jnp.shape(x) for x in coords.values()))
    largest = psf.largest_rad()
    total = psf.contained(rad=jnp.full(shape, largest), **coords)

    def halve(_: int, bounds: tuple[Any, Any]) -> tuple[Any, Any]:
        low, high = bounds
        middle = (low + high) / 2
        below = psf.contained(rad=middle, **coords) < fraction * total
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    start = (jnp.zeros(shape), jnp.full(shape, largest))
    low, high = jax.lax.fori_loop(0, N_BISECTIONS, halve, start)
    return jnp.where(total > 0, (low + high) / 2, jnp.nan)


class PSF3D(PSF):
    """Point spread function as a table, in sr-1, of true energy, offset and distance.

    Linear in ln E, offset and distance; below the first node of distance a line goes on to 0.

    Parameters
    ----------
    axes : `GridAxis` of energy_true, offset and rad
    values : array in sr-1 or `~astropy.units.Quantity`
    """

    forms: ClassVar[tuple[AxisForm, ...]] = (ENERGY_TRUE, OFFSET, RAD)
    quantities: ClassVar[Quantities] = Quantities((("RPSF",),), ("sr-1",))
    hdu_class: ClassVar[str] = "PSF_TABLE"
    tolerated: ClassVar[float] = 0.01

    def largest_rad(self) -> float:
        """The last edge of the table."""
        return self.axis("rad").edges_max[-1]

    def contained(self, *, rad: Any, energy_true: Any, offset: Any) -> Any:
        """The sum of density times solid angle of the rings within a radius.

        Such tables are histograms of distances, and a bin holds its mean density: a line
        between the middles of bins would lose the events of a peak in the centre. Where the
        table is given at nodes, without bins, it is the integral along the lines.
        """
        axis = self.axis("rad")
        if axis.is_nodes:
            return self._between_nodes(rad, energy_true, offset)
        edges = jnp.append(jnp.asarray(axis.edges_min), axis.edges_max[-1])
        squares = jnp.minimum(edges, jnp.asarray(rad)[..., None]) ** 2
        density = self.value(
            rad=jnp.asarray(axis.center),
            energy_true=jnp.asarray(energy_true)[..., None],
            offset=jnp.asarray(offset)[..., None],
        )
        return np.pi * SR_PER_DEG2 * jnp.sum(jnp.diff(squares) * density, axis=-1)

    def _between_nodes(self, rad: Any, energy_true: Any, offset: Any) -> Any:
        """The integral of 2 pi r times the density, exact: a quadratic within each cell."""
        axis = self.axis("rad")
        inner = [jnp.zeros(1), jnp.asarray(axis.center), jnp.asarray(axis.edges_max[-1:])]
        ends = jnp.minimum(jnp.concatenate(inner), jnp.asarray(rad)[..., None])
        x, gauss = np.polynomial.legendre.leggauss(2)
        middle, half = (ends[..., 1:] + ends[..., :-1]) / 2, jnp.diff(ends) / 2
        total: Any = 0.0
        for node, weight in zip(x, gauss, strict=True):
            r = middle + node * half
            density = self.value(
                rad=r,
                energy_true=jnp.asarray(energy_true)[..., None],
                offset=jnp.asarray(offset)[..., None],
            )
            total = total + jnp.sum(weight * half * r * density, axis=-1)
        return 2 * np.pi * SR_PER_DEG2 * total


@eqx.filter_jit
def _tabulate(psf: PSF, energy: Any, offset: Any, rad: Any) -> Any:
    return psf.value(energy_true=energy[:, None, None], offset=offset[:, None], rad=rad)


def to_psf3d(psf: PSF, rad_edges: Any = None) -> PSF3D:
    """Tabulate a point spread function; by default 200 bins up to the radius of 99.9 %."""
    energy, offset = psf.axis("energy_true"), psf.axis("offset")
    if rad_edges is None:
        radii = psf.containment_radius(
            fraction=0.999, energy_true=energy.center[:, None], offset=offset.center
        ).value
        if not np.isfinite(radii).any():
            raise ValueError(f"{type(psf).__name__}: is empty, and has no radii to tabulate")
        rad_edges = np.nanmax(radii) * np.linspace(0, 1, 201) ** 2
    rad = GridAxis.from_edges(rad_edges, "rad", "deg")
    values = np.asarray(_tabulate(psf, energy.center, offset.center, rad.center))
    return PSF3D((energy, offset, rad), values, point_like=psf.point_like)
