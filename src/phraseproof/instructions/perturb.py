"""Make new wordings by rule, without a model: negated, nonsensical, or in another format.

Formatting variants follow FormatSpread (Sclar et al., 2023, arXiv 2310.11324): the words stay, and the case of labels,
the text between a label and its value, the space between lines and the enumeration of options change.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from phraseproof.core import Instruction, Relation
from phraseproof.errors import UsageError
from phraseproof.instructions.collections import Collection, load_collection
from phraseproof.instructions.layout_formats import variants_of
from phraseproof.instructions.negate import negate

NONSENSICAL = "closer-look-nonsensical"
"""The shipped collection whose asks replace real ones."""


class Unchanged(NamedTuple):
    """A wording (by name) with fewer variants than requested, and the reason."""

    instruction: str
    reason: str


class Perturbed(NamedTuple):
    """The new wordings, and the wordings that could not be perturbed."""

    instructions: tuple[Instruction, ...]
    unchanged: tuple[Unchanged, ...]


_TEMPLATE = "its ask cannot be separated from its example (a template)"


# ------------------------------------------------------------------------------------------------- negated, nonsensical


def negated(collection: Collection) -> Perturbed:
    """Put one negation into every ask for which a rule finds the place (English; see negate.py)."""
    made: list[Instruction] = []
    unchanged: list[Unchanged] = []
    for seed in collection.instructions:
        negation = negate(seed.ask) if seed.ask is not None else None
        if negation is None or negation.source is None:
            unchanged.append(Unchanged(seed.name, _TEMPLATE if negation is None else negation.reason))
            continue
        made.append(_made(replace(seed, ask=negation.source), "negated", Relation.NEGATED, "negated by rule"))
    return Perturbed(tuple(made), tuple(unchanged))


def nonsensical(collection: Collection, *, seed: int = 0, sentences: Sequence[str] | None = None) -> Perturbed:
    """Replace every ask by a sentence that asks nothing, drawn by the seed; layout and answers stay.

    Args:
        collection: the wordings.
        seed: the seed of the draw. No sentence is drawn twice before all others are drawn.
        sentences: the sentences to draw from; by default the asks of the shipped collection `closer-look-nonsensical`.

    Raises:
        UsageError: no sentences.
    """
    if sentences is None:
        found = [each.ask for each in load_collection(NONSENSICAL).instructions if each.ask is not None]
        sentences = list(dict.fromkeys(found))
    if not sentences:
        raise UsageError("no sentences to draw from")
    drawn = _again_and_again(sentences, random.Random(seed))
    made: list[Instruction] = []
    unchanged: list[Unchanged] = []
    for wording in collection.instructions:
        if wording.ask is None:
            unchanged.append(Unchanged(wording.name, _TEMPLATE))
        elif wording.layout is None:
            unchanged.append(Unchanged(wording.name, "its example is part of its ask (no layout)"))
        else:
            note = f"nonsensical, drawn by seed {seed}"
            made.append(_made(replace(wording, ask=next(drawn)), "nonsensical", Relation.NONSENSICAL, note))
    return Perturbed(tuple(made), tuple(unchanged))


def _again_and_again(sentences: Sequence[str], draw: random.Random) -> Iterator[str]:
    while True:
        yield from draw.sample(sentences, len(sentences))


def _made(seed: Instruction, suffix: str, relation: Relation | None, note: str) -> Instruction:
    return replace(seed, id=f"{seed.id}~{suffix}", relation=relation, source=f"{seed.name}, {note}", origin=None)


# ------------------------------------------------------------------------------------------------- reformatted


def formatted(collection: Collection, count: int, *, seed: int = 0) -> Perturbed:
    """Make formatting variants of every wording: other layouts of the same words, with the same meaning.

    All variants of a wording differ. If options get other labels, the scored answers get them too.

    Args:
        collection: the wordings.
        count: the number of variants per wording.
        seed: the seed of the draw among all possible variants.

    Raises:
        UsageError: `count` is below 1.
    """
    if count < 1:
        raise UsageError("at least one variant is needed", got=str(count), where="--format")
    made: list[Instruction] = []
    unchanged: list[Unchanged] = []
    for wording in collection.instructions:
        found = variants_of(wording, count, random.Random(f"{seed}\0{wording.name}"))
        for number, (variant, style) in enumerate(found, start=1):
            note = f"formatted by seed {seed}: {style}"
            changed = replace(
                wording,
                layout=variant.layout,
                template=variant.template,
                separator=variant.separator,
                answer=variant.answer,
            )
            made.append(_made(changed, f"format-{number}", wording.relation, note))
        if len(found) < count:
            unchanged.append(Unchanged(wording.name, f"{len(found)} of {count} formatting variants exist"))
    return Perturbed(tuple(made), tuple(unchanged))
