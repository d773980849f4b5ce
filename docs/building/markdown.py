"""Pages as GitHub shows them, made ready for the site: links, lists, languages of code, and comments."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Mapping

_FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
_OPEN_FENCE = re.compile(r"^```\n(?=(\$ |phraseproof |pip |git |make |python))")
_COMMENT = re.compile(r"^<!-- .* -->\n", re.MULTILINE)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")
_PICTURE = re.compile(
    r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">\s*'
    r'<img alt="([^"]*)" src="([^"]+)"[^>]*>\s*</picture>'
)
_PAGE = re.compile(r"\bdocs/([\w-]+)\.md(#[\w-]+)?")
_OPTION = re.compile(r"(?<![\w`-])--[a-z][a-z-]*[a-z]")
_ITEM = re.compile(r"^( *)([*-]|\d+\.) +(?=\S)")


def for_site(text: str, source: str, target: str, targets: Mapping[str, str]) -> str:
    """A page of the repository as a page of the site.

    Args:
        text: Markdown, as GitHub renders it.
        source: the page's path in the repository, as in `docs/tables.md`.
        target: its path in the site's source, as in `tables.md`.
        targets: paths in the repository of all files that the site has, with their paths in the site. Links to others
            become plain text.
    """
    text = _outside_fences(text, lambda part: _COMMENT.sub("", part))
    # The site's colours can be chosen, and need not be those of the system.
    text = _PICTURE.sub(r"![\2](\3#only-light)![\2](\1#only-dark)", text)
    text = _outside_fences(text, lambda part: _LINK.sub(lambda link: _relinked(link, source, target, targets), part))
    text = "".join(_with_language(part) for part in _FENCE.split(text))
    return indented(text)


def indented(text: str) -> str:
    """Paragraphs, tables and lists inside of list items with four spaces per level, which Python-Markdown needs.

    GitHub takes as many as the item's text is away from the margin: two after `* `, three after `1. `.
    """
    found: list[str] = []
    columns: list[int] = []
    fenced = False
    for line in text.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
            columns = []
        if fenced or not line.strip():
            found.append(line)
            continue
        margin = len(line) - len(line.lstrip())
        while columns and margin < columns[-1]:
            columns.pop()
        level = len(columns)
        if item := _ITEM.match(line):
            columns.append(item.end())
        found.append("    " * level + line[margin:])
    return "\n".join(found)


def _outside_fences(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if part.startswith("```") else change(part) for part in _FENCE.split(text))


def _with_language(part: str) -> str:
    """A block of commands gets its language: prompts and outputs then have different colours."""
    if found := _OPEN_FENCE.match(part):
        return f"```{'console' if found[1] == '$ ' else 'bash'}\n{part[4:]}"
    return part


def _relinked(link: re.Match[str], source: str, target: str, targets: Mapping[str, str]) -> str:
    """A link of the repository as a link of the site."""
    path, _, anchor = link[3].partition("#")
    if not path or re.match(r"[a-z]+:", link[3]):
        return link[0]
    place = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if place not in targets:
        return link[2]
    relative = posixpath.relpath(targets[place], posixpath.dirname(target) or ".")
    return f"{link[1]}[{link[2]}]({relative}{'#' if anchor else ''}{anchor})"


def prose(text: str, folder: str) -> str:
    """A sentence of the code (a help text, a description) as Markdown.

    Args:
        text: what is not in backticks is shown as it is; names of pages become links, options become code.
        folder: of the page that shows it, in the site's source.
    """
    up = posixpath.relpath(".", folder)
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else _escaped(part, up) for part in parts)


def _escaped(part: str, up: str) -> str:
    escaped = re.sub(r"([*_\[\]|])", r"\\\1", html.escape(part, quote=False))
    escaped = _PAGE.sub(rf"[\1]({up}/\1.md\2)", escaped)
    return _OPTION.sub(r"`\g<0>`", escaped)
