"""Separate ask and layout, if the text of a template shows clearly which is which."""

from __future__ import annotations

import re
from typing import NamedTuple

_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_BREAK = re.compile(r"\n[ \t]*(?:\n[ \t]*)*")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_LABEL_WORDS = 3


class AskAndLayout(NamedTuple):
    """A template, or an ask and a layout that render to the same text."""

    template: str | None = None
    ask: str | None = None
    layout: str | None = None
    ask_last: bool = False
    separator: str = "\n\n"


def split_ask(template: str) -> AskAndLayout:
    """Separate the ask from a template, if it is a separate block at the beginning or the end.

    The ask must be a sentence without placeholders. The rest must hold the example and otherwise only labels
    ("Question:", "Answer:"), so that no part of the ask remains in it. Joined, the two equal the template, character by
    character.
    """
    for block in _BREAK.finditer(template):
        ask, layout = template[: block.start()], template[block.end() :]
        if _is_ask(ask) and _is_layout(layout):
            return AskAndLayout(ask=ask, layout=layout, separator=block.group())
    for block in reversed(list(_BREAK.finditer(template))):
        layout, ask = template[: block.start()], template[block.end() :]
        if _is_ask(ask) and _is_layout(layout):
            return AskAndLayout(ask=ask, layout=layout, ask_last=True, separator=block.group())
    return AskAndLayout(template=template)


def _is_ask(text: str) -> bool:
    if not text.strip() or "{" in text or "}" in text:
        return False
    words = len(_WORD.findall(text))
    end = text.rstrip()[-1]
    return words > _LABEL_WORDS or (end in ".?!" and words > 1)


def _is_layout(text: str) -> bool:
    if not text or "{{" not in text:
        return False
    lines = _CODE.sub("\x00", text).split("\n")
    return all("?" not in line and all(_is_label(segment) for segment in line.split("\x00")) for line in lines)


def _is_label(text: str) -> bool:
    return len(_WORD.findall(text)) <= _LABEL_WORDS
