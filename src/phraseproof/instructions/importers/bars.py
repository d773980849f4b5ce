"""Promptsource's `|||`: where the prompt ends and the answer begins, also when the two stand in the same block."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

from phraseproof.instructions.importers.found import unreadable
from phraseproof.instructions.importers.jinja_source import Block, Branch, Code, Piece, Text, is_empty, plain

BARS = "|||"
_SOME_EXAMPLES = "it leaves some examples out"
_IS_KNOWN = (["!=", "-", "1"], [">", "-", "1"], [">=", "0"], ["!=", '""'], ["!=", "''"])


class Halves(NamedTuple):
    """A template's prompt and its answer."""

    prompt: list[Piece]
    answer: list[Piece]


def cut(pieces: Sequence[Piece]) -> Halves:
    """Cut a template at its `|||`.

    Raises:
        UnrepresentableError: no `|||` or several; or a prompt for some examples only, which no wording can say.
    """
    number = _count(pieces)
    if number == 0:
        unreadable("it has no |||, so it says no answer")
    for index, piece in enumerate(pieces):
        before, after = list(pieces[:index]), list(pieces[index + 1 :])
        if isinstance(piece, Text) and BARS in piece.text:
            if number > 1:
                unreadable("it has more than one |||")
            left, right = piece.text.split(BARS)
            return Halves([*before, Text(left)], [*_settings(before), Text(right), *after])
        if isinstance(piece, Block) and _count([piece]):
            if piece.keyword != "if":
                unreadable("its ||| stands in a loop")
            prompt, answer = _cut_block(piece)
            return Halves([*before, *prompt], [*_settings(before), *answer, *after])
    raise AssertionError("a ||| was counted")


def without_guards(pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces without `{% if label != -1 %}` and its like: they ask whether an example has an answer at all."""
    free: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Block) and len(piece.branches) == 1 and is_guard(piece.branches[0].tag):
            free += without_guards(piece.branches[0].body)
        else:
            free.append(piece)
    return free


def is_guard(tag: Code) -> bool:
    """Whether a condition asks no more than that a label is known."""
    words = [token.text for token in plain(tag.tokens)]
    return words[:1] == ["if"] and len(words) >= 4 and words[2:] in _IS_KNOWN


def _cut_block(block: Block) -> tuple[list[Piece], list[Piece]]:
    if len(block.branches) == 1 and is_guard(block.branches[0].tag):
        return cut(block.branches[0].body)
    has_else = block.branches[-1].tag.tokens and plain(block.branches[-1].tag.tokens)[0].text == "else"
    filled = [branch for branch in block.branches if not is_empty(branch.body)]
    if not has_else or len(filled) < len(block.branches):
        unreadable(_SOME_EXAMPLES, "".join(token.text for token in block.branches[0].tag.tokens))
    if any(_count(branch.body) != 1 for branch in block.branches):
        unreadable("its ||| stands in some branches only")
    prompt, answer = (Block("if", deepcopy(block.end)) for _ in range(2))
    for branch in block.branches:
        halves = cut(branch.body)
        prompt.branches.append(Branch(deepcopy(branch.tag), halves.prompt))
        answer.branches.append(Branch(deepcopy(branch.tag), halves.answer))
    return [prompt], [answer]


def _settings(pieces: Sequence[Piece]) -> list[Piece]:
    """What is set before the `|||` is known after it, too."""
    return [deepcopy(piece) for piece in pieces if isinstance(piece, Code) and not piece.is_output]


def _count(pieces: Sequence[Piece]) -> int:
    number = 0
    for piece in pieces:
        if isinstance(piece, Text):
            number += piece.text.count(BARS)
        elif isinstance(piece, Block):
            number += sum(_count(branch.body) for branch in piece.branches)
    return number
