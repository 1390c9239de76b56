"""What the commands print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer


class Failure(typer.Exit):
    """Ends a command with exit status 2."""

    def __init__(self) -> None:
        super().__init__(2)


def say_error(message: Any) -> None:
    """One line on the standard error stream."""
    text = " ".join(str(message).split())
    print(f"gammajax: error: {text}", file=sys.stderr)


@contextmanager
def bad_input() -> Iterator[None]:
    """Errors in what the user gave end the command: one line and exit status 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        say_error(error)
        raise Failure from None


def console(quiet: bool = False) -> Any:
    """A rich console for the standard output stream; wide when nobody watches."""
    from rich.console import Console

    found = Console(quiet=quiet, highlight=False)
    return found if found.is_terminal else Console(quiet=quiet, highlight=False, width=120)


def table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Any:
    """An empty rich table; columns in ``numbers`` are flush right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD, title_style="bold")
    for name in columns:
        right = name in numbers
        made.add_column(name, justify="right" if right else "left", no_wrap=name != "note")
    return made


def counted(number: int, what: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "run"), counted(4, "run")
    ('1 run', '4 runs')
    """
    return f"{number} {what}" + ("" if number == 1 else "s")


def significant(value: float, error: float) -> tuple[str, str]:
    """A value and its error with as many digits as the error is worth.

    Examples
    --------
    >>> significant(2.448931, 0.03129)
    ('2.449', '0.031')
    >>> significant(4.16642e-11, 1.522e-12)
    ('4.17e-11', '1.5e-12')
    >>> significant(1.0, 0.0)
    ('1', '')
    """
    import math

    if not (math.isfinite(error) and error > 0 and math.isfinite(value)):
        return f"{value:.6g}", "" if error == 0 else "not known"
    last = math.floor(math.log10(error)) - 1
    largest = max(abs(value), error)
    if 1e-3 <= largest < 1e5:
        digits = max(0, -last)
        return f"{value:.{digits}f}", f"{error:.{digits}f}"
    digits = max(0, math.floor(math.log10(largest)) - last)
    return f"{value:.{digits}e}", f"{error:.1e}"
