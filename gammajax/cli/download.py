"""``gammajax download``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from gammajax.cli.console import bad_input, console, say_error, table
from gammajax.storage import read_text

ATTEMPTS = 3
"""How often a file is asked for before it is given up; each goes on where the last broke."""

CHUNK = 1 << 16
PATIENCE = 30.0
"""Seconds without an answer after which a server is taken to be silent."""


class Unreachable(OSError):
    """No connection to a server: none of its files can be fetched."""


@dataclass(frozen=True)
class File:
    """A file of a dataset: where it is put, and what has to be in it."""

    path: str
    url: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Entry:
    """A dataset that can be downloaded."""

    name: str
    description: str
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(file.size for file in self.files)


def run(
    names: list[str], output: str | None, index: str | None, *, listing: bool, quiet: bool
) -> int:
    """List datasets, or fetch some; gives the exit status."""
    out = console(quiet)
    with bad_input():
        entries = read_index(index)
        if listing:
            out.print(listed(entries))
            return 0
        chosen = choose(entries, names)
        folder = target(output)
        folder.mkdir(parents=True, exist_ok=True)
    try:
        failures = fetch(chosen, folder, progress=not quiet)
    except Unreachable as error:
        say_error(f"{error}; the same command goes on where this one stopped")
        return 1
    for path, reason in failures.items():
        say_error(f"{path}: {reason}")
    number = sum(len(entry.files) for entry in chosen)
    if failures:
        say_error(
            f"{len(failures)} of {number} files are missing; the same command goes on where "
            "this one stopped"
        )
        return 1
    out.print(f"{number} files are in {folder}, their checksums are right.")
    if os.environ.get("GAMMAPY_DATA") != str(folder):
        out.print(f"To let gammajax find them: export GAMMAPY_DATA={folder.absolute()}")
    return 0


def read_index(given: str | None = None) -> dict[str, Entry]:
    """The datasets of an index: a file, an address, or that of the package.

    Raises
    ------
    ValueError
        If it is no index.
    """
    from gammajax.storage import parse_yaml

    where = given or "the index of gammajax"
    data = parse_yaml(_text(given), where)
    try:
        base = data["base_url"].rstrip("/")
        found = {}
        for name, entry in data["datasets"].items():
            members = tuple(
                File(_inside(path), f"{base}/{path}", str(facts["sha256"]), int(facts["size"]))
                for path, facts in entry["files"].items()
            )
            found[name] = Entry(name, entry.get("description", ""), members)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{where}: expected a base_url and datasets with files, each with sha256 and size; "
            f"found something else ({type(error).__name__}: {error})"
        ) from None
    return found


def _text(given: str | None) -> str:
    if given is None:
        place = files("gammajax.cli").joinpath("templates", "datasets.yaml")
        return place.read_text(encoding="utf-8")
    if "://" not in given:
        return read_text(given)
    import requests

    try:
        answer = requests.get(given, timeout=PATIENCE)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise ValueError(f"index of datasets: {unreachable(error, given) or error}") from None
    return answer.text


def unreachable(error: Exception, url: str) -> str:
    """Why there is no connection to a server, in words; nothing for other errors."""
    import requests
    from urllib3.exceptions import (
        ConnectTimeoutError,
        NameResolutionError,
        NewConnectionError,
    )

    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.exceptions.ProxyError):
        cause = "the proxy refuses"
    elif isinstance(reason, NameResolutionError):
        cause = "its name is not known"
    elif isinstance(reason, NewConnectionError):  # in some versions a timeout, too
        cause = "it refuses"
    elif isinstance(reason, ConnectTimeoutError):
        cause = "no answer"
    else:
        return ""
    return (
        f"there is no connection to {urlsplit(url).netloc} ({cause}); look at the network of "
        "this computer, and at HTTPS_PROXY if there is a proxy"
    )


def _inside(path: str) -> str:
    """A path that does not lead out of the folder."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts:
        raise ValueError(f"index of datasets: the path {path!r} leads out of the folder")
    return path


