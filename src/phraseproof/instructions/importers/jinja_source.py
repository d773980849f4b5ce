"""Templates of other programs, taken apart as text: renamed, trimmed and cut in two, without running any of them.

The pieces come from Jinja's own lexer, so a name inside a text stays what it is and a `|||` in an expression does not
cut. Put together again, untouched pieces give a template that renders the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jinja2 import Environment
from jinja2.exceptions import TemplateSyntaxError

from phraseproof.instructions.importers.found import UnrepresentableError, unreadable
from phraseproof.instructions.sandbox import MAX_SOURCE
from phraseproof.instructions.template import literal

_ENDS = {"if": "endif", "for": "endfor"}
_MIDDLES = {"if": ("elif", "else"), "for": ("else",)}
_MAX_DEPTH = 50


class Token(NamedTuple):
    """A token of an expression, as Jinja's lexer names its kinds."""

    kind: str
    text: str


@dataclass(slots=True)
class Text:
    """Text that is copied."""

    text: str


@dataclass(slots=True)
class Code:
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
    """One branch of a block: its tag, and what stands in it."""

    tag: Code
    body: list[Piece]


@dataclass(slots=True)
class Block:
    """`{% if %}` or `{% for %}` with its branches."""

    keyword: str
    end: Code
    branches: list[Branch] = field(default_factory=list[Branch])


Piece = Text | Code | Block


def read(source: str) -> list[Piece]:
    """The pieces of a template.

    Raises:
        UnrepresentableError: not a template, or one with blocks other than `if` and `for`.
    """
    if len(source) > MAX_SOURCE:
        unreadable(f"a template of more than {MAX_SOURCE} characters", f"{len(source)} characters")
    try:
        flat = list(_flat(source))
    except TemplateSyntaxError as error:
        raise UnrepresentableError("not a valid template", error.message or "") from None
    pieces, rest = _body(flat, 0, (), 0)
    if rest < len(flat):
        unreadable("not a valid template", f"an {_keyword(flat[rest])} without a beginning")
    return pieces


def write(pieces: Iterable[Piece]) -> str:
    """The template that pieces make."""
    return "".join(_written(pieces))


def expression(source: str) -> list[Token]:
    """The tokens of an expression that stands without braces."""
    pieces = read("{{" + source + "}}")
    if len(pieces) != 1 or not isinstance(pieces[0], Code):
        unreadable("not a valid template", source)
    return pieces[0].tokens


def codes(pieces: Iterable[Piece]) -> Iterator[Code]:
    """All code in pieces, tags of blocks too."""
    for piece in pieces:
        if isinstance(piece, Code):
            yield piece
        elif isinstance(piece, Block):
            for branch in piece.branches:
                yield branch.tag
                yield from codes(branch.body)


def rewrite(pieces: Iterable[Piece], change: Callable[[list[Token]], list[Token]]) -> None:
    """Exchange the tokens of all code, in place."""
    for code in codes(pieces):
        code.tokens = change(code.tokens)


def names(tokens: Sequence[Token]) -> set[str]:
    """The names that an expression looks up (no attributes, filters, tests, keywords or names of arguments)."""
    return {token.text for index, token in enumerate(tokens) if _is_lookup(tokens, index)}


def rename(tokens: Sequence[Token], new: Mapping[str, str]) -> list[Token]:
    """Tokens with names exchanged for other expressions, as texts."""
    return [
        Token("code", new[token.text]) if token.text in new and _is_lookup(tokens, index) else token
        for index, token in enumerate(tokens)
    ]


