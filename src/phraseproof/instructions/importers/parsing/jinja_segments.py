"""Split Jinja templates of other programs into segments, to rename, trim and split them without running them.

The segments come from Jinja's own lexer: a name inside a string is not renamed, and a `|||` in an expression does not
split the template. Unchanged segments give a template that renders to the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jinja2 import Environment
from jinja2.exceptions import TemplateSyntaxError

from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError, unreadable
from phraseproof.instructions.template import literal
from phraseproof.templates.compiled_template import MAX_SOURCE

_ENDS = {"if": "endif", "for": "endfor"}
_MIDDLES = {"if": ("elif", "else"), "for": ("else",)}
_MAX_DEPTH = 50


class Token(NamedTuple):
    """A token of an expression, as Jinja's lexer names its kinds."""

    kind: str
    text: str


@dataclass(slots=True)
class TextSegment:
    """Literal text."""

    text: str


@dataclass(slots=True)
class CodeSegment:
    """`{{ ... }}` or a statement that opens no block (`set`)."""

    opening: str
    tokens: list[Token]
    closing: str

    @property
    def is_output(self) -> bool:
        """Whether it writes something."""
        return self.opening.startswith("{{")


@dataclass(slots=True)
class Branch:
    """One branch of a block: its tag and its content."""

    tag: CodeSegment
    body: list[JinjaSegment]


@dataclass(slots=True)
class BlockSegment:
    """`{% if %}` or `{% for %}` with its branches."""

    keyword: str
    end: CodeSegment
    branches: list[Branch] = field(default_factory=list[Branch])


JinjaSegment = TextSegment | CodeSegment | BlockSegment


def read(source: str) -> list[JinjaSegment]:
    """Split a template into segments.

    Raises:
        UnrepresentableError: not a template, or one with blocks other than `if` and `for`.
    """
    if len(source) > MAX_SOURCE:
        unreadable(f"a template of more than {MAX_SOURCE} characters", f"{len(source)} characters")
    try:
        flat = list(_flat(source))
    except TemplateSyntaxError as error:
        raise UnrepresentableError("not a valid template", error.message or "") from None
    segments, rest = _body(flat, 0, (), 0)
    if rest < len(flat):
        unreadable("not a valid template", f"an {_keyword(flat[rest])} without a beginning")
    return segments


def write(segments: Iterable[JinjaSegment]) -> str:
    """Join segments to a template."""
    return "".join(_written(segments))


def expression(source: str) -> list[Token]:
    """The tokens of an expression without braces."""
    segments = read("{{" + source + "}}")
    if len(segments) != 1 or not isinstance(segments[0], CodeSegment):
        unreadable("not a valid template", source)
    return segments[0].tokens


def codes(segments: Iterable[JinjaSegment]) -> Iterator[CodeSegment]:
    """All code in segments, including the tags of blocks."""
    for segment in segments:
        if isinstance(segment, CodeSegment):
            yield segment
        elif isinstance(segment, BlockSegment):
            for branch in segment.branches:
                yield branch.tag
                yield from codes(branch.body)


def rewrite(segments: Iterable[JinjaSegment], change: Callable[[list[Token]], list[Token]]) -> None:
    """Replace the tokens of all code, in place."""
    for code in codes(segments):
        code.tokens = change(code.tokens)


def names(tokens: Sequence[Token]) -> set[str]:
    """The names that an expression looks up (no attributes, filters, tests, keywords or names of arguments)."""
    return {token.text for index, token in enumerate(tokens) if _is_lookup(tokens, index)}


def rename(tokens: Sequence[Token], new: Mapping[str, str]) -> list[Token]:
    """Replace names by expressions, which are given as text."""
    return [
        Token("code", new[token.text]) if token.text in new and _is_lookup(tokens, index) else token
        for index, token in enumerate(tokens)
    ]


def without_idle_sets(segments: Sequence[JinjaSegment]) -> list[JinjaSegment]:
    """Remove every `{% set %}` whose name no later segment looks up."""
    kept: list[JinjaSegment] = []
    used: set[str] = set()
    for segment in reversed(segments):
        if isinstance(segment, CodeSegment) and not segment.is_output:
            words = plain(segment.tokens)
            is_simple = len(words) > 2 and words[1].kind == "name" and words[2].text == "="
            if is_simple and words[1].text not in used:
                continue
            used |= names(words[2:]) if is_simple else names(words)
        else:
            used |= {name for code in codes([segment]) for name in names(code.tokens)}
        kept.insert(0, segment)
    return kept


