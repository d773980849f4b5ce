"""Wordings that repeat another for the same tasks: exactly, up to white space and case, or nearly."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise

from phraseproof.core import Instruction
from phraseproof.instructions.fingerprint import fingerprint
from phraseproof.instructions.problems import Problem, problem_of

NEAR = 0.8
"""The Jaccard overlap of neighbouring word pairs from which two wordings are near-duplicates."""
MAX_COMPARED = 2_000
"""The maximum number of wordings for the same tasks to compare pairwise; above it, only exact duplicates are found."""
_WORD = re.compile(r"\w+")


def repeated_wordings(instructions: Sequence[Instruction]) -> Iterator[Problem]:
    groups: dict[tuple[str, ...], list[Instruction]] = defaultdict(list)
    for wording in instructions:
        groups[wording.serves].append(wording)
    for members in groups.values():
        firsts: dict[str, Instruction] = {}
        for wording in members:
            first = firsts.setdefault(fingerprint(_in_full(wording)), wording)
            if first is wording:
                continue
            if _laid_out(first) == _laid_out(wording):
                yield problem_of("error", "duplicate", wording, f"the same wording as {first.id!r}")
            else:
                message = f"it differs from {first.id!r} only in white space or letter case"
                yield problem_of("warning", "duplicate", wording, message)
        yield from _nearly_alike(list(firsts.values()))


def _said(wording: Instruction) -> Iterable[str]:
    """What the instruction itself says, without the system prompt before it."""
    parts = (wording.ask, wording.layout) if not wording.ask_last else (wording.layout, wording.ask)
    return (part for part in (*parts, wording.template, wording.continuation, wording.answer) if part is not None)


def _in_full(wording: Instruction) -> str:
    """All that can be in a prompt or answer, as one text."""
    around = (wording.system, wording.target_delimiter, wording.fewshot_delimiter)
    return "\0".join((*(part or "" for part in around), *_said(wording)))


def _laid_out(wording: Instruction) -> tuple[str | bool | None, ...]:
    between = wording.separator if wording.layout is not None else None
    parts = (wording.ask, wording.layout, wording.template, wording.answer, wording.target_delimiter)
    return (wording.system, *parts, wording.continuation, wording.fewshot_delimiter, wording.ask_last, between)


def _nearly_alike(members: Sequence[Instruction]) -> Iterator[Problem]:
    if len(members) > MAX_COMPARED:
        return
    pairs_of = [(_word_pairs(" ".join(_said(each))), _word_pairs(each.system or "")) for each in members]
    for (first, (left, system)), (second, (right, other)) in combinations(zip(members, pairs_of, strict=True), 2):
        # Apart from each other, because a long system prompt before all wordings would make any two of them near.
        if _is_near(left, right) and _is_near(system, other):
            yield problem_of("warning", "near-duplicate", second, f"nearly the same wording as {first.id!r}")


def _is_near(left: set[tuple[str, str]], right: set[tuple[str, str]]) -> bool:
    smaller, larger = sorted((len(left), len(right)))
    # The Jaccard overlap is at most smaller / larger, so most pairs need no comparison.
    if smaller < NEAR * larger:
        return False
    common = len(left & right)
    return common > 0 and common >= NEAR * (smaller + larger - common)


def _word_pairs(text: str) -> set[tuple[str, str]]:
    return set(pairwise(["", *_WORD.findall(text.casefold()), ""]))
