"""Model files that are wrong: each ends in one clear error that begins with the file."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gammajax.models import Models, PowerLawSpectralModel, SkyModel

GOOD = """\
components:
- name: crab
  type: SkyModel
  spectral:
    type: PowerLawSpectralModel
    parameters:
    - name: index
      value: 2.5
    - name: amplitude
      value: 3.0e-11
      unit: cm-2 s-1 TeV-1
- name: vela
  type: SkyModel
  spectral:
    type: lp
    parameters:
    - name: alpha
      value: 2.0
"""

CASES = {
    "no YAML": ("    type: lp", "    type: [lp", r"no valid YAML in line 16, column \d+"),
    "a key twice": ("  spectral:", "  name: x\n  spectral:", 'duplicate key "name"'),
    "no mapping": (GOOD, "- 1\n", "holds a list, expected a mapping"),
    "nothing": (GOOD, "", "holds nothing, expected a mapping"),
    "unknown top key": (
        "components:",
        "component:",
        "key 'component'; did you mean 'components'",
    ),
    "no components": (
        GOOD,
        "components: []\n",
        r"components is \[\], expected a list of at least",
    ),
    "component is a word": (
        GOOD,
        "components: [x]\n",
        "component 1 is 'x', expected a mapping",
    ),
    "unknown key": (
        "  type: SkyModel\n",
        "  type: SkyModel\n  dataset_names: [a]\n",
        "component 'crab': unknown key 'dataset_names'; did you mean 'datasets_names'",
    ),
    "unknown key of a parameter": (
        "value: 2.5",
        "valu: 2.5",
        "component 'crab': spectral: parameter 'index': unknown key 'valu'; did you mean 'va",
    ),
    "unknown component": (
        "type: SkyModel",
        "type: SkyModl",
        "type is 'SkyModl'; did you mean 'Sky",
    ),
    "no type": ("  type: SkyModel\n", "", "component 'crab': type is None"),
    "unknown model": (
        "type: PowerLawSpectralModel",
        "type: PowerLowSpectralModel",
        "'crab': spectral: unknown type .*'PowerLowSpectralModel'.*PowerLawSpectralModel",
    ),
    "model without a type": ("    type: lp\n", "", "component 'vela': spectral: unknown type"),
    "misspelt parameter": (
        "name: alpha",
        "name: alpa",
        "LogParabolaSpectralModel has no parameter 'alpa'; did you mean 'alpha'",
    ),
    "parameter twice": (
        "    - name: amplitude\n",
        "    - {name: index, value: 1}\n    - name: amplitude\n",
        "the parameter 'index' is given twice",
    ),
    "parameter without a name": ("- name: alpha", "- nam: alpha", "entry 1 of parameters is"),
    "value is a word": (
        "value: 2.5",
        "value: hard",
        "'index': value is 'hard', expected a finite",
    ),
    "value is nan": (
        "value: 2.5",
        "value: .nan",
        "'index': value is nan, expected a finite number",
    ),
    "value is a flag": ("value: 2.5", "value: true", "value is True, expected a finite number"),
    "wrong unit": (
        "unit: cm-2 s-1 TeV-1",
        "unit: cm-2 s-1",
        "'cm-2 s-1', which does not convert",
    ),
    "unknown unit": ("unit: cm-2 s-1 TeV-1", "unit: parrots", "'parrots' is not a unit"),
    "unit is a number": ("unit: cm-2 s-1 TeV-1", "unit: 3", "unit is 3, expected a text"),
    "unit without a value": (
        "      value: 3.0e-11\n      unit: cm-2 s-1 TeV-1",
        "      unit: m-2 s-1 TeV-1",
        "'amplitude': has a unit, but no value",
    ),
    "negative error": (
        "value: 2.5",
        "value: 2.5\n      error: -1",
        "error is -1, expected 0 or",
    ),
    "min above max": (
        "value: 2.5",
        "value: 2.5\n      min: 4\n      max: 3",
        r"crab\.spectral\.index: min 4 is above max 3",
    ),
    "outside its bounds": (
        "value: 2.5",
        "value: 2.5\n      min: 3",
        r"crab\.spectral\.index is 2\.5, outside its bounds 3 to inf; move",
    ),
    "frozen is a number": (
        "value: 2.5",
        "value: 2.5\n      frozen: 2",
        "frozen is 2, expected true",
    ),
    "link to nothing": (
        "value: 2.5",
        "value: 2.5\n      link: index@x1",
        r"crab\.spectral\.index: its link 'index@x1' leads to nothing",
    ),
    "link between units": (
        "unit: cm-2 s-1 TeV-1",
        "unit: cm-2 s-1 TeV-1\n      link: a@1\n    - {name: reference, value: 1, link: a@1}",
        "share the link 'a@1', but not their unit",
    ),
    "listed link to nothing": (
        "- name: vela",
        "- name: vela",
        r"links, entry 1: to is 'crab.spectral.indx', .*; did you mean 'crab\.spectral\.index'",
        "links: [{parameter: vela.spectral.alpha, to: crab.spectral.indx}]\n",
    ),
    "links in a circle": (
        "- name: vela",
        "- name: vela",
        "its links run in a circle",
        "links:\n- {parameter: vela.spectral.alpha, to: crab.spectral.index}\n"
        "- {parameter: crab.spectral.index, to: vela.spectral.alpha}\n",
    ),
    "unknown prior": (
        "value: 2.5",
        "value: 2.5\n      prior: {type: GausPrior, parameters: [], weight: 1}",
        "'index': prior: unknown type 'GausPrior'; did you mean 'GaussianPrior'",
    ),
    "prior with another parameter": (
        "value: 2.5",
        "value: 2.5\n      prior: {type: GaussianPrior, parameters: [{name: mean, value: 1}]}",
        "prior: GaussianPrior has no 'mean'",
    ),
    "prior without a width": (
        "value: 2.5",
        "value: 2.5\n      prior: {type: GaussianPrior, parameters: [{name: sigma, value: 0}]}",
        "prior: GaussianPrior: sigma is 0.0, expected a number above 0",
    ),
    "unknown distribution": (
        "value: 2.5",
        "value: 2.5\n      prior: {type: NumpyroPrior, distribution: Nrmal, parameters: []}",
        "prior: distribution is 'Nrmal', expected one of numpyro.distributions",
    ),
    "two of one name": ("name: vela", "name: crab", "two components are called 'crab'"),
    "unknown spatial model": (
        "- name: vela\n",
        "- name: vela\n  spatial: {type: PointSpatialMode}\n",
        "component 'vela': spatial: unknown type of spatial model 'PointSpatialMode'; did you",
    ),
    "unknown frame": (
        "- name: vela\n",
        "- name: vela\n  spatial: {type: point, frame: altaz}\n",
        "component 'vela': spatial: PointSpatialModel.frame: got 'altaz', expected one of icrs",
    ),
    "position in a wrong unit": (
        "- name: vela\n",
        "- name: vela\n"
        "  spatial: {type: point, parameters: [{name: lon_0, value: 3, unit: m}]}\n",
        "spatial: parameter 'lon_0': got the unit 'm', which does not convert to 'deg'",
    ),
    "background that is no factor": (
        "type: SkyModel\n  spectral:\n    type: lp",
        "type: FoVBackgroundModel\n  datasets_names: [a]\n  spectral:\n    type: lp",
        "FoVBackgroundModel 'vela': LogParabolaSpectralModel has the unit of a flux",
    ),
    "background of no dataset": (
        "- name: vela\n",
        "- {type: FoVBackgroundModel}\n- name: vela\n",
        "datasets_names is None, expected the name of one dataset",
    ),
    "counts without a file": (
        "- name: vela\n",
        "- {type: TemplateNPredModel, name: bkg, filename: nowhere.fits}\n- name: vela\n",
        r"nowhere\.fits",
    ),
    "unknown response": (
        "- name: vela\n",
        "- name: vela\n  apply_irf: {pfs: false}\n",
        "apply_irf: unknown key 'pfs'; did you mean 'psf'",
    ),
    "no covariance file": (
        "- name: vela",
        "- name: vela",
        r"nowhere\.dat: there is no such file",
        "covariance: nowhere.dat\n",
    ),
    "covariance in an unset variable": (
        "- name: vela",
        "- name: vela",
        "the environment variable GAMMAJAX_UNSET is not set",
        "covariance: $GAMMAJAX_UNSET/c.dat\n",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_error_names_the_file_and_the_fault(case, tmp_path):
    old, new, message, *rest = case
    assert old in GOOD
    path = tmp_path / "models.yaml"
    path.write_text(GOOD.replace(old, new, 1) + "".join(rest))
    with pytest.raises(ValueError, match=message) as caught:
        Models.read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_the_good_file_is_good(tmp_path):
    path = tmp_path / "models.yaml"
    path.write_text(GOOD)
    assert len(Models.read(path).parameters) == 7


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.yaml: there is no such file"):
        Models.read(tmp_path / "absent.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\x80\x81\xff")
    with pytest.raises(ValueError, match=r"binary\.yaml: is no text file"):
        Models.read(tmp_path / "binary.yaml")


def test_shared_labels_with_other_values_are_told():
    text = GOOD.replace("value: 2.5", "value: 2.5\n      link: i@1")
    text = text.replace("value: 2.0", "value: 2.0\n      link: i@1")
    with pytest.warns(
        UserWarning, match=r"vela\.spectral\.alpha is 2, but shares .* which is 2\.5"
    ):
        models = Models.from_yaml(text)
    assert models.parameters["vela.spectral.alpha"].value == 2.5


COVARIANCE = """\
|               Parameters |   0 |   1 |   2 |
|         x.spectral.index | 0.1 | 0.0 | 0.0 |
|     x.spectral.amplitude | 0.0 | 0.2 | 0.1 |
|     x.spectral.reference | 0.0 | 0.1 | 0.3 |
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.3", "-0.3", "the variance of 'x.spectral.reference' is negative"),
        ("| 0.1 | 0.3", "| 0.2 | 0.3", "not symmetric in 'x.spectral.amplitude' and"),
        ("0.3", "nan", "row 'x.spectral.reference' is 'nan', expected a finite number"),
        ("0.3", "a", "row 'x.spectral.reference' is 'a', expected a finite number"),
        (" | 0.3", "", "row 3 has 2 numbers, but there are 3 rows"),
        ("x.spectral.index", "y.spectral.index", "a row 'y.spectral.index', which is no param"),
        ("x.spectral.index", "x.spectral.amplitude", "no row for 'x.spectral.index'"),
        ("Parameters", "Names", "does not start with a column 'Parameters'"),
    ],
)
def test_a_damaged_covariance_is_told(old, new, message, tmp_path):
    models = Models(SkyModel(PowerLawSpectralModel(), name="x"))
    path = tmp_path / "m.yaml"
    path.write_text(models.to_yaml(covariance="c.dat"))
    (tmp_path / "c.dat").write_text(COVARIANCE)
    assert Models.read(path).covariance[1, 2] == 0.1
    (tmp_path / "c.dat").write_text(COVARIANCE.replace(old, new))
    with pytest.raises(ValueError, match=message) as caught:
        Models.read(path)
    assert str(caught.value).startswith(f"{path}: {tmp_path / 'c.dat'}: ")


