"""Components that scale counts."""

import jax
import numpy as np
import pytest

from gammajax.maps import Map, MapAxis
from gammajax.models import (
    ConstantSpatialModel,
    FoVBackgroundModel,
    Models,
    PiecewiseNormSpectralModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateNPredModel,
)

ENERGY = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)


def counts():
    return Map.create(npix=3, binsz=0.1, axes=[ENERGY]) + 2.5


def test_a_background_is_named_after_its_dataset():
    model = FoVBackgroundModel(datasets_names="run-1")
    models = Models([model, SkyModel(PowerLawSpectralModel(), name="crab")])
    assert models.names == ("run-1-bkg", "crab")
    assert models.parameters.free_names[0] == "run-1-bkg.spectral.norm"
    assert model.folds_into("run-1")
    assert not model.folds_into("run-2")
    assert FoVBackgroundModel(datasets_names=["x"], name="other").replace(name="y").name == "y"


def test_a_template_keeps_its_counts():
    model = TemplateNPredModel(counts(), datasets_names="a", name="protons")
    assert np.all(np.asarray(model.map.data) == 2.5)
    assert model.map.geom == counts().geom
    doubled = model.replace(
        map=2 * model.map, spectral_model=PiecewiseNormSpectralModel([1, 10])
    )
    assert np.all(np.asarray(doubled.map.data) == 5)
    assert doubled.parameter_names == ("spectral.norm_0", "spectral.norm_1")
    leaves, structure = jax.tree_util.tree_flatten(model)
    assert hash(structure) == hash(
        jax.tree_util.tree_structure(doubled.replace(spectral_model=model.spectral_model))
    )
    assert all(isinstance(leaf, np.ndarray) for leaf in leaves)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FoVBackgroundModel(), "datasets_names is None, expected the name of one"),
        (
            lambda: FoVBackgroundModel(datasets_names=["a", "b"]),
            "expected the name of one dataset",
        ),
        (
            lambda: FoVBackgroundModel(PowerLawSpectralModel(), datasets_names="a"),
            "'a-bkg': PowerLawSpectralModel has the unit of a flux",
        ),
        (lambda: FoVBackgroundModel(3.0, datasets_names="a"), "spectral_model is a float"),
        (
            lambda: FoVBackgroundModel(spatial_model=3.0, datasets_names="a"),
            "spatial_model is a float",
        ),
        (lambda: TemplateNPredModel(counts() * np.nan), "not finite"),
        (lambda: TemplateNPredModel(Map.create(npix=3)), "expected 'energy'"),
        (
            lambda: TemplateNPredModel(counts()).replace(maps=3),
            "has no field 'maps'; it has map, spectral_model",
        ),
    ],
)
def test_what_does_not_fit_is_an_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_backgrounds_come_back(tmp_path):
    path = tmp_path / "counts.fits"
    counts().write(path)
    models = Models(
        [
            FoVBackgroundModel(PowerLawNormSpectralModel(norm=1.3), datasets_names="a"),
            FoVBackgroundModel(
                PiecewiseNormSpectralModel([1, 10], norms=[1, 2]),
                ConstantSpatialModel(0.7),
                datasets_names="b",
                name="lower",
            ),
            TemplateNPredModel(counts(), datasets_names="c", name="protons", filename=path),
        ]
    ).thaw("protons.spectral.tilt")
    back = Models.from_yaml(models.to_yaml())
    assert back.parameters == models.parameters
    assert [c.datasets_names for c in back] == [("a",), ("b",), ("c",)]
    assert isinstance(back["lower"].spatial_model, ConstantSpatialModel)
    np.testing.assert_array_equal(back["protons"].map.data, counts().data)


def test_a_template_without_a_file_cannot_be_written():
    with pytest.raises(ValueError, match="'protons': is kept in a file of its own"):
        Models(TemplateNPredModel(counts(), name="protons")).to_yaml()


def test_backgrounds_of_older_files_have_their_parameters_at_the_top():
    text = "components:\n- type: FoVBackgroundModel\n  datasets_names: [gc]\n"
    older = text + "  parameters:\n  - {name: norm, value: 1.2, min: 0}\n"
    row = Models.from_yaml(older).parameters["gc-bkg.spectral.norm"]
    assert (row.value, row.min, row.frozen) == (1.2, 0.0, False)
    with pytest.raises(ValueError, match="parameters and a spectral model"):
        Models.from_yaml(older + "  spectral: {type: pl-norm}\n")
    assert Models.from_yaml(text).parameters["gc-bkg.spectral.norm"].value == 1
