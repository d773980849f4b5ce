"""Split promptsource's templates at `|||`, the end of the prompt, also inside blocks."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

from phraseproof.instructions.importers.parsing.jinja_segments import (
    BlockSegment,
    Branch,
    CodeSegment,
    JinjaSegment,
    TextSegment,
    plain,
)
from phraseproof.instructions.importers.parsing.jinja_trimming import is_empty
from phraseproof.instructions.importers.parsing.parse_result import unreadable

SEPARATOR = "|||"
_SOME_EXAMPLES = "it leaves some examples out"
_IS_KNOWN = (["!=", "-", "1"], [">", "-", "1"], [">=", "0"], ["!=", '""'], ["!=", "''"])


class PromptAndAnswer(NamedTuple):
    """A template's prompt and its answer."""

    prompt: list[JinjaSegment]
    answer: list[JinjaSegment]


def split_at_separator(segments: Sequence[JinjaSegment]) -> PromptAndAnswer:
    """Split a template at its `|||`.

    Raises:
        UnrepresentableError: no `|||` or several; or a prompt for some examples only.
    """
    number = _count(segments)
    if number == 0:
        unreadable("it has no |||, so it gives no answer")
    for index, segment in enumerate(segments):
        before, after = list(segments[:index]), list(segments[index + 1 :])
        if isinstance(segment, TextSegment) and SEPARATOR in segment.text:
            if number > 1:
                unreadable("it has more than one |||")
            left, right = segment.text.split(SEPARATOR)
            return PromptAndAnswer([*before, TextSegment(left)], [*_settings(before), TextSegment(right), *after])
        if isinstance(segment, BlockSegment) and _count([segment]):
            # In an `if`, every branch has its own prompt and answer; in a loop, the number of prompts would vary.
            if segment.keyword != "if":
                unreadable("its ||| is in a loop")
            prompt, answer = _cut_block(segment)
            return PromptAndAnswer([*before, *prompt], [*_settings(before), *answer, *after])
    raise AssertionError("a ||| was counted")


def without_guards(segments: Sequence[JinjaSegment]) -> list[JinjaSegment]:
    """Remove conditions such as `{% if label != -1 %}`, which test only whether an example has an answer."""
    free: list[JinjaSegment] = []
    for segment in segments:
        if isinstance(segment, BlockSegment) and len(segment.branches) == 1 and is_guard(segment.branches[0].tag):
            free += without_guards(segment.branches[0].body)
        else:
            free.append(segment)
    return free


def is_guard(tag: CodeSegment) -> bool:
    """Whether a condition tests only whether the label is known."""
    words = [token.text for token in plain(tag.tokens)]
    return words[:1] == ["if"] and len(words) >= 4 and words[2:] in _IS_KNOWN


def _cut_block(block: BlockSegment) -> tuple[list[JinjaSegment], list[JinjaSegment]]:
    if len(block.branches) == 1 and is_guard(block.branches[0].tag):
        return split_at_separator(block.branches[0].body)
    has_else = block.branches[-1].tag.tokens and plain(block.branches[-1].tag.tokens)[0].text == "else"
    filled = [branch for branch in block.branches if not is_empty(branch.body)]
    if not has_else or len(filled) < len(block.branches):
        unreadable(_SOME_EXAMPLES, "".join(token.text for token in block.branches[0].tag.tokens))
    if any(_count(branch.body) != 1 for branch in block.branches):
        unreadable("its ||| is in only some branches")
    prompt, answer = (BlockSegment("if", deepcopy(block.end)) for _ in range(2))
    for branch in block.branches:
        halves = split_at_separator(branch.body)
        prompt.branches.append(Branch(deepcopy(branch.tag), halves.prompt))
        answer.branches.append(Branch(deepcopy(branch.tag), halves.answer))
    return [prompt], [answer]


def _settings(segments: Sequence[JinjaSegment]) -> list[JinjaSegment]:
    """Variables set before the `|||` are also known after it."""
    return [deepcopy(segment) for segment in segments if isinstance(segment, CodeSegment) and not segment.is_output]


def _count(segments: Sequence[JinjaSegment]) -> int:
    number = 0
    for segment in segments:
        if isinstance(segment, TextSegment):
            number += segment.text.count(SEPARATOR)
        elif isinstance(segment, BlockSegment):
            number += sum(_count(branch.body) for branch in segment.branches)
    return number
