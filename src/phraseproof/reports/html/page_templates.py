"""How templates of pages are read: data of users is escaped, and a name that is not there is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


def page_templates(folder: Path, filters: Mapping[str, Callable[..., object]]) -> jinja2.Environment:
    """The templates of a folder.

    Args:
        folder: where they are.
        filters: what they may call, by name, besides Jinja's own.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment
