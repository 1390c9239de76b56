"""``gammajax sample``."""

import json
import os

import numpy as np
import pytest

from gammajax.inference import Posterior

FEW = ["--warmup", "150", "--samples", "300", "--chains", "4", "--seed", "2"]


def test_a_posterior_is_written_and_can_be_read(gammajax, files, tmp_path):
    run = gammajax("sample", *files, *FEW, "-o", "out")
    assert run.exit_code == 0, run.stdout + run.stderr
    assert "No problems found" in run.stdout
    out = tmp_path / "out"
    assert sorted(os.listdir(out)) == [
        "corner.png",
        "posterior.zarr",
        "sed.png",
        "summary.json",
        "trace.png",
    ]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["success"] is True
    assert summary["divergences"] == 0
    assert summary["settings"]["seed"] == 2
    posterior = Posterior.load(out / "posterior.zarr")
    assert posterior.samples.shape == (4, 300, 3)
    for row in summary["parameters"]:
        assert set(row) >= {"name", "mean", "sd", "hdi_low", "hdi_high", "ess", "r_hat"}
        draws = posterior[row["name"]].ravel()
        assert row["mean"] == pytest.approx(draws.mean())
        inside = np.mean((draws >= row["hdi_low"]) & (draws <= row["hdi_high"]))
        assert inside == pytest.approx(0.68, abs=0.01)
        assert row["r_hat"] < 1.01


def test_chains_in_trouble_are_written_with_status_one(gammajax, files, tmp_path, monkeypatch):
    monkeypatch.setattr(Posterior, "problems", lambda self: ["R-hat of beta is 1.2"])
    run = gammajax("sample", *files, *FEW, "-o", "out", "--no-plots")
    assert run.exit_code == 1
    assert "Not to be trusted: R-hat of beta is 1.2" in run.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["success"] is False
    assert summary["problems"] == ["R-hat of beta is 1.2"]


def test_svi_agrees_with_the_fit(gammajax, files, tmp_path):
    run = gammajax("sample", *files, "--svi", "-o", "out", "--no-plots")
    assert run.exit_code == 0, run.stdout + run.stderr
    assert "overlap with the exact posterior" in run.stdout
    gammajax("fit", *files, "-o", "fit", "--no-plots")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    fitted = json.loads((tmp_path / "fit" / "fit.json").read_text())["parameters"]
    by_name = {row["name"]: row for row in fitted}
    for row in summary["parameters"]:
        fit = by_name[row["name"]]
        assert abs(row["mean"] - fit["value"]) < 0.35 * fit["error"]
        assert row["sd"] == pytest.approx(fit["error"], rel=0.15)
