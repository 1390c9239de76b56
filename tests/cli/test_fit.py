"""``gammajax fit``: what it writes, and what it says when it cannot."""

import json
import math
import os

import numpy as np
import pytest

from gammajax.datasets import Datasets
from gammajax.inference import Fit, FitResult, Likelihood
from gammajax.models import Models


def result_of(folder):
    return json.loads((folder / "fit.json").read_text())


def test_a_fit_writes_what_python_finds(gammajax, files, inputs, tmp_path):
    run = gammajax("fit", *files, "-o", "out")
    assert run.exit_code == 0, run.stderr
    assert "Converged" in run.stdout
    assert "crab.spectral.alpha" in run.stdout
    assert sorted(os.listdir(tmp_path)) == ["out"]
    assert sorted(os.listdir(tmp_path / "out")) == [
        "correlation.png",
        "counts.png",
        "fit.json",
        "models.yaml",
        "models_covariance.dat",
        "sed.png",
    ]
    likelihood = Likelihood(
        Datasets.read(inputs / "datasets.yaml"), Models.read(inputs / "models.yaml")
    )
    expected = Fit().run(likelihood)
    found = result_of(tmp_path / "out")
    assert found["success"] is True
    assert found["stat"] == pytest.approx(expected.stat, rel=1e-12)
    assert (found["n_free"], found["n_bins"]) == (3, likelihood.n_bins)
    assert set(found["seconds"]) == {"read", "compile", "fit"}
    assert found["versions"]["jax"]
    by_name = {row["name"]: row for row in found["parameters"]}
    for name, value, error in zip(expected.names, expected.theta, expected.errors, strict=True):
        assert by_name[name]["value"] == pytest.approx(value, rel=1e-9)
        assert by_name[name]["error"] == pytest.approx(error, rel=1e-6)
    frozen = by_name["crab.spectral.reference"]
    assert frozen["frozen"] is True
    assert frozen["unit"] == "TeV"
    assert frozen["min"] is None
    models = Models.read(tmp_path / "out" / "models.yaml")
    np.testing.assert_allclose(
        models.covariance_of("crab.spectral.*"),
        expected.models.covariance_of("crab.spectral.*"),
        rtol=1e-6,
    )
    assert likelihood.with_models(models).stat(expected.theta) == pytest.approx(
        found["stat"], rel=1e-10
    )


def test_energy_options_narrow_the_range_of_the_datasets_they_name(gammajax, files, tmp_path):
    run = gammajax(
        "fit", *files, "-o", "out", "--no-plots", "--quiet",
        "--energy-min", "1 TeV", "--energy-min", "sim-2=2000 GeV", "--energy-max", "10",
    )  # fmt: skip
    assert run.exit_code == 0, run.stderr
    assert run.stdout == ""
    first, second = result_of(tmp_path / "out")["datasets"]
    assert 1 <= first["energy_min"] < 1.3
    assert 2 <= second["energy_min"] < 2.6
    assert first["energy_max"] <= 10
    assert not list((tmp_path / "out").glob("*.png"))


@pytest.mark.parametrize("method", ["lbfgs", "minuit"])
def test_other_methods_find_the_same_minimum(gammajax, files, tmp_path, method):
    for name in ("newton", method):
        run = gammajax("fit", *files, "-o", name, "--no-plots", "--method", name)
        assert run.exit_code == 0, run.stdout + run.stderr
    first, second = (result_of(tmp_path / name) for name in ("newton", method))
    assert second["method"] == method
    assert second["stat"] == pytest.approx(first["stat"], abs=1e-4)


def test_a_fit_that_does_not_converge_is_written_with_status_one(gammajax, copied, tmp_path):
    models = Models.read(copied / "models.yaml").thaw("*.reference")
    models.write(copied / "models.yaml", overwrite=True)
    files = ["-d", copied / "datasets.yaml", "-m", copied / "models.yaml", "--no-cache"]
    run = gammajax("fit", *files, "-o", "out")
    assert run.exit_code == 1
    assert "Not converged" in run.stdout
    found = result_of(tmp_path / "out")
    assert found["success"] is False
    assert "do not determine" in found["message"]
    assert (tmp_path / "out" / "counts.png").is_file()


def test_links_and_bounds_are_in_the_result(gammajax, copied, tmp_path):
    models = Models.read(copied / "models.yaml").set("*.beta", min=0.5, value=0.6)
    models.write(copied / "models.yaml", overwrite=True)
    files = ["-d", copied / "datasets.yaml", "-m", copied / "models.yaml", "--no-cache"]
    run = gammajax("fit", *files, "-o", "out", "--no-plots")
    assert run.exit_code == 0, run.stdout
    assert "at its bound" in run.stdout
    found = result_of(tmp_path / "out")
    assert found["at_bounds"] == ["crab.spectral.beta"]
    beta = next(row for row in found["parameters"] if row["name"].endswith("beta"))
    assert beta["value"] == beta["min"] == 0.5