def plain(tokens: Iterable[Token]) -> list[Token]:
    """Tokens without white space."""
    return [token for token in tokens if token.kind != "whitespace"]


# ------------------------------------------------------------------------------------------------------------- reading


def _flat(source: str) -> Iterator[TextSegment | CodeSegment]:
    opened: CodeSegment | None = None
    for _, kind, text in Environment(keep_trailing_newline=True).lex(source):  # noqa: S701 (it only lexes)
        if kind in {"variable_begin", "block_begin"}:
            opened = CodeSegment(text, [], "")
        elif kind in {"variable_end", "block_end"} and opened is not None:
            opened.closing = text
            yield opened
            opened = None
        elif opened is not None:
            opened.tokens.append(Token(kind, text))
        elif kind == "data":
            # The lexer drops comments, and gives the content of `raw` as text, whose braces must stay text.
            yield TextSegment(literal(text) if "{" in text else text)
    if opened is not None:
        unreadable("not a valid template", f"{opened.opening} without an end")


def _body(
    flat: Sequence[TextSegment | CodeSegment], start: int, until: Sequence[str], depth: int
) -> tuple[list[JinjaSegment], int]:
    if depth > _MAX_DEPTH:
        unreadable("blocks nested too deeply")
    segments: list[JinjaSegment] = []
    index = start
    while index < len(flat):
        item = flat[index]
        keyword = _keyword(item)
        if keyword in until:
            return segments, index
        if keyword in _ENDS:
            assert isinstance(item, CodeSegment)
            block, index = _block(flat, index, item, keyword, depth)
            segments.append(block)
            continue
        if keyword and keyword != "set":
            unreadable(f"the statement {{% {keyword} %}}")
        segments.append(item)
        index += 1
    if until:
        unreadable("not a valid template", "a block without an end")
    return segments, index


def _block(
    flat: Sequence[TextSegment | CodeSegment], index: int, tag: CodeSegment, keyword: str, depth: int
) -> tuple[BlockSegment, int]:
    branches: list[Branch] = []
    while True:
        body, index = _body(flat, index + 1, (*_MIDDLES[keyword], _ENDS[keyword]), depth + 1)
        branches.append(Branch(tag, body))
        end = flat[index]
        assert isinstance(end, CodeSegment)
        if _keyword(end) == _ENDS[keyword]:
            return BlockSegment(keyword, end, branches), index + 1
        tag = end


def _keyword(item: TextSegment | CodeSegment) -> str:
    """The word that a statement begins with; empty for text and for output."""
    if isinstance(item, TextSegment) or item.is_output:
        return ""
    return next((token.text for token in item.tokens if token.kind == "name"), "?")


def _is_lookup(tokens: Sequence[Token], index: int) -> bool:
    token = tokens[index]
    if token.kind != "name" or token.text in _KEYWORDS:
        return False
    before = next((each.text for each in reversed(tokens[:index]) if each.kind != "whitespace"), "")
    after = next((each.text for each in tokens[index + 1 :] if each.kind != "whitespace"), "")
    is_attribute, is_filter, is_test = before == ".", before == "|", before == "is" or _is_not(tokens, index)
    names_argument = after == "=" and before in {"(", ","}
    return not (is_attribute or is_filter or is_test or names_argument)


def _is_not(tokens: Sequence[Token], index: int) -> bool:
    words = [each.text for each in tokens[:index] if each.kind != "whitespace"]
    return words[-2:] == ["is", "not"]


_KEYWORDS = frozenset(
    (
        *("and", "or", "not", "in", "is", "if", "else", "elif", "endif", "for", "endfor", "set", "recursive", "loop"),
        *("true", "false", "none", "True", "False", "None", "range"),
    )
)


# ------------------------------------------------------------------------------------------------------------- writing


def _written(segments: Iterable[JinjaSegment]) -> Iterator[str]:
    for segment in segments:
        if isinstance(segment, TextSegment):
            yield segment.text
        elif isinstance(segment, CodeSegment):
            yield _code(segment)
        else:
            for branch in segment.branches:
                yield _code(branch.tag)
                yield from _written(branch.body)
            yield _code(segment.end)


def _code(code: CodeSegment) -> str:
    return code.opening + "".join(token.text for token in code.tokens) + code.closing
