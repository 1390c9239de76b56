"""Tags, and defaults as model files expect them."""

import json

import pytest
from astropy import units as u

from gammajax.models import SPECTRAL_MODELS, spectral_model_class


@pytest.mark.data
def test_classes_have_the_defaults_of_model_files(data_path):
    path = data_path("ebl").parent.parent / "model_defaults.json"
    listed = {
        name: entry
        for name, entry in json.loads(path.read_text()).items()
        # naima is a package of its own, not a formula
        if entry["kind"] == "spectral" and name != "NaimaSpectralModel"
    }
    ours = {cls.__name__: cls for cls in SPECTRAL_MODELS}
    assert set(ours) - set(listed) == {"MeyerCrabSpectralModel"}
    for name, entry in listed.items():
        cls = ours[name]
        assert list(cls.tags) == entry["tags"]
        specs = {k: spec for k, spec in cls.parameter_specs().items() if not spec.vector}
        assert list(specs) == [row["name"] for row in entry["parameters"]]
        for row, spec in zip(entry["parameters"], specs.values(), strict=True):
            assert spec.default == row["value"]
            assert u.Unit(spec.unit) == u.Unit(row["unit"])
            assert spec.frozen == row.get("frozen", False)
            assert spec.min == row.get("min", -float("inf"))
            assert spec.max == row.get("max", float("inf"))


def test_each_tag_stands_for_one_class():
    tags = [tag for cls in SPECTRAL_MODELS for tag in cls.tags]
    assert len(tags) == len(set(tags))
    for cls in SPECTRAL_MODELS:
        assert all(spectral_model_class(tag) is cls for tag in cls.tags)


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ("PowerLawSpectralModle", "did you mean PowerLawSpectralModel"),
        ("ecpl3fgl", "did you mean ecpl-3fgl"),
        ("#", "there are ConstantSpectralModel, const"),
    ],
)
def test_unknown_tags_are_named_with_what_is_close(tag, hint):
    with pytest.raises(ValueError, match=f"spectral model '{tag}'; {hint}"):
        spectral_model_class(tag)
