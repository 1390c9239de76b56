"""A progress bar for long work, which costs nothing when it is off or nobody watches."""

from __future__ import annotations

from typing import Any


class Progress:
    """Context with one bar; `rich` draws it on the standard error stream.

    Parameters
    ----------
    label : str
    total : int
        Steps until it is full.
    show : bool
        Whether to draw it, where the stream is a terminal or a notebook.
    """

    def __init__(self, label: str, total: int, show: bool = True) -> None:
        self._label, self._total, self._show = label, total, show
        self._bar: Any = None

    def __enter__(self) -> Progress:
        if self._show:
            from rich.console import Console
            from rich.progress import Progress as Bar

            console = Console(stderr=True)
            if not (console.is_terminal or console.is_jupyter):
                return self  # in a file it would leave empty lines
            self._bar = Bar(console=console, transient=True)
            self._task = self._bar.add_task(self._label, total=self._total)
            self._bar.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, steps: int) -> None:
        """Move the bar by a number of steps."""
        if self._bar is not None:
            self._bar.advance(self._task, steps)
