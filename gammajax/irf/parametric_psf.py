"""Point spread functions given by parameters."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from gammajax.irf.interpolation import interpolate
from gammajax.irf.psf import PSF, PSF3D, SR_PER_DEG2, to_psf3d
from gammajax.irf.table import ENERGY_TRUE, OFFSET, RAD, AxisForm, Quantities

TINY = 1e-30


class ParametricPSF(PSF):
    """Base of the point spread functions whose parameters are tables.

    The parameters are interpolated, linear in ln E and offset, between the nodes that are
    not empty. Outside of the outermost bins the density is 0.
    """

    forms: ClassVar[tuple[AxisForm, ...]] = (
        ENERGY_TRUE,
        OFFSET,
    )

    def _coord_forms(self) -> tuple[AxisForm, ...]:
        return (*self.forms, RAD)

    @property
    def unit(self) -> str:
        """The unit of the density."""
        return "sr-1"

    @property
    def parameters(self) -> dict[str, Any]:
        """The table of each parameter, by its column in files."""
        names = (names[0] for names in self.quantities.columns)
        return dict(zip(names, self.values, strict=True))

    def at_filled(self, filled: Any, tables: Any, energy_true: Any, offset: Any) -> list[Any]:
        """Parameters at an energy and offset, from the nodes that are not empty; pure.

        The first element is 1 where there is such a node around, and 0 elsewhere.
        """
        points = [energy_true, offset]
        weight = interpolate(self.axes, jnp.asarray(filled, dtype=float), points)
        there = (weight > 0) & self.inside(energy_true, offset)
        safe = jnp.where(there, weight, 1.0)
        found = [interpolate(self.axes, table * filled, points) / safe for table in tables]
        return [jnp.where(there, 1.0, 0.0), *found]

    def inside(self, energy_true: Any, offset: Any) -> Any:
        """Whether energy and offset lie within the bins of the table; pure."""
        energy, theta = self.axes
        return (
            (energy_true >= energy.edges_min[0])
            & (energy_true <= energy.edges_max[-1])
            & (offset >= theta.edges_min[0])
            & (offset <= theta.edges_max[-1])
        )

    def to_psf3d(self, rad_edges: Any = None) -> PSF3D:
        """The same as a table; by default 200 bins up to the radius of 99.9 %."""
        return to_psf3d(self, rad_edges)


class EnergyDependentMultiGaussPSF(ParametricPSF):
    r"""Sum of three Gaussians.

    .. math::
        P(r) = S \sum_{i=1}^3 A_i \exp\left(-\frac{r^2}{2 \sigma_i^2}\right), \quad A_1 = 1

    The density is normalised to 1: S only says where the table is empty, with a 0. Files of
    the first CTA data challenge have S in no unit, and off by a factor of 1e5; and S
    interpolated between nodes would not fit to the widths there. Reference: GADF 0.3,
    ``psf_3gauss``.
    """

    quantities: ClassVar[Quantities] = Quantities(
        (("SCALE",), ("SIGMA_1",), ("AMPL_2",), ("SIGMA_2",), ("AMPL_3",), ("SIGMA_3",)),
        ("sr-1", "deg", "", "deg", "", "deg"),
    )
    hdu_class: ClassVar[str] = "PSF_3GAUSS"

    @classmethod
    def from_parametrization(cls, **options: Any) -> Any:
        """One Gaussian, by a formula: see `formula_irfs`.

        Parameters
        ----------
        **options
            ``psf_width``, ``energy_edges``, ``offset_max``.
        """
        from gammajax.irf.formulas import formula_irfs

        return formula_irfs(psf="gauss", **options)["psf"]

    def stated_normalisation(self) -> np.ndarray:
        """What the density would integrate to with SCALE as it is; 0 where it is empty.

        The density itself integrates to 1, see above. In the files of the first CTA data
        challenge and in those of the prod5 simulations, this is 4e-6 to 1e-4.
        """
        scale, sigma_1, ampl_2, sigma_2, ampl_3, sigma_3 = self.values
        squares = sigma_1**2 + ampl_2 * sigma_2**2 + ampl_3 * sigma_3**2
        return 2 * np.pi * SR_PER_DEG2 * scale * squares

    def largest_rad(self) -> Any:
        """Ten times the largest width."""
        widths: Any = jnp.asarray(self.values)[1::2]
        return 10 * widths.max()

    def _terms(self, energy_true: Any, offset: Any) -> tuple[Any, list[Any], list[Any]]:
        """Normalisation, share of each Gaussian, and squares of their widths."""
        scale, *shapes = self.values
        filled, *found = self.at_filled(scale > 0, shapes, energy_true, offset)
        sigma_1, ampl_2, sigma_2, ampl_3, sigma_3 = found
        widths = [jnp.maximum(s, TINY) ** 2 for s in (sigma_1, sigma_2, sigma_3)]
        amplitudes = [jnp.ones_like(sigma_1), jnp.maximum(ampl_2, 0), jnp.maximum(ampl_3, 0)]
        total = sum(a * w for a, w in zip(amplitudes, widths, strict=True))
        shares = [a * w / total for a, w in zip(amplitudes, widths, strict=True)]
        return filled, shares, widths

    def value(self, **coords: Any) -> Any:
        """The density; pure, for traced code. See `IRF.value`."""
        energy_true, offset, rad = self._points(coords)
        norm, shares, widths = self._terms(energy_true, offset)
        total = sum(
            share * jnp.exp(-(rad**2) / (2 * width)) / (2 * np.pi * width * SR_PER_DEG2)
            for share, width in zip(shares, widths, strict=True)
        )
        return norm * total

    def contained(self, *, rad: Any, energy_true: Any, offset: Any) -> Any:
        """Each Gaussian contains 1 - exp(-r^2 / 2 sigma^2)."""
        norm, shares, widths = self._terms(energy_true, offset)
        inside = sum(
            share * -jnp.expm1(-(rad**2) / (2 * width))
            for share, width in zip(shares, widths, strict=True)
        )
        return norm * inside


class PSFKing(ParametricPSF):
    r"""King profile.

    .. math::
        P(r) = \frac{1}{2 \pi \sigma^2} \left(1 - \frac{1}{\gamma}\right)
        \left(1 + \frac{r^2}{2 \gamma \sigma^2}\right)^{-\gamma}

    It is normalised for gamma above 1; where a table has gamma or sigma 0, it is empty.
    Reference: GADF 0.3, ``psf_king``.
    """

    quantities: ClassVar[Quantities] = Quantities((("GAMMA",), ("SIGMA",)), ("", "deg"))
    hdu_class: ClassVar[str] = "PSF_KING"

    @classmethod
    def from_parametrization(cls, **options: Any) -> Any:
        """A King profile, by a formula: see `formula_irfs`.

        Parameters
        ----------
        **options
            ``psf_width``, ``energy_edges``, ``offset_max``.
        """
        from gammajax.irf.formulas import formula_irfs

        return formula_irfs(psf="king", **options)["psf"]

    def largest_rad(self) -> float:
        """180 deg: the profile has long tails."""
        return 180.0

    def _gamma_sigma(self, energy_true: Any, offset: Any) -> tuple[Any, Any, Any]:
        gamma, sigma = self.values
        filled = (gamma > 1) & (sigma > 0)
        there, gamma, sigma = self.at_filled(filled, self.values, energy_true, offset)
        good = (gamma > 1) & (sigma > 0) & (there > 0)
        return jnp.where(good, gamma, 2.0), jnp.where(good, sigma, 1.0), good

    def value(self, **coords: Any) -> Any:
        """The density; pure, for traced code. See `IRF.value`."""
        energy_true, offset, rad = self._points(coords)
        gamma, sigma, good = self._gamma_sigma(energy_true, offset)
        profile = (1 + rad**2 / (2 * gamma * sigma**2)) ** -gamma
        norm = (1 - 1 / gamma) / (2 * np.pi * sigma**2 * SR_PER_DEG2)
        return jnp.where(good, norm * profile, 0.0)

    def contained(self, *, rad: Any, energy_true: Any, offset: Any) -> Any:
        """The King profile contains 1 - (1 + r^2 / 2 gamma sigma^2)^(1 - gamma)."""
        gamma, sigma, good = self._gamma_sigma(energy_true, offset)
        outside = (1 + rad**2 / (2 * gamma * sigma**2)) ** (1 - gamma)
        return jnp.where(good, 1 - outside, 0.0)
