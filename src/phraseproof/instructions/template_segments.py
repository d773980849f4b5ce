"""Split a template's source into prose and code."""

from __future__ import annotations

from typing import NamedTuple

from jinja2.exceptions import TemplateSyntaxError

from phraseproof.core import Instruction
from phraseproof.errors import InstructionError
from phraseproof.instructions.template import literal
from phraseproof.templates.sandbox import environment

_ENDS = {"variable_begin": "variable_end", "block_begin": "block_end", "comment_begin": "comment_end"}
_RAW = ("raw_begin", "raw_end")


class TemplateSegment(NamedTuple):
    """A run of a template's source.

    Attributes:
        text: prose as it is read (with `{% raw %}` and the like undone), code as it is written.
        kind: `prose`, `variable` for `{{ ... }}`, `block` for `{% ... %}`, `comment` for `{# ... #}`.
    """

    text: str
    kind: str

    @property
    def is_prose(self) -> bool:
        """Whether it is prose, which a person reads unchanged."""
        return self.kind == "prose"

    @property
    def source(self) -> str:
        """The segment as template source."""
        return literal(self.text) if self.is_prose else self.text


def segments(source: str) -> list[TemplateSegment]:
    """The segments of a template, in order; prose segments are never adjacent.

    Raises:
        InstructionError: not a template.
    """
    found: list[TemplateSegment] = []
    prose: list[str] = []
    code: list[str] = []
    end: str | None = None
    try:
        tokens = list(environment().lex(source))
    except TemplateSyntaxError as error:
        raise InstructionError(f"not a valid template: {error.message}") from None
    for _, kind, text in tokens:
        if end is None and kind in _ENDS:
            if prose:
                found.append(TemplateSegment("".join(prose), "prose"))
                prose = []
            end = _ENDS[kind]
        if end is not None:
            code.append(text)
            if kind == end:
                found.append(TemplateSegment("".join(code), end.removesuffix("_end")))
                code, end = [], None
        elif kind not in _RAW:
            prose.append(text)
    if end is not None:
        raise InstructionError("not a valid template: {{, {% or {# is never closed")
    if prose:
        found.append(TemplateSegment("".join(prose), "prose"))
    return found


def source_of(parts: list[TemplateSegment]) -> str:
    """Join segments to a template."""
    return "".join(segment.source for segment in parts)


def prose(source: str) -> str:
    """The prose of a template, without code, with single spaces."""
    return " ".join(" ".join(segment.text for segment in segments(source) if segment.is_prose).split())


def own_words_of(instruction: Instruction) -> str:
    """The prose of a wording: of its ask, or of its template; if there is none, of its layout."""
    for part in (instruction.ask, instruction.template, instruction.layout):
        if part is not None and (words := prose(part)):
            return words
    return ""
