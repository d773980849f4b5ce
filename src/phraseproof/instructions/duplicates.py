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
            first = firsts.setdefault(fingerprint("\0".join(_said(wording))), wording)
            if first is wording:
                continue
            if _laid_out(first) == _laid_out(wording):
                yield problem_of("error", "duplicate", wording, f"the same wording as {first.id!r}")
            else:
                message = f"it differs from {first.id!r} only in white space or letter case"
                yield problem_of("warning", "duplicate", wording, message)
        yield from _nearly_alike(list(firsts.values()))


def _said(wording: Instruction) -> Iterable[str]:
    parts = (wording.ask, wording.layout) if not wording.ask_last else (wording.layout, wording.ask)
    return (part for part in (*parts, wording.template, wording.answer) if part is not None)


def _laid_out(wording: Instruction) -> tuple[str | bool | None, ...]:
    between = wording.separator if wording.layout is not None else None
    return (wording.system, wording.ask, wording.layout, wording.template, wording.answer, wording.ask_last, between)


def _nearly_alike(members: Sequence[Instruction]) -> Iterator[Problem]:
    if len(members) > MAX_COMPARED:
        return
    pairs_of = [_word_pairs(each) for each in members]
    for (first, left), (second, right) in combinations(zip(members, pairs_of, strict=True), 2):
        smaller, larger = sorted((len(left), len(right)))
        # The Jaccard overlap is at most smaller / larger, so most pairs need no comparison.
        if smaller < NEAR * larger:
            continue
        common = len(left & right)
        if common and common >= NEAR * (smaller + larger - common):
            yield problem_of("warning", "near-duplicate", second, f"nearly the same wording as {first.id!r}")


def _word_pairs(wording: Instruction) -> set[tuple[str, str]]:
    words = ["", *_WORD.findall(" ".join(_said(wording)).casefold()), ""]
    return set(pairwise(words))