def without_idle_sets(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces without `{% set %}` of what no later piece looks up."""
    kept: list[Piece] = []
    used: set[str] = set()
    for piece in reversed(pieces):
        if isinstance(piece, Code) and not piece.is_output:
            words = plain(piece.tokens)
            is_simple = len(words) > 2 and words[1].kind == "name" and words[2].text == "="
            if is_simple and words[1].text not in used:
                continue
            used |= names(words[2:]) if is_simple else names(words)
        else:
            used |= {name for code in codes([piece]) for name in names(code.tokens)}
        kept.insert(0, piece)
    return kept


def plain(tokens: Iterable[Token]) -> list[Token]:
    """Tokens without white space."""
    return [token for token in tokens if token.kind != "whitespace"]


# ------------------------------------------------------------------------------------------------------------- reading


def _flat(source: str) -> Iterator[Text | Code]:
    opened: Code | None = None
    for _, kind, text in Environment(keep_trailing_newline=True).lex(source):  # noqa: S701 (it only lexes)
        if kind in {"variable_begin", "block_begin"}:
            opened = Code(text, [], "")
        elif kind in {"variable_end", "block_end"} and opened is not None:
            opened.closing = text
            yield opened
            opened = None
        elif opened is not None:
            opened.tokens.append(Token(kind, text))
        elif kind == "data":
            # A comment is gone, and what `raw` holds is text: braces in it must stay text.
            yield Text(literal(text) if "{" in text else text)
    if opened is not None:
        unreadable("not a valid template", f"{opened.opening} without an end")


def _body(flat: Sequence[Text | Code], start: int, until: Sequence[str], depth: int) -> tuple[list[Piece], int]:
    if depth > _MAX_DEPTH:
        unreadable("blocks nested too deeply")
    pieces: list[Piece] = []
    index = start
    while index < len(flat):
        item = flat[index]
        keyword = _keyword(item)
        if keyword in until:
            return pieces, index
        if keyword in _ENDS:
            assert isinstance(item, Code)
            block, index = _block(flat, index, item, keyword, depth)
            pieces.append(block)
            continue
        if keyword and keyword != "set":
            unreadable(f"the statement {{% {keyword} %}}")
        pieces.append(item)
        index += 1
    if until:
        unreadable("not a valid template", "a block without an end")
    return pieces, index


def _block(flat: Sequence[Text | Code], index: int, tag: Code, keyword: str, depth: int) -> tuple[Block, int]:
    branches: list[Branch] = []
    while True:
        body, index = _body(flat, index + 1, (*_MIDDLES[keyword], _ENDS[keyword]), depth + 1)
        branches.append(Branch(tag, body))
        end = flat[index]
        assert isinstance(end, Code)
        if _keyword(end) == _ENDS[keyword]:
            return Block(keyword, end, branches), index + 1
        tag = end


def _keyword(item: Text | Code) -> str:
    """The word that a statement begins with; empty for text and for output."""
    if isinstance(item, Text) or item.is_output:
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


def _written(pieces: Iterable[Piece]) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, Text):
            yield piece.text
        elif isinstance(piece, Code):
            yield _code(piece)
        else:
            for branch in piece.branches:
                yield _code(branch.tag)
                yield from _written(branch.body)
            yield _code(piece.end)


def _code(code: Code) -> str:
    return code.opening + "".join(token.text for token in code.tokens) + code.closing


# ------------------------------------------------------------------------------------------------------------ trimming


def strip(pieces: list[Piece]) -> list[Piece]:
    """Pieces without white space at the two ends, also inside blocks that stand there."""
    return _strip_end(_strip_start(pieces))


def _strip_start(pieces: list[Piece]) -> list[Piece]:
    while pieces and isinstance(pieces[0], Text):
        pieces[0].text = pieces[0].text.lstrip()
        if pieces[0].text:
            return pieces
        pieces = pieces[1:]
    if pieces and isinstance(pieces[0], Code) and not pieces[0].is_output:
        return [pieces[0], *_strip_start(pieces[1:])]
    if pieces and isinstance(pieces[0], Block) and pieces[0].keyword == "if":
        for branch in pieces[0].branches:
            branch.body = _strip_start(branch.body)
        if all(_says_nothing(branch.body) for branch in pieces[0].branches):
            return [pieces[0], *_strip_start(pieces[1:])]
    return pieces


def _strip_end(pieces: list[Piece]) -> list[Piece]:
    while pieces and isinstance(pieces[-1], Text):
        pieces[-1].text = pieces[-1].text.rstrip()
        if pieces[-1].text:
            return pieces
        pieces = pieces[:-1]
    if pieces and isinstance(pieces[-1], Block) and pieces[-1].keyword == "if":
        for branch in pieces[-1].branches:
            branch.body = _strip_end(branch.body)
    return pieces


def _says_nothing(pieces: Iterable[Piece]) -> bool:
    return all(isinstance(piece, Code) and not piece.is_output for piece in pieces)


def is_empty(pieces: Iterable[Piece]) -> bool:
    """Whether nothing but white space is written, whatever the example holds."""
    return all(
        not piece.text.strip()
        if isinstance(piece, Text)
        else all(is_empty(branch.body) for branch in piece.branches)
        if isinstance(piece, Block)
        else not piece.is_output
        for piece in pieces
    )
