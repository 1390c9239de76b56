"""Help texts, information, and what a stop leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import gammajax as package
from gammajax.cli import app as cli
from gammajax.cli.console import significant
from gammajax.cli.folder import output_folder, write_json

MAIN = "from gammajax.cli.app import main; main()"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((), ["fit", "sample", "demo", "info", "New here?"]),
        (("fit",), ["--datasets", "--energy-min", "Examples", "Exit status", "models.yaml"]),
        (("sample",), ["--chains", "--svi", "posterior.zarr", "Examples"]),
        (("reduce",), ["CONFIG", "--dry-run", "--cluster", "Examples", "datasets.yaml"]),
        (("analysis",), ["CONFIG", "--dry-run", "--jobs", "Examples", "index.html"]),
        (("demo",), ["--output", "index.html"]),
        (("catalog",), ["NAME", "SOURCE", "--region", "$GAMMAPY_DATA", "Examples"]),
        (("download",), ["NAMES", "--list", "$GAMMAPY_DATA", "Examples"]),
        (("info",), ["--json"]),
    ],
)
def test_help_teaches(gammajax, command, words):
    run = gammajax(*command, "--help")
    assert run.exit_code == 0
    for word in words:
        assert word in run.stdout
    assert "--samples" not in run.stdout or command == ("sample",)


def test_help_and_version_import_nothing_heavy():
    script = (
        "import sys\n"
        "from gammajax.cli import app\n"
        "heavy = {'jax', 'astropy', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "sys.argv = ['gammajax', '--version']\n"
        "app.main()\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout == f"gammajax {package.__version__}\n"


def test_no_command_shows_the_help_and_a_wrong_one_is_status_two(gammajax):
    assert "demo" in gammajax().output
    assert gammajax("fti").exit_code == 2
    assert gammajax("fit", "-d", "x").exit_code == 2


def test_info(gammajax, monkeypatch, tmp_path):
    import jax

    monkeypatch.setenv("GAMMAJAX_CACHE", str(tmp_path / "cache"))
    before = jax.config.jax_compilation_cache_dir
    try:
        facts = json.loads(gammajax("info", "--json").stdout)
        monkeypatch.setenv("GAMMAPY_DATA", str(tmp_path / "nowhere"))
        missing = json.loads(gammajax("info", "--json").stdout)
        shown = gammajax("info").stdout
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
    assert facts["versions"]["gammajax"] == package.__version__
    assert facts["precision"] == "64-bit floats"
    assert str(tmp_path / "cache") in facts["compilation cache"]
    assert "there is no such folder" in json.dumps(missing)
    assert "64-bit floats" in shown


def test_an_interrupt_leaves_nothing(inputs, tmp_path, monkeypatch, capsys):
    def interrupted(result, folder, **_):
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr("gammajax.cli.fit.write_fit", interrupted)
    monkeypatch.chdir(tmp_path)
    files = ["-d", str(inputs / "datasets.yaml"), "-m", str(inputs / "models.yaml")]
    monkeypatch.setattr("sys.argv", ["gammajax", "fit", *files, "-o", "deep/out", "--no-cache"])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as stop:
            cli.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stop.value.code == 130
    assert os.listdir(tmp_path) == []


@pytest.fixture(scope="session")
def shell(tmp_path_factory):
    """The environment of a shell with a compilation cache of its own."""
    return {**os.environ, "GAMMAJAX_CACHE": str(tmp_path_factory.mktemp("cache"))}


def test_from_the_shell_with_a_cache(inputs, tmp_path, shell):
    files = ["-d", inputs / "datasets.yaml", "-m", inputs / "models.yaml"]
    run = subprocess.run(
        [sys.executable, "-c", MAIN, "fit", *files, "-o", "out", "--no-plots"],
        cwd=tmp_path, env=shell, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "Converged" in run.stdout
    assert os.listdir(shell["GAMMAJAX_CACHE"])
    assert json.loads((tmp_path / "out" / "fit.json").read_text())["success"]


def test_a_signal_to_stop_leaves_nothing(inputs, tmp_path, shell):
    script = (
        "import time\n"
        "import gammajax.cli.fit as fit\n"
        "def slow(result, folder, **_):\n"
        "    (folder / 'half.txt').write_text('half')\n"
        "    time.sleep(60)\n"
        "fit.write_fit = slow\n" + MAIN
    )
    files = ["-d", inputs / "datasets.yaml", "-m", inputs / "models.yaml"]
    process = subprocess.Popen(
        [sys.executable, "-c", script, "fit", *files, "-o", "out"], cwd=tmp_path, env=shell
    )
    for _ in range(600):
        if list(tmp_path.rglob("half.txt")) or process.poll() is not None:
            break
        time.sleep(0.1)
    assert list(tmp_path.rglob("half.txt"))
    process.terminate()
    assert process.wait(20) == 128 + signal.SIGTERM
    assert os.listdir(tmp_path) == []


def test_output_folder_replaces_whole_folders_of_the_same_name(tmp_path):
    for content in ("old", "new"):
        with output_folder(tmp_path / "out") as folder:
            (folder / "draws.zarr").mkdir()
            (folder / "draws.zarr" / content).write_text(content)
    assert os.listdir(tmp_path / "out" / "draws.zarr") == ["new"]
    assert os.listdir(tmp_path) == ["out"]


def test_json_has_no_words_that_are_no_json(tmp_path):
    write_json(tmp_path / "x.json", {"a": float("inf"), "b": (float("nan"), 1.5), "c": None})
    text = (tmp_path / "x.json").read_text()
    assert json.loads(text) == {"a": None, "b": [None, 1.5], "c": None}


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (123456.0, 789.0, ("1.2346e+05", "7.9e+02")),
        (0.0, 0.02, ("0.000", "0.020")),
        (2.0, float("nan"), ("2", "not known")),
        (3.0, 0.0, ("3", "")),
        (1e-13, 1e-12, ("1.0e-13", "1.0e-12")),
    ],
)
def test_significant(value, error, expected):
    assert significant(value, error) == expected
