"""A simulated source on disk, and a way to call the command line."""

import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gammajax.cli.app import app
from gammajax.cli.demo import write_list
from gammajax.models import LogParabolaSpectralModel, Models, SkyModel
from gammajax.simulate import simulate_on_off

MODELS = Models(
    SkyModel(
        LogParabolaSpectralModel(amplitude=3.8e-11, reference=1.0, alpha=2.5, beta=0.1),
        name="crab",
    )
)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory):
    """A folder with two observations, ``datasets.yaml`` and ``models.yaml``."""
    folder = tmp_path_factory.mktemp("inputs")
    datasets = simulate_on_off(MODELS, n_observations=2, seed=4)
    for dataset in datasets:
        (folder / "observations").mkdir(exist_ok=True)
        dataset.write(folder / "observations" / f"pha_{dataset.name}.fits")
    write_list(datasets.names, folder / "datasets.yaml")
    MODELS.write(folder / "models.yaml")
    return folder


@pytest.fixture(scope="session")
def browser():
    """A Chromium without a screen."""
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in paths:
        pytest.skip("Chromium and its driver are not installed (Debian: chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = paths[0]
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(paths[1]))
    yield driver
    driver.quit()


@pytest.fixture
def gammajax(tmp_path, monkeypatch):
    """Call the command line in an empty folder: ``gammajax("fit", ...)``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    runner = CliRunner()

    def call(*arguments):
        return runner.invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def files(inputs):
    """The options that name the two files."""
    return ["-d", inputs / "datasets.yaml", "-m", inputs / "models.yaml", "--no-cache"]


@pytest.fixture
def copied(inputs, tmp_path_factory):
    """A copy of the inputs that a test may spoil; paths inside are kept."""
    folder = tmp_path_factory.mktemp("copied")
    for source in inputs.rglob("*"):
        if source.is_file():
            target = folder / source.relative_to(inputs)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(source.read_bytes())
    return folder


def listing(folder: Path) -> list[str]:
    """All files and folders, hidden ones too."""
    return sorted(os.listdir(folder))
