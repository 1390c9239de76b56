"""The shape of the package, read from its source: imports point one way, files stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "gammajax"

ROAD = (
    "units",
    "storage",
    "parameters",
    "maps",
    "irf",
    "data",
    "models",
    "datasets",
    "stats",
    "fold",
    "inference",
    "estimators",
    "survey",
    "plots",
    "cli",
)
BESIDE = ("simulate", "makers", "catalog")
"""Rooms beside the road: they use it up to inference, and only the command line uses them."""

BELOW = ("config", "storage", "fits")
"""Settings and files, for every room; they import units, and each other in this order."""

MOST_LINES = 350
MOST_STATEMENTS = 4
"""A delegation is an import, a result, and at most two assignments between them."""

FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(node: ast.AST) -> list[str]:
    """The modules that an import statement names, as dotted paths."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def imports(tree: ast.Module) -> Iterator[tuple[str, int, list[ast.stmt] | None]]:
    """Every import that runs: its module, its line, and the function body it is local to."""

    def walk(node: ast.AST, body: list[ast.stmt] | None) -> Iterator:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        for name in imported(node):
            yield name, node.lineno, body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
        for child in ast.iter_child_nodes(node):
            yield from walk(child, body)

    yield from walk(tree, None)


def allowed_rooms(room: str) -> set[str]:
    """The rooms that ``room`` may import at the top of a file."""
    if room == "__init__":
        return set()
    if room in BELOW:
        return {room, "units", *BELOW[: BELOW.index(room)]}
    if room in BESIDE:
        return {room, *BELOW, *ROAD[: ROAD.index("inference") + 1]}
    behind = {room, *BELOW, *ROAD[: ROAD.index(room)]}
    return behind | set(BESIDE) if room == "cli" else behind


def is_delegation(body: list[ast.stmt]) -> bool:
    """Whether a function only fetches something and hands it on: no branch, no loop."""
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        body = body[1:]
    plain = (ast.Import, ast.ImportFrom, ast.Assign, ast.Return, ast.Expr)
    return (
        len(body) <= MOST_STATEMENTS
        and all(isinstance(statement, plain) for statement in body)
        and isinstance(body[-1], ast.Return | ast.Expr)
    )


def violations(source: str, room: str) -> list[str]:
    """What the imports of a file of ``room`` do that they may not."""
    found = []
    for name, line, body in imports(ast.parse(source)):
        package, _, rest = name.partition(".")
        if package == "matplotlib" and room != "plots":
            found.append(f"line {line}: only plots imports matplotlib")
        if package == "astropy" and room in ("fold", "stats"):
            found.append(f"line {line}: {room} imports astropy")
        if package == "astropy" and room == "inference" and body is None:
            found.append(f"line {line}: inference imports astropy at the top")
        if name.startswith("jax._src"):
            found.append(f"line {line}: {name} is private to jax")
        other = rest.partition(".")[0]
        if (
            package != "gammajax"
            or other in ("", "__version__")
            or other in allowed_rooms(room)
        ):
            continue
        if other not in (*BELOW, *ROAD, *BESIDE):
            found.append(
                f"line {line}: {other} is no room; name it in tests/test_architecture.py"
            )
        elif body is None:
            found.append(f"line {line}: {room} imports {other}, which comes after it")
        elif not is_delegation(body):
            found.append(f"line {line}: {room} does more than delegate to {other}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    assert violations(path.read_text(), room_of(path)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_every_room_has_its_place() -> None:
    rooms = {room_of(path) for path in FILES} - {"__init__"}
    assert rooms <= {*BELOW, *ROAD, *BESIDE}


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("maps", "from gammajax.models import Models"),
        ("models", "import gammajax.inference.fit"),
        ("models", "import matplotlib.pyplot as plt"),
        ("stats", "def f():\n    import astropy.units"),
        ("inference", "from astropy.table import Table"),
        # a sample that the rule has to refuse: nothing imports the private part of JAX
        ("fold", "from jax._src import core"),
        ("units", "from gammajax.nowhere import x"),
        ("estimators", "from gammajax.catalog import x"),
        ("catalog", "from gammajax.simulate import x"),
        (
            "datasets",
            "def f():\n    from gammajax.fold import x\n    if x:\n        return x()",
        ),
        (
            "datasets",
            "def f():\n    from gammajax.fold import x\n    a = b = 1\n    c = 2\n    d = 3\n"
            "    return x()",
        ),
    ],
)
def test_the_rules_can_fail(room: str, source: str) -> None:
    assert len(violations(source, room)) == 1


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("models", "from gammajax.units import to_value"),
        ("cli", "from gammajax.simulate import observe"),
        ("simulate", "from gammajax.datasets import Datasets"),
        ("inference", "def f():\n    from astropy.table import Table\n    return Table()"),
        ("datasets", "def f():\n    'Doc.'\n    from gammajax.plots import x\n    return x()"),
        (
            "datasets",
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from gammajax.inference import Fit",
        ),
    ],
)
def test_the_rules_allow(room: str, source: str) -> None:
    assert violations(source, room) == []
