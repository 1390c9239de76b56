"""Text files and how files are replaced: YAML with clear errors, atomic writing, paths."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

MOST_KNOWN = 24
"""So many names an error message lists."""

_PLAIN = re.compile(r"[A-Za-z_$/.][\w $/.+@()-]*(?<! )")
_RESERVED = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"}


def read_text(path: str | Path) -> str:
    """The text of a file.

    Raises
    ------
    ValueError
        If there is no such file, or it holds no text.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is no text file (a byte in it is not UTF-8)") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """The mapping that a YAML text describes; plain data only, numbers as YAML 1.2 has them.

    Parameters
    ----------
    text : str
    where : str
        The file; it starts the error message.

    Raises
    ------
    ValueError
        If the text is no YAML (with the line), gives a key twice, or is no mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        data = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, RecursionError, ValueError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ValueError(
            f"{where}: is no valid YAML{line}: {problem.splitlines()[0]}"
        ) from None
    if not isinstance(data, dict):
        found = "nothing" if data is None else f"a {type(data).__name__}"
        raise ValueError(f"{where}: holds {found}, expected a mapping of keys to values")
    return data


def format_yaml(data: dict[str, Any]) -> str:
    """YAML text that readers of version 1.1 and of version 1.2 understand alike.

    Floats get a decimal point (``1.0e-12``, which a 1.1 reader would otherwise take for a
    string), and words such as ``on`` get quotes.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Representer.add_representer(float, _float)
    Representer.add_representer(str, _string)
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = Representer
    yaml.default_flow_style = False
    yaml.representer.sort_base_mapping_type_on_output = False
    yaml.width = 96
    stream = StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def _float(representer: Any, value: float) -> Any:
    if math.isnan(value):
        text = ".nan"
    elif math.isinf(value):
        text = ".inf" if value > 0 else "-.inf"
    else:
        text = repr(float(value))
        if "e" in text and "." not in text:
            text = text.replace("e", ".0e")
    return representer.represent_scalar("tag:yaml.org,2002:float", text)


def _string(representer: Any, value: str) -> Any:
    plain = _PLAIN.fullmatch(value) and value.lower().strip(".") not in _RESERVED
    return representer.represent_scalar("tag:yaml.org,2002:str", value, None if plain else "'")


def check_keys(mapping: Any, known: Collection[str], where: str) -> dict[str, Any]:
    """``mapping``, if it is one and has only keys that are known.

    Raises
    ------
    ValueError
        That names the unknown key, and the known one that is close to it.
    """
    if not isinstance(mapping, dict):
        raise ValueError(
            f"{where}: got {shown(mapping)}, expected a mapping with the keys "
            f"{', '.join(known)}"
        )
    for key in mapping:
        if key not in known:
            raise ValueError(f"{where}: unknown key {key!r}{suggest(str(key), known)}")
    return mapping


def suggest(word: str, known: Collection[str]) -> str:
    """The end of an error message: what may have been meant, and what there is."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    names = list(known)
    more = f" and {len(names) - MOST_KNOWN} more" if len(names) > MOST_KNOWN else ""
    return f"{hint} (known: {', '.join(names[:MOST_KNOWN]) or 'none'}{more})"


def shown(value: Any) -> str:
    """A value for an error message, cut when it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def expand(filename: Any, folder: Path, where: str) -> Path:
    """The path that a file names: variables expanded, relative to the file's own folder.

    Raises
    ------
    ValueError
        If it is no text, or an environment variable in it is not set.
    """
    if not isinstance(filename, str) or not filename:
        raise ValueError(f"{where}: filename is {shown(filename)}, expected a path")
    path = os.path.expanduser(os.path.expandvars(filename))
    unset = re.search(r"\$\{?(\w+)\}?", path)
    if unset:
        raise ValueError(
            f"{where}: filename is {filename!r}, but the environment variable "
            f"{unset.group(1)} is not set"
        )
    return folder / path


@contextmanager
def replacing(*paths: Path, overwrite: bool = False) -> Iterator[tuple[Path, ...]]:
    """Write files next to their places, and move all of them there when none failed.

    Yields temporary paths, one for each of ``paths`` and with the same suffixes. If the
    block raises, they are removed and the files of before stay as they were.

    Raises
    ------
    ValueError
        If a file exists and ``overwrite`` is not set, or its folder cannot be written.
    """
    for path in paths:
        if path.exists() and not overwrite:
            raise ValueError(f"{path}: exists already; to replace it, give overwrite=True")
    temporary = tuple(path.with_name(f".{os.getpid()}-{path.name}") for path in paths)
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        for source, path in zip(temporary, paths, strict=True):
            os.replace(source, path)
    except OSError as error:
        raise ValueError(
            f"{error.filename or paths[0]}: cannot be written ({error.strerror or error})"
        ) from None
    finally:
        for source in temporary:
            source.unlink(missing_ok=True)
