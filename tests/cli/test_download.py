"""``gammajax download``, from a server on this machine that may break off."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from gammajax.cli.download import read_index

CONTENT = {
    "one/events.fits": np.random.default_rng(1).bytes(300_000),
    "one/index.fits.gz": np.random.default_rng(2).bytes(1000),
    "two/cube.fits": np.random.default_rng(3).bytes(5000),
}


class Server(ThreadingHTTPServer):
    """Serves `CONTENT`; ``breaks`` says after how many bytes an answer breaks off."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.breaks, self.resumes = [], {}, True
        self.content = dict(CONTENT)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """A client that was cut off is no news."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name, wanted = self.path.lstrip("/"), self.headers.get("Range")
        self.server.asked.append((name, wanted))
        if name not in self.server.content:
            self.send_error(404)
            return
        data, first = self.server.content[name], 0
        if wanted and self.server.resumes:
            first = int(wanted.removeprefix("bytes=").rstrip("-"))
            if first >= len(data):
                self.send_error(416)
                return
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        limit = self.server.breaks.get(name)
        self.wfile.write(data[first:] if limit is None else data[first : first + limit])
        if limit is not None:
            self.wfile.flush()
            self.connection.close()

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def server():
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def index(server, tmp_path, monkeypatch):
    """An index of what the server has; and no proxy on the way to it."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("GAMMAPY_DATA", raising=False)
    lines = [f"base_url: {server.address}/", "datasets:"]
    for name in ("one", "two"):
        lines += [f"  {name}:", f"    description: the set {name}", "    files:"]
        for path, data in CONTENT.items():
            if path.startswith(name):
                digest = hashlib.sha256(data).hexdigest()
                lines.append(f"      {path}: {{size: {len(data)}, sha256: '{digest}'}}")
    path = tmp_path / "index.yaml"
    path.write_text("\n".join(lines))
    return path


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_arrive_and_are_not_fetched_twice(gammajax, server, index, tmp_path, monkeypatch):
    monkeypatch.setenv("GAMMAPY_DATA", str(tmp_path / "data"))
    run = gammajax("download", "--index", index)
    assert run.exit_code == 0, run.stderr
    assert files_in(tmp_path / "data") == CONTENT
    assert len(server.asked) == 3
    again = gammajax("download", "one", "--index", index)
    assert again.exit_code == 0
    assert "2 files are in" in again.stdout
    assert len(server.asked) == 3
    # a file that was spoiled is fetched again
    (tmp_path / "data" / "one" / "index.fits.gz").write_bytes(b"spoiled")
    assert gammajax("download", "--index", index, "-q").exit_code == 0
    assert files_in(tmp_path / "data") == CONTENT


def test_an_interrupted_download_goes_on_where_it_stopped(gammajax, server, index, tmp_path):
    server.breaks["one/events.fits"] = 70_000
    run = gammajax("download", "--index", index, "-o", "data")
    assert run.exit_code == 1
    assert "one/events.fits" in run.stderr
    assert "1 of 3 files are missing" in run.stderr
    data = tmp_path / "data"
    assert not (data / "one" / "events.fits").exists()
    # what arrived in three attempts is kept
    part = (data / "one" / "events.fits.part").read_bytes()
    assert len(part) > 150_000
    assert CONTENT["one/events.fits"].startswith(part)
    server.breaks.clear()
    server.asked.clear()
    run = gammajax("download", "--index", index, "-o", "data")
    assert run.exit_code == 0, run.stderr
    assert server.asked == [("one/events.fits", f"bytes={len(part)}-")]
    assert files_in(data) == CONTENT


def test_a_part_that_is_whole_or_a_server_that_cannot_go_on(gammajax, server, index, tmp_path):
    folder = tmp_path / "data" / "one"
    folder.mkdir(parents=True)
    (folder / "index.fits.gz.part").write_bytes(CONTENT["one/index.fits.gz"])
    assert gammajax("download", "one", "--index", index, "-o", "data").exit_code == 0
    server.resumes = False
    (folder / "events.fits").unlink()
    (folder / "events.fits.part").write_bytes(b"other")
    assert gammajax("download", "one", "--index", index, "-o", "data").exit_code == 0
    assert files_in(folder) == {
        "events.fits": CONTENT["one/events.fits"],
        "index.fits.gz": CONTENT["one/index.fits.gz"],
    }


def test_a_wrong_content_is_not_kept(gammajax, server, index, tmp_path):
    server.content["two/cube.fits"] = b"x" * 5000
    run = gammajax("download", "two", "--index", index, "-o", "data")
    assert run.exit_code == 1
    assert "another content than the index says" in run.stderr
    assert files_in(tmp_path / "data") == {}
    del server.content["two/cube.fits"]
    run = gammajax("download", "--index", index, "-o", "data")
    assert run.exit_code == 1
    assert "404" in run.stderr
    assert len(files_in(tmp_path / "data")) == 2


def test_an_index_from_an_address_and_a_silent_one(gammajax, server, index):
    server.content["index.yaml"] = index.read_bytes()
    run = gammajax("download", "--list", "--index", f"{server.address}/index.yaml")
    assert run.exit_code == 0, run.stderr
    assert "the set two" in run.stdout
    assert gammajax("download", "--index", f"{server.address}/none.yaml").exit_code == 2


def test_no_connection_is_one_message(gammajax, server, index, tmp_path):
    """Not one for each file, and nothing about the library that was used."""
    server.server_close()
    run = gammajax("download", "-o", str(tmp_path / "data"), "--index", str(index), "-q")
    assert run.exit_code == 1
    assert run.stderr.count("\n") == 1
    host = server.address.removeprefix("http://")
    assert f"there is no connection to {host} (it refuses)" in run.stderr
    assert "goes on where this one stopped" in run.stderr
    run = gammajax("download", "--list", "--index", f"{server.address}/index.yaml")
    assert run.exit_code == 2
    assert f"index of datasets: there is no connection to {host}" in run.stderr


def test_bad_input_is_one_line(gammajax, index, tmp_path):
    run = gammajax("download", "won", "--index", index, "-o", "data")
    assert run.exit_code == 2
    assert "no dataset 'won'" in run.stderr
    run = gammajax("download", "--index", index)
    assert run.exit_code == 2
    assert "GAMMAPY_DATA is not set" in run.stderr
    index.write_text("datasets: [one]")
    assert "expected a base_url" in gammajax("download", "--list", "--index", index).stderr
    text = "base_url: http://x\ndatasets: {a: {files: {../b: {size: 1, sha256: c}}}}"
    index.write_text(text)
    assert "leads out of the folder" in gammajax("download", "--index", index).stderr


def test_the_index_of_the_package(gammajax):
    entries = read_index()
    assert {"hess-dl3-dr1", "cta-1dc", "ebl"} <= set(entries)
    for entry in entries.values():
        assert entry.files
        assert entry.description
        for file in entry.files:
            assert len(file.sha256) == 64
            assert file.path.split("/")[0] == entry.name
    assert "H.E.S.S. public" in gammajax("download", "--list").stdout


@pytest.mark.data
def test_checksums_of_the_index_are_those_of_the_files(data_path):
    for file in read_index()["ebl"].files:
        data = data_path(file.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file.sha256
        assert len(data) == file.size