def test_a_full_folder_needs_overwrite_and_keeps_foreign_files(gammajax, files, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    (out / "fit.json").write_text("old")
    run = gammajax("fit", *files, "-o", "out", "--no-plots")
    assert run.exit_code == 2
    assert "not empty" in run.stderr
    assert "--overwrite" in run.stderr
    assert (out / "fit.json").read_text() == "old"
    run = gammajax("fit", *files, "-o", "out", "--no-plots", "--overwrite")
    assert run.exit_code == 0
    assert result_of(out)["success"] is True
    assert (out / "notes.txt").read_text() == "mine"
    assert os.listdir(tmp_path) == ["out"]


def spoil_models(old, new):
    def spoil(folder):
        path = folder / "models.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return spoil


def spoil_datasets(folder):
    path = folder / "datasets.yaml"
    path.write_text(path.read_text().replace("pha_sim-2", "pha_lost"))


def cut_file(folder):
    path = folder / "observations" / "pha_sim-1_rmf.fits"
    path.write_bytes(path.read_bytes()[:6000])


def keep(folder):
    pass


BAD = {
    "type": (spoil_models("LogParabolaSpectral", "LogParableSpectral"), [], "LogParable"),
    "parameter": (spoil_models("name: alpha", "name: alhpa"), [], "alhpa"),
    "yaml": (spoil_models("components:", "components: [}"), [], "models.yaml"),
    "bounds": (spoil_models("value: 2.5", "value: 2.5\n      max: 1"), [], "outside"),
    "lost": (spoil_datasets, [], "pha_lost.fits"),
    "cut": (cut_file, [], "pha_sim-1_rmf.fits"),
    "glob": (keep, ["--energy-min", "hess*=1 TeV"], "sim-1, sim-2"),
    "unit": (keep, ["--energy-min", "1 m"], "--energy-min 1 m"),
    "negative": (keep, ["--energy-max", "-1"], "above 0"),
    "empty": (keep, ["--energy-min", "90", "--energy-max", "91"], "fit range"),
    "method": (keep, ["--method", "simplex"], "newton, lbfgs"),
    "covariance": (keep, ["--covariance", "exact"], "sandwich"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("command", ["fit", "sample"])
def test_bad_input_is_one_line_and_status_two_with_nothing_written(
    gammajax, copied, tmp_path, case, command
):
    spoil, options, expected = BAD[case]
    if command == "sample" and case in ("method", "covariance"):
        options, expected = ["--chains", "0"], "chains"
    spoil(copied)
    run = gammajax(
        command, "-d", copied / "datasets.yaml", "-m", copied / "models.yaml", "--no-cache",
        "-o", "deep/out", *options,
    )  # fmt: skip
    assert run.exit_code == 2
    assert expected in run.stderr
    assert "Traceback" not in run.stderr
    if "--chains" not in options:
        assert run.stderr.startswith("gammajax: error: ")
        assert run.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("option", ["-d", "-m"])
def test_a_missing_file_is_named(gammajax, files, tmp_path, option):
    files = list(files)
    files[files.index(option) + 1] = "nowhere.yaml"
    run = gammajax("fit", *files, "-o", "out")
    assert run.exit_code == 2
    assert run.stderr == "gammajax: error: nowhere.yaml: there is no such file\n"
    assert os.listdir(tmp_path) == []


def test_output_that_is_a_file_or_cannot_be_made(gammajax, files, tmp_path):
    (tmp_path / "plain").write_text("")
    for output in ("plain", "plain/below"):
        run = gammajax("fit", *files, "--no-plots", "-o", output)
        assert run.exit_code == 2
        assert "plain" in run.stderr
        assert run.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == ["plain"]


def test_an_error_of_its_own_leaves_nothing(gammajax, files, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr("gammajax.cli.fit.draw_fit", fail)
    run = gammajax("fit", *files, "-o", "deep/out")
    assert isinstance(run.exception, RuntimeError)
    assert os.listdir(tmp_path) == []


def test_an_error_that_is_not_known_is_null(gammajax, files, tmp_path, monkeypatch):
    whole = Fit.run

    def without_covariance(self, likelihood, **options):
        result = whole(self, likelihood, **options)
        fields = dict(vars(result))
        fields["covariance"] = np.full_like(result.covariance, math.nan)
        return FitResult(**fields)

    monkeypatch.setattr(Fit, "run", without_covariance)
    gammajax("fit", *files, "-o", "out", "--no-plots")
    rows = {row["name"]: row for row in result_of(tmp_path / "out")["parameters"]}
    assert rows["crab.spectral.alpha"]["error"] is None
    assert rows["crab.spectral.reference"]["error"] == 0
    run = gammajax("sample", *files, "-o", "posterior")
    assert run.exit_code == 1
    assert "no posterior to draw from" in run.stderr
    assert os.listdir(tmp_path) == ["out"]
