"""Tasks, one for each run, on any executor: what fails is told apart, and the rest goes on."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from gammajax.config import compilation_cache, enable_compilation_cache

DIED = (
    "the process that worked on it died without a word, as when memory runs out or it is killed"
)

AHEAD_OF_EXECUTOR = 64
"""So many runs are given to an executor before the first of them is needed."""

MOST_POOLS = 2
"""So many pools of processes are tried before each task gets a process of its own."""


@dataclass(frozen=True)
class Outcome:
    """What became of a task: its result, or the reason why there is none."""

    result: Any = None
    failure: str = ""


def attempt(task: Callable[..., Any], *arguments: Any) -> Outcome:
    """The result of a task; an exception is a failure, in words."""
    try:
        return Outcome(task(*arguments))
    except Exception as error:  # whatever a damaged run leads to is that run's
        return Outcome(failure=in_words(error))


def in_words(error: BaseException) -> str:
    """An exception in one line; our own kinds need no name."""
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | OSError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def outcomes(
    task: Callable[..., Any],
    common: tuple[Any, ...],
    tasks: Sequence[tuple[Any, ...]],
    *,
    n_jobs: int,
    executor: Any,
) -> Iterator[Outcome]:
    """The outcome of each task, in order, as soon as it and all before it are there.

    Parameters
    ----------
    task : function
        That can be pickled, if there is more than one process.
    common : tuple
        Its first arguments, the same for all tasks.
    tasks : sequence of tuple
        The other arguments of each.
    n_jobs : int
        1 works here, more in as many processes. A process that dies takes no other task
        with it: those that it leaves are tried again.
    executor : `~concurrent.futures.Executor` or None
        Instead of processes of our own; it is left open.
    """
    if executor is not None:
        yield from _on(executor, task, common, tasks)
    elif n_jobs <= 1 or len(tasks) <= 1:
        yield from (attempt(task, *common, *arguments) for arguments in tasks)
    else:
        yield from _in_processes(task, common, tasks, n_jobs)


def _on(executor: Executor, task: Any, common: Any, tasks: Sequence[Any]) -> Iterator[Outcome]:
    def submit(arguments: Any) -> Future:
        return executor.submit(attempt, task, *common, *arguments)

    yield from map(_outcome_of, _ahead(submit, tasks, AHEAD_OF_EXECUTOR))


def _ahead(
    submit: Callable[[Any], Future], tasks: Sequence[Any], number: int
) -> Iterator[Future]:
    """The futures of tasks, in order, with so many of them submitted before they are taken.

    So the results that wait do not fill the memory, however many tasks there are.
    """
    left, waiting = iter(tasks), deque[Future]()
    try:
        waiting.extend(submit(arguments) for arguments in islice(left, number))
        while waiting:
            yield waiting.popleft()
            waiting.extend(submit(arguments) for arguments in islice(left, 1))
    finally:
        for future in waiting:
            future.cancel()


def _outcome_of(future: Future) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool:
        return Outcome(failure=DIED)
    except Exception as error:  # of the executor: workers lost, results that do not travel
        return Outcome(failure=in_words(error))


def _in_processes(
    task: Any, common: Any, tasks: Sequence[Any], n_jobs: int
) -> Iterator[Outcome]:
    """All in one pool; what dying processes leave in another, and then each task alone."""
    found: dict[int, Outcome] = {}
    left, after, pools = list(range(len(tasks))), 0, 0
    while left:
        alone = pools >= MOST_POOLS
        batch = left[:1] if alone else left
        with _pool(min(n_jobs, len(batch)), task, common) as pool:
            futures = _ahead(partial(_submit, pool), [tasks[i] for i in batch], 4 * n_jobs)
            for place, outcome in zip(batch, map(_outcome_of, futures), strict=True):
                if alone or outcome.failure != DIED:
                    found[place] = outcome
                while after in found:
                    yield found.pop(after)
                    after += 1
        left = [place for place in left if place >= after and place not in found]
        pools += 1


def _submit(pool: Executor, arguments: Any) -> Future:
    try:
        return pool.submit(_attempt_shared, *arguments)
    except BrokenProcessPool as error:
        future: Future = Future()
        future.set_exception(error)
        return future


_shared: list[Any] = []
"""In a process of a pool: the task and its common arguments."""


def _start(task: Any, common: Any, cache: str | None) -> None:
    if cache:
        enable_compilation_cache(cache)
    _shared[:] = [task, *common]


def _attempt_shared(*arguments: Any) -> Outcome:
    return attempt(*_shared, *arguments)


@contextmanager
def _pool(n_jobs: int, task: Any, common: Any) -> Iterator[Executor]:
    """Fresh processes, which do not run the user's script again."""
    from loky import ProcessPoolExecutor

    given = (task, common, compilation_cache())
    pool = ProcessPoolExecutor(n_jobs, initializer=_start, initargs=given)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, kill_workers=True)


def check_jobs(n_jobs: Any, where: str) -> None:
    """Raise if a number of processes is none."""
    if not isinstance(n_jobs, int) or not 1 <= n_jobs <= sys.maxsize:
        raise ValueError(f"{where}: n_jobs is {n_jobs!r}, expected 1 or more")
