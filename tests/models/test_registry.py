"""Tags and defaults of spatial and temporal models, as model files expect them."""

import json

import numpy as np
import pytest
from astropy import units as u

from gammajax.models import (
    SPATIAL_MODELS,
    TEMPORAL_MODELS,
    spatial_model_class,
    temporal_model_class,
)

KINDS = {
    "spatial": (
        SPATIAL_MODELS,
        spatial_model_class,
        {"ConstantFluxSpatialModel", "EnergyDependentSpatialModel"},
    ),
    "temporal": (TEMPORAL_MODELS, temporal_model_class, set()),
}
"""For each kind its models, how they are found, and those that the list does not have."""


@pytest.mark.data
@pytest.mark.parametrize("kind", KINDS)
def test_classes_have_the_defaults_of_model_files(kind, data_path):
    path = data_path("ebl").parent.parent / "model_defaults.json"
    listed = {
        name: entry
        for name, entry in json.loads(path.read_text()).items()
        if entry["kind"] == kind
    }
    models, _, more = KINDS[kind]
    ours = {cls.__name__: cls for cls in models}
    assert set(ours) - set(listed) == more
    for name, entry in listed.items():
        cls = ours[name]
        assert list(cls.tags) == entry["tags"]
        specs = {k: spec for k, spec in cls.parameter_specs().items() if not spec.vector}
        assert [row["name"] for row in entry["parameters"]] == list(specs)
        for row, spec in zip(entry["parameters"], specs.values(), strict=True):
            np.testing.assert_equal(spec.default, row["value"])
            assert u.Unit(spec.unit) == u.Unit(row["unit"])
            assert spec.frozen == row.get("frozen", False)
            assert spec.min == row.get("min", -float("inf"))
            assert spec.max == row.get("max", float("inf"))


@pytest.mark.parametrize("kind", KINDS)
def test_each_tag_stands_for_one_class(kind):
    models, find, _ = KINDS[kind]
    tags = [tag for cls in models for tag in cls.tags]
    assert len(tags) == len(set(tags))
    assert all(find(tag) is cls for cls in models for tag in cls.tags)
    with pytest.raises(ValueError, match=f"unknown type of {kind} model 'gaus'; did you mean"):
        find("gaus")