@settings(max_examples=150, deadline=None)
@given(
    place=st.integers(0, len(GOOD) - 1),
    length=st.integers(0, 12),
    inserted=st.text(
        st.sampled_from(" \n-:[]{}#&*!|>'\"%@`,?.0123456789einfa\t\x00"), max_size=6
    ),
)
def test_a_damaged_text_gives_nothing_but_a_value_error(place, length, inserted):
    text = GOOD[:place] + inserted + GOOD[place + length :]
    message = ""
    try:
        Models.from_yaml(text)
    except ValueError as error:
        message = str(error)
    assert message == "" or message.startswith("model YAML: ")


TEMPLATE = """\
components:
- name: x
  type: SkyModel
  spectral:
    type: TemplateNDSpectralModel
    filename: map.fits
    parameters:
    - {name: cut, value: 20, unit: GeV}
"""


def test_a_damaged_template_map_is_told(tmp_path):
    good = (Path(__file__).parents[1] / "peer/data/template_nd.fits").read_bytes()
    path = tmp_path / "m.yaml"
    path.write_text(TEMPLATE)
    with pytest.raises(ValueError, match=r"'x': spectral: there is no file .*map\.fits"):
        Models.read(path)
    (tmp_path / "map.fits").write_bytes(good)
    assert Models.read(path).parameters["x.spectral.cut"].value == 20
    path.write_text(TEMPLATE.replace("GeV", "TeV"))
    with pytest.raises(ValueError, match="'cut': its unit differs from 'GeV'"):
        Models.read(path)
    path.write_text(TEMPLATE)
    for damaged in (good[:4000], good.replace(b"DATA    ", b"DATE    "), b"nothing"):
        (tmp_path / "map.fits").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"map\.fits is no template map"):
            Models.read(path)
    (tmp_path / "map.fits").write_bytes(good.replace(b"'CUT     '", b"'CUTS    '", 1))
    with pytest.raises(ValueError, match=r"has the axes .*, expected energy and then param"):
        Models.read(path)
