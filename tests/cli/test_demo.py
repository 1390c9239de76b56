"""``gammajax demo``: a page, and files that the other commands read."""

import json
import re

import numpy as np
import pytest

from gammajax.cli.story import credible_level

FEW = ["--chains", "4", "--samples", "300", "--no-cache"]


@pytest.mark.slow
def test_demo_writes_a_page_and_files_that_can_be_fitted_again(gammajax, tmp_path, monkeypatch):
    run = gammajax("demo", "-o", "demo", *FEW)
    assert run.exit_code == 0, run.stdout + run.stderr
    assert "The truth lies inside the posterior" in run.stdout
    folder = tmp_path / "demo"
    facts = json.loads((folder / "demo.json").read_text())
    assert facts["success"]
    assert facts["credible_level"] < 0.99
    page = (folder / "index.html").read_text()
    assert "It worked." in page
    pictures = re.findall(r'src="([^"]+)"', page)
    assert len(pictures) == 5
    for picture in pictures:
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    for name in re.findall(r"<td>([\w.-]+\.(?:yaml|json))</td>", page):
        assert (folder / name).is_file()
    again = gammajax(
        "fit", "-d", folder / "datasets.yaml", "-m", folder / "models.yaml", "-o", "again",
        "--no-cache", "--no-plots",
    )  # fmt: skip
    assert again.exit_code == 0, again.stderr
    first = json.loads((folder / "fit" / "fit.json").read_text())
    second = json.loads((tmp_path / "again" / "fit.json").read_text())
    assert second["stat"] == pytest.approx(first["stat"], rel=1e-6)
    monkeypatch.setattr("gammajax.cli.story.credible_level", lambda draws, point: 1.0)
    repeated = gammajax("demo", "-o", "demo", *FEW)
    assert repeated.exit_code == 1
    assert "The truth lies outside the posterior" in repeated.stdout
    assert "Not everything went well." in (folder / "index.html").read_text()
    assert json.loads((folder / "demo.json").read_text())["parameters"] == facts["parameters"]


def test_demo_leaves_a_folder_that_is_not_its_own(gammajax, tmp_path):
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.tex").write_text("")
    run = gammajax("demo", "-o", "demo", *FEW)
    assert run.exit_code == 2
    assert "not empty" in run.stderr
    run = gammajax("demo", "-o", "other", "--seed", "-1")
    assert run.exit_code == 2
    assert not (tmp_path / "other").exists()


def test_credible_level_does_not_depend_on_units_and_is_uniform():
    rng = np.random.default_rng(0)
    factor = np.array([[1e-11, 0.0], [2.0, 1.0]])
    draws = rng.normal(size=(2000, 2)) @ factor.T
    points = rng.normal(size=(500, 2)) @ factor.T
    levels = [credible_level(draws, point) for point in points]
    assert np.mean(levels) == pytest.approx(0.5, abs=0.05)
    assert np.quantile(levels, 0.9) == pytest.approx(0.9, abs=0.05)
    assert credible_level(draws, draws.mean(axis=0)) == 0
    assert credible_level(draws, np.array([1e-9, 0])) == 1
