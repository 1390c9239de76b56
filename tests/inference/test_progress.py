"""Progress bars."""

from gammajax.inference.progress import Progress


def test_a_bar_leaves_nothing_in_a_file(capfd) -> None:
    """Where no terminal is at the other end, nobody watches."""
    with Progress("reducing", 3) as bar:
        bar.advance(3)
    assert capfd.readouterr() == ("", "")


def test_a_bar_is_drawn_on_a_terminal(capfd, monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Progress("reducing", 3) as bar:
        bar.advance(3)
    assert "reducing" in capfd.readouterr().err
