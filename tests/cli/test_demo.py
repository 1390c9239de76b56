"""``gammajax demo``: a page, and files that the other commands read."""

import dataclasses
import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from gammajax.cli import demo as demo_module
from gammajax.cli.app import app
from gammajax.cli.story import credible_level
from gammajax.data import DataStore

FEW = ["--chains", "4", "--samples", "300", "--no-cache"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demonstration that was run: how it ended, its folder, and what it made."""
    folder, stories = tmp_path_factory.mktemp("demo") / "demo", []
    tell = demo_module.tell

    def kept(*arguments, **options):
        stories.append(tell(*arguments, **options))
        return stories[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "200")
        patch.setattr(demo_module, "tell", kept)
        run = CliRunner().invoke(app, ["demo", "-o", str(folder), *FEW])
    return run, folder, stories[0]


@pytest.mark.slow
def test_demo_writes_a_page_and_files_that_can_be_fitted_again(demo, gammajax, tmp_path):
    run, folder, story = demo
    assert run.exit_code == 0, run.stdout + run.stderr
    assert "The truth lies inside fit and posterior" in run.stdout
    facts = json.loads((folder / "demo.json").read_text())
    assert facts["success"]
    assert max(facts["credible_level"], facts["sky_confidence_level"]) < 0.99
    assert {row["name"] for row in facts["sky_parameters"]} >= {
        "crab.spectral.alpha", "neighbour.spatial.sigma", "background.spectral.norm"
    }  # fmt: skip
    page = (folder / "index.html").read_text()
    assert "It worked." in page
    pictures = re.findall(r'<img src="([^"]+)"', page)
    assert len(pictures) == 8
    for picture in pictures:
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    for cell in re.findall(r'<tr><td>([^<]+)</td><td style="text-align:left">', page):
        for name in cell.split(", "):
            assert (folder / name).exists(), name
    runs = DataStore.from_dir(folder / "dl3")
    assert runs.check() == []
    assert len(runs.obs(1).events) == len(story.runs["1"].events)
    fits = (("models.yaml", "datasets.yaml", "fit"),
            ("sky-models.yaml", "sky-datasets.yaml", "sky-fit"))  # fmt: skip
    for models, datasets, there in fits:
        again = gammajax(
            "fit", "-d", folder / datasets, "-m", folder / models, "-o", there,
            "--no-cache", "--no-plots",
        )  # fmt: skip
        assert again.exit_code == 0, again.stderr
        first = json.loads((folder / there / "fit.json").read_text())
        second = json.loads((tmp_path / there / "fit.json").read_text())
        assert second["stat"] == pytest.approx(first["stat"], rel=1e-5)


@pytest.mark.slow
def test_the_page_opens_in_a_browser_without_errors(demo, browser):
    _, folder, _ = demo
    browser.get((folder / "index.html").as_uri())
    assert browser.title == "gammajax demo"
    widths = browser.execute_script(
        "return [...document.images].map(i => i.complete ? i.naturalWidth : 0)"
    )
    assert len(widths) == 8
    assert min(widths) > 300
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []
    text = browser.find_element("tag name", "body").text
    assert "{{" not in text
    assert "nan" not in text.lower().split()


@pytest.mark.slow
def test_demo_says_when_the_truth_is_lost_and_replaces_its_own_folder(demo, monkeypatch):
    _, folder, story = demo
    lost = dataclasses.replace(story, level=1.0)
    monkeypatch.setattr(demo_module, "tell", lambda *arguments, **options: lost)
    monkeypatch.setenv("COLUMNS", "200")
    run = CliRunner().invoke(app, ["demo", "-o", str(folder), *FEW])
    assert run.exit_code == 1
    assert "The truth lies outside fit and posterior" in run.stdout
    assert "Not everything went well." in (folder / "index.html").read_text()


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
