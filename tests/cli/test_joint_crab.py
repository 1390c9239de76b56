"""The joint Crab spectra of three telescopes from the command line, in a new folder."""

import json

import pytest

RANGES = {
    "fermi": ("30 GeV", "2 TeV"),
    "magic": ("80 GeV", "30 TeV"),
    "hess": ("0.5 TeV", "30 TeV"),
}
REFERENCE = {
    "fermi": (33.6746, 4.0407e-11, 0.949e-11),
    "magic": (89.1711, 4.1444e-11, 0.297e-11),
    "hess": (143.2223, 4.4712e-11, 0.287e-11),
}
"""Statistic, amplitude and its error as gammapy 2.1 finds them."""

MODELS = """
components:
- name: crab
  type: SkyModel
  spectral:
    type: LogParabolaSpectralModel
    parameters:
    - {name: amplitude, value: 3.0e-11, unit: TeV-1 s-1 cm-2}
    - {name: reference, value: 1.0, unit: TeV, frozen: true}
    - {name: alpha, value: 2.3}
    - {name: beta, value: 0.1}
"""


@pytest.fixture
def crab(data_path, tmp_path, monkeypatch):
    """Write ``datasets.yaml`` and ``models.yaml``; gives the options that name them."""
    folder = data_path("joint-crab/spectra")
    monkeypatch.setenv("GAMMAPY_DATA", str(folder.parents[1]))

    def write(*instruments):
        lines = ["datasets:"]
        for instrument in instruments:
            for path in sorted((folder / instrument).glob("pha_*.fits")):
                name = path.stem.replace("pha_obs", f"{instrument}-")
                where = f"$GAMMAPY_DATA/joint-crab/spectra/{instrument}/{path.name}"
                lines.append(
                    f"- {{name: {name}, type: SpectrumDatasetOnOff, filename: {where}}}"
                )
        (tmp_path / "datasets.yaml").write_text("\n".join(lines))
        (tmp_path / "models.yaml").write_text(MODELS)
        options = ["-d", "datasets.yaml", "-m", "models.yaml", "--no-cache"]
        for instrument in instruments:
            low, high = RANGES[instrument]
            options += ["--energy-min", f"{instrument}*={low}"]
            options += ["--energy-max", f"{instrument}*={high}"]
        return options

    return write


@pytest.mark.data
@pytest.mark.parametrize("instrument", REFERENCE)
def test_each_instrument_gives_the_reference(gammajax, crab, tmp_path, instrument):
    run = gammajax("fit", *crab(instrument), "-o", "out", "--no-plots")
    assert run.exit_code == 0, run.stdout + run.stderr
    found = json.loads((tmp_path / "out" / "fit.json").read_text())
    stat, amplitude, error = REFERENCE[instrument]
    assert found["stat"] == pytest.approx(stat, abs=2e-4)
    row = found["parameters"][0]
    # The reference stops at a distance of up to 0.01 errors from the minimum.
    assert abs(row["value"] - amplitude) < 0.01 * error


@pytest.mark.data
@pytest.mark.slow
def test_joint_fit_and_posterior(gammajax, crab, tmp_path):
    files = crab("fermi", "magic", "hess")
    run = gammajax("fit", *files, "-o", "fit")
    assert run.exit_code == 0, run.stdout + run.stderr
    found = json.loads((tmp_path / "fit" / "fit.json").read_text())
    assert (len(found["datasets"]), found["n_bins"], found["n_free"]) == (7, 260, 3)
    published = {"amplitude": 3.849e-11, "alpha": 2.505, "beta": 0.1026}
    fitted = {row["name"].split(".")[-1]: row for row in found["parameters"]}
    for name, value in published.items():
        assert abs(fitted[name]["value"] - value) < 2.5 * fitted[name]["error"]
    short = ["--warmup", "150", "--samples", "300"]
    run = gammajax("sample", *files, *short, "-o", "posterior")
    assert run.exit_code == 0, run.stdout + run.stderr
    summary = json.loads((tmp_path / "posterior" / "summary.json").read_text())
    for row in summary["parameters"]:
        fit = fitted[row["name"].split(".")[-1]]
        assert abs(row["mean"] - fit["value"]) < 0.3 * fit["error"]
        assert row["sd"] == pytest.approx(fit["error"], rel=0.15)
        assert row["r_hat"] < 1.01
