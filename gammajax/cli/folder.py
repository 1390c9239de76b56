"""An output folder that is there completely, or not at all."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def check_output(path: Path, overwrite: bool) -> None:
    """Whether results may go to ``path``.

    Raises
    ------
    ValueError
        If it is a file, or a folder with something in it and ``overwrite`` is not set.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path}: is a file, expected a folder for the results")
    if path.is_dir() and any(path.iterdir()) and not overwrite:
        raise ValueError(
            f"{path}: the folder is not empty; choose another one, or give --overwrite to "
            "replace results of the same names"
        )


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path``, whose content moves there if the block succeeds.

    If it raises, or is interrupted, everything written is removed again. Files in ``path``
    that have other names than the new ones stay.
    """
    made = _make_parents(path.absolute().parent)
    work = None
    try:
        work = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.absolute().parent))
        yield work
        work.chmod(0o777 & ~_umask())
        if path.is_dir() and any(path.iterdir()):
            _move_into(work, path)
            work.rmdir()
        else:
            os.replace(work, path)
    except BaseException:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)
        for folder in reversed(made):
            folder.rmdir()
        raise


def _make_parents(parent: Path) -> list[Path]:
    """Make a folder; gives those that were missing, outermost first."""
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    parent.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _move_into(work: Path, path: Path) -> None:
    for source in work.iterdir():
        target = path / source.name
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        elif source.is_dir() and target.exists():
            target.unlink()
        os.replace(source, target)


def write_json(path: Path, data: Any) -> None:
    """Write JSON that every reader accepts: infinities and NaN become null."""
    text = json.dumps(_plain(data), indent=2, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
