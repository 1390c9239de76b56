"""HTML pages from templates."""

from __future__ import annotations

from typing import Any

from gammajax import __version__


def page(template: str, **values: Any) -> str:
    """The text of a page.

    Parameters
    ----------
    template : str
        A file in ``gammajax/cli/templates``.
    **values
        What it shows; every name that it uses has to be there.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("gammajax.cli", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(template).render(version=__version__, **values)
