"""Fits that show how far they are, and that can be interrupted and continued."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from gammajax.config import program
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.newton_cg import State, advance, begin
from gammajax.inference.problem import Problem, owners
from gammajax.storage import replacing

FORM = 3
"""Of the content of checkpoints."""


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often the state of a fit is kept.

    Parameters
    ----------
    path : path-like
        A file of numpy's ``npz`` form; it is replaced as a whole, so that it is good at any
        time. Delete it when the fit is done.
    every : float
        Seconds between two writings, at least; 0 for every step.

    Examples
    --------
    >>> from gammajax.inference import Checkpoint
    >>> Checkpoint("fit.npz", every=10)
    Checkpoint(path=PosixPath('fit.npz'), every=10.0)
    """

    path: Path
    every: float = 30.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        object.__setattr__(self, "every", float(self.every))
        if not self.every >= 0:
            raise ValueError(f"Checkpoint: every is {self.every}, expected 0 or more seconds")

    def write(self, likelihood: Any, state: State) -> None:
        """Keep a state, and the values that the folds of the likelihood were planned at."""
        content: dict[str, Any] = {
            key: np.asarray(value)
            for key, value in state._asdict().items()
            if key not in ("pieces", "bends")
        }
        for number, leaf in enumerate(jax.tree_util.tree_leaves(state.bends)):
            content[f"bends{number}"] = np.asarray(leaf)
        content["form"], content["fingerprint"] = FORM, fingerprint(likelihood)
        content["planned"] = np.asarray(likelihood.frame.space.value)
        with replacing(self.path, overwrite=True) as (temporary,), temporary.open("wb") as file:
            np.savez(file, **content)

    def read(self, likelihood: Any) -> tuple[np.ndarray, State] | None:
        """The values at which folds were planned, and the state; None if there is no file.

        Raises
        ------
        ValueError
            If the file is damaged, or was written by a fit of other data or models.
        """
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                found = {key: file[key] for key in file.files}
            known = int(found.pop("form")) == FORM
            print_of, planned = str(found.pop("fingerprint")), found.pop("planned")
            empty = begin(likelihood.frame, planned)
            leaves, kind = jax.tree_util.tree_flatten(empty.bends)
            bends = [found.pop(f"bends{number}") for number in range(len(leaves))]
            state = empty._replace(**found, bends=jax.tree_util.tree_unflatten(kind, bends))
        except Exception as error:
            raise ValueError(
                f"checkpoint {self.path}: is damaged or none of these files ({error}); delete "
                "it to start from the beginning"
            ) from None
        if not known or print_of != fingerprint(likelihood):
            raise ValueError(
                f"checkpoint {self.path}: belongs to a fit of other data or models; give "
                "another path, or delete it to start from the beginning"
            )
        return planned, state


def fingerprint(likelihood: Any) -> str:
    """A number of what has to be the same when a fit goes on: data, parameters, bounds.

    Start values of free parameters are not in it: the fit has left them.
    """
    digest = hashlib.sha256("\n".join(likelihood.models.parameters.names).encode())
    space = likelihood.frame.space
    frozen = np.where(space.free, 0.0, space.value)
    parts = [frozen, space.min, space.max, space.free, space.source, space.factor, space.offset]
    for dataset in likelihood.datasets:
        digest.update(dataset.name.encode())
        counts = getattr(dataset, "counts", None)
        parts += [dataset.mask] if counts is None else [dataset.mask, _numbers(counts)]
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _numbers(counts: Any) -> np.ndarray:
    """The counts of a spectrum or of a map."""
    return np.asarray(getattr(counts, "data", counts))


class Stand(NamedTuple):
    """How far a fit is, for people: ``n_left`` are the sources not near their minimum."""

    n_steps: int
    stat: float
    gradient: float
    edm: float
    n_left: int
    n_sources: int

    def __str__(self) -> str:
        return (
            f"step {self.n_steps}: -2 ln L {self.stat:.4f}, |gradient| {self.gradient:.2e}, "
            f"distance {self.edm:.1e}, {self.n_left} of {self.n_sources} sources left"
        )


class Watched:
    """A search whose steps are taken one by one.

    Parameters
    ----------
    checkpoint : `Checkpoint` or None
    progress : bool
    """

    def __init__(self, checkpoint: Checkpoint | None, progress: bool) -> None:
        self.checkpoint, self.progress = checkpoint, progress
        self._state: State | None = None
        self._written = -np.inf

    @classmethod
    def create(cls, progress: bool, checkpoint: Any, method: str) -> Watched | None:
        """From what `Fit.run` is given; None if there is nothing to watch for."""
        if not progress and checkpoint is None:
            return None
        if method != "newton":
            raise ValueError(
                f"Fit: progress and checkpoint need the method 'newton', got {method!r}"
            )
        if not (checkpoint is None or isinstance(checkpoint, Checkpoint)):
            checkpoint = Checkpoint(checkpoint)
        return cls(checkpoint, progress)

    def resumed(self, likelihood: Likelihood) -> Likelihood:
        """The likelihood as it was planned when the checkpoint was written."""
        found = None if self.checkpoint is None else self.checkpoint.read(likelihood)
        if found is None:
            return likelihood
        planned, self._state = found
        if np.array_equal(planned, likelihood.frame.space.value):
            return likelihood
        return likelihood.with_models(likelihood.models_at(planned[likelihood._index]))

    def search(self, likelihood: Likelihood, tolerance: float, max_steps: int) -> State:
        """Minimise from the checkpoint, or from the start of the likelihood."""
        # once, and not at each step
        problem, state = jax.device_put(likelihood.problem), self._state
        self._state = None
        if state is None:
            state = begin(problem, problem.space.value)
        owner = np.asarray(owners(problem))
        with Line(self.progress) as line:
            while not bool(state.done):
                state = _step(problem, state, owner, tolerance, max_steps)
                line.show(stand_of(state, owner))
                self.keep(likelihood, state)
        return state

    def keep(self, likelihood: Any, state: State) -> None:
        """Write the checkpoint if it is time."""
        if self.checkpoint is None or bool(state.done):
            return
        if time.monotonic() - self._written >= self.checkpoint.every:
            self.checkpoint.write(likelihood, state)
            self._written = time.monotonic()


@program
def _step(problem: Problem, state: State, owner: Any, tolerance: Any, max_steps: Any) -> State:
    return advance(problem, state, owner, tolerance, max_steps)


def stand_of(state: State, owner: np.ndarray) -> Stand:
    """How far a search is."""
    far = owner[~np.asarray(state.near)]
    return Stand(
        n_steps=int(state.n_steps),
        stat=float(state.stat),
        gradient=float(np.linalg.norm(np.asarray(state.gradient))),
        edm=float(state.edm),
        n_left=np.unique(far).size,
        n_sources=np.unique(owner).size,
    )


class Line:
    """One line on the standard error stream that says how far a fit is.

    Where that stream is no terminal, there is a line for each step.
    """

    def __init__(self, show: bool) -> None:
        self._show = show
        self._status: Any = None

    def __enter__(self) -> Line:
        if self._show:
            from rich.console import Console

            self._console = Console(stderr=True, highlight=False)
            self._status = self._console.status("compiling")
            self._status.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, stand: Stand) -> None:
        """Say it."""
        if self._status is None:
            return
        self._status.update(str(stand))
        if not self._console.is_terminal:
            self._console.print(str(stand), soft_wrap=True)
