"""Sources of one kind become one batched model."""

from __future__ import annotations

import numpy as np

from gammajax.fold import stack_components
from gammajax.models import LogParabolaSpectralModel, Models, PowerLawSpectralModel, SkyModel


def models_of_two_kinds() -> Models:
    return Models(
        [
            SkyModel(PowerLawSpectralModel(index=1.5), name="a"),
            SkyModel(LogParabolaSpectralModel(alpha=2.5), name="b"),
            SkyModel(PowerLawSpectralModel(index=3.5), name="c", datasets_names="one"),
            SkyModel(PowerLawSpectralModel(index=4.5), name="d", apply_irf={"edisp": False}),
        ]
    )


def test_one_stack_for_each_structure() -> None:
    groups = stack_components(models_of_two_kinds())
    assert [[c.name for c in components] for _, components in groups] == [
        ["a", "c"],
        ["b"],
        ["d"],
    ]


def test_places_point_into_the_vector_of_all_parameters() -> None:
    models = models_of_two_kinds()
    names = np.array(models.parameters.names)
    for stack, components in stack_components(models):
        for places, component in zip(stack.places, components, strict=True):
            expected = [f"{component.name}.{name}" for name in component.parameter_names]
            assert names[places].tolist() == expected


def test_map_is_a_loop_over_the_spectra() -> None:
    models = models_of_two_kinds()
    energy = np.array([0.5, 2.0, 7.0])
    values = np.array([row.value for row in models.parameters]) * 1.1
    moved = models.with_values(values)
    for stack, components in stack_components(models):
        found = stack.map(values, lambda spectrum: spectrum.evaluate(energy))
        expected = [moved[c.name].spectral_model.evaluate(energy) for c in components]
        np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_thousand_sources_are_one_stack() -> None:
    models = Models([SkyModel(PowerLawSpectralModel(), name=f"s{i}") for i in range(1000)])
    groups = stack_components(models)
    assert len(groups) == 1
    assert groups[0][0].spectra.index.shape == (1000,)
