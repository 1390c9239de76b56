"""The parameter table: globs, links and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gammajax.parameters import GaussianPrior, Link, ParameterRow, ParameterTable

NAMES = ("crab.spectral.index", "crab.spectral.amplitude", "vela.spectral.index")


def table_of(*rows: ParameterRow) -> ParameterTable:
    return ParameterTable(rows)


@pytest.fixture
def table() -> ParameterTable:
    return table_of(*(ParameterRow(name, float(i)) for i, name in enumerate(NAMES)))


def test_globs(table: ParameterTable) -> None:
    assert table.match("*.index") == [0, 2]
    assert table.match("crab.*") == [0, 1]
    assert table.match(NAMES[1]) == [1]
    assert table.index("vela*") == 2
    assert table["vela*"].value == 2.0
    assert table[1].name == NAMES[1]


def test_a_name_with_glob_signs_is_found_as_it_is() -> None:
    table = table_of(ParameterRow("a[1].x", 1.0), ParameterRow("a1.x", 2.0))
    assert table.match("a[1].x") == [0]


def test_no_match_suggests_names(table: ParameterTable) -> None:
    message = r"no parameter matches 'crab.spectral.indx'; did you mean crab\.spectral\.index"
    with pytest.raises(ValueError, match=message):
        table.match("crab.spectral.indx")
    with pytest.raises(ValueError, match=r"no parameter matches 'zzz' \(there are: crab"):
        table.match("zzz")


def test_several_matches_are_no_index(table: ParameterTable) -> None:
    with pytest.raises(ValueError, match=r"'\*\.index' stands for 2 parameters"):
        table.index("*.index")


def test_change_gives_a_new_table(table: ParameterTable) -> None:
    frozen = table.change("*.index", lambda row: {"frozen": True})
    assert frozen.free_names == (NAMES[1],)
    assert frozen.free_index.tolist() == [1]
    assert table.free_names == NAMES


def test_links_follow_chains() -> None:
    table = table_of(
        ParameterRow("a", 5.0),
        ParameterRow("b", 0.0, link=Link("a", 2.0, 1.0)),
        ParameterRow("c", 0.0, link=Link("b", 3.0, -4.0)),
    )
    source, factor, offset = table.resolved_links()
    assert source.tolist() == [0, 0, 0]
    np.testing.assert_array_equal(factor, [1, 2, 6])
    np.testing.assert_array_equal(offset, [0, 1, -1])  # 3 (2 a + 1) - 4
    assert table.free_names == ("a",)


@pytest.mark.parametrize(
    "links", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}]
)
def test_links_in_a_circle(links: dict[str, str]) -> None:
    rows = [
        ParameterRow(name, 1.0, link=Link(links[name]) if name in links else None)
        for name in "abc"
    ]
    with pytest.raises(ValueError, match="its links run in a circle"):
        table_of(*rows)


def test_link_to_nothing() -> None:
    with pytest.raises(ValueError, match="b: linked to 'nowhere', which is no parameter"):
        table_of(ParameterRow("b", 1.0, link=Link("nowhere")))


@pytest.mark.parametrize(
    ("link", "text"),
    [
        (Link("a"), "a"),
        (Link("a", 2.0), "2 * a"),
        (Link("a", 1.0, -3.0), "a -3"),
        (Link("a", 0.5, 3.0), "0.5 * a +3"),
    ],
)
def test_link_as_text(link: Link, text: str) -> None:
    assert str(link) == text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min": 2.0, "max": 1.0}, "x: min 2 is above max 1"),
        ({"min": math.nan}, "x: min nan"),
        ({"error": -1.0}, "x: error is -1, expected 0 or more"),
        ({"error": math.nan}, "x: error is nan"),
    ],
)
def test_bad_rows(fields: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ParameterRow("x", 1.0, **fields)


def test_names_are_different() -> None:
    with pytest.raises(ValueError, match="parameters with the same name: x"):
        table_of(ParameterRow("x", 1.0), ParameterRow("y", 1.0), ParameterRow("x", 2.0))


def test_as_an_astropy_table() -> None:
    table = table_of(
        ParameterRow("a", 5.0, "TeV", error=0.5, prior=GaussianPrior()),
        ParameterRow("b", 10.0, "TeV", frozen=True, link=Link("a", 2.0)),
    )
    found = table.to_table()
    assert found["link"].tolist() == ["", "2 * a"]
    assert found["prior"].tolist() == ["GaussianPrior", ""]
    assert found["frozen"].tolist() == [False, True]
    assert repr(table).startswith("ParameterTable: 2 parameters")
    assert "2 * a" in table._repr_html_()
    assert len(table_of().to_table()) == 0