def choose(entries: dict[str, Entry], names: list[str]) -> list[Entry]:
    """The datasets of these names; all of them for none.

    Raises
    ------
    ValueError
        If there is no such dataset.
    """
    from gammajax.storage import suggest

    for name in names:
        if name not in entries:
            raise ValueError(
                f"download: there is no dataset {name!r}{suggest(name, [*entries])}; "
                "gammajax download --list shows all"
            )
    return [entries[name] for name in (dict.fromkeys(names) or entries)]


def target(output: str | None) -> Path:
    """The folder for the files.

    Raises
    ------
    ValueError
        If none is given, and ``$GAMMAPY_DATA`` is not set.
    """
    found = output or os.environ.get("GAMMAPY_DATA")
    if not found:
        raise ValueError(
            "download: the environment variable GAMMAPY_DATA is not set; set it, or give a "
            "folder with --output"
        )
    return Path(found)


def listed(entries: dict[str, Entry]) -> Any:
    """A table of datasets."""
    shown = table("Datasets", "name", "files", "MB", "what it is", numbers=("files", "MB"))
    for entry in entries.values():
        size = f"{entry.size / 1e6:.1f}"
        shown.add_row(entry.name, str(len(entry.files)), size, entry.description)
    return shown


def fetch(entries: list[Entry], folder: Path, *, progress: bool) -> dict[str, str]:
    """Fetch what is not there yet; gives the reasons of failures, by path."""
    import logging

    import pooch

    from gammajax.inference.progress import Progress

    pooch.get_logger().setLevel(logging.ERROR)
    failures: dict[str, str] = {}
    total = sum(entry.size for entry in entries)
    with Progress("Downloading", total, progress) as bar:
        for file in (file for entry in entries for file in entry.files):
            place = folder / file.path
            try:
                _fetch_one(file, place, bar.advance)
            except (OSError, ValueError) as error:
                told = unreachable(error, file.url)
                if told:
                    raise Unreachable(f"{file.path}: {told}") from None
                failures[file.path] = _reason(error, file)
    return failures


def _fetch_one(file: File, place: Path, advance: Callable[[int], None]) -> None:
    import pooch

    known = f"sha256:{file.sha256}"
    if place.is_file() and pooch.file_hash(str(place), alg="sha256") == file.sha256:
        advance(file.size)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f"{place.name}.part")
    # pooch calls it by place, and its protocol names the arguments otherwise
    downloader: Any = Resuming(part, advance)
    pooch.retrieve(file.url, known, fname=place.name, path=place.parent, downloader=downloader)


@dataclass(frozen=True)
class Resuming:
    """Downloads a file into ``part``, going on where an earlier attempt stopped.

    pooch calls it, and compares the checksum afterwards.
    """

    part: Path
    advance: Callable[[int], None]

    def __call__(self, url: str, output_file: Any, pooch: Any) -> None:
        import requests

        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._go_on(url)
                break
            except (requests.ConnectionError, requests.Timeout,
                    requests.exceptions.ChunkedEncodingError):  # fmt: skip
                if attempt == ATTEMPTS:
                    raise
        shutil.copyfile(self.part, output_file)
        self.part.unlink()

    def _go_on(self, url: str) -> None:
        import requests

        have = self.part.stat().st_size if self.part.exists() else 0
        # parts of a file that is compressed on its way could not be joined
        header = {"Accept-Encoding": "identity"}
        if have:
            header["Range"] = f"bytes={have}-"
        with requests.get(url, headers=header, stream=True, timeout=PATIENCE) as answer:
            if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
                return  # it is there already; the checksum will tell
            answer.raise_for_status()
            goes_on = answer.status_code == requests.codes.partial_content
            with self.part.open("ab" if goes_on else "wb") as file:
                for chunk in answer.iter_content(CHUNK):
                    file.write(chunk)
                    self.advance(len(chunk))


def _reason(error: Exception, file: File) -> str:
    """Why a file is not there, in a few words."""
    if isinstance(error, ValueError) and "hash" in str(error):
        return f"{file.url} has another content than the index says (checksum); not kept"
    return f"{file.url} could not be fetched: {error}"
