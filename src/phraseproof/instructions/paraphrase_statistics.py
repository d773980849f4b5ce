"""How long paraphrases are, and how similar to the wordings that they paraphrase (Table 13 of the paper)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from phraseproof.core import Instruction
from phraseproof.errors import UsageError
from phraseproof.instructions.similarity import similar_pairs, words
from phraseproof.instructions.template_segments import own_words_of

_VARIANT = "~"
"""What follows the id of a seed in the ids of its variants, in collections that `paraphrase` and `perturb` make."""


@dataclass(frozen=True, slots=True)
class ParaphraseStatistics:
    """The paraphrases of one source.

    Attributes:
        wordings: the number of paraphrases.
        named: how many of them have the id of a seed in theirs (`SEED~...`). Each of the others is compared with every
            seed that serves a task of its.
        length: the mean number of words per paraphrase. Placeholders do not count.
        length_std: the sample standard deviation over paraphrases; `None` for a single one.
        rouge2: the mean ROUGE-2 over pairs of a paraphrase and a seed of its, from 0 to 1.
        rouge2_std: the sample standard deviation over these pairs; `None` for a single one.
    """

    wordings: int
    named: int
    length: float
    length_std: float | None
    rouge2: float
    rouge2_std: float | None


def describe_paraphrases(paraphrases: Sequence[Instruction], seeds: Sequence[Instruction]) -> ParaphraseStatistics:
    """Compute length and similarity of paraphrases.

    Args:
        paraphrases: those of one source. One that is itself a seed is compared with the other seeds.
        seeds: the wordings that they paraphrase.

    Raises:
        UsageError: no paraphrases, or one that has no seed.
    """
    if not paraphrases:
        raise UsageError("there are no paraphrases to describe")
    texts = [own_words_of(each) for each in (*seeds, *paraphrases)]
    shared = {(pair.first, pair.second): pair.rouge2 for pair in similar_pairs(texts)}
    places = {seed.id: place for place, seed in enumerate(seeds)}
    likenesses: list[float] = []
    named = 0
    for number, paraphrase in enumerate(paraphrases, start=len(seeds)):
        seed, variant, _ = paraphrase.id.partition(_VARIANT)
        if variant and seed in places:
            named += 1
            partners = [places[seed]]
        else:
            partners = [place for place, each in enumerate(seeds) if _may_be_of(paraphrase, each)]
        if not partners:
            raise UsageError(
                f"no wording is known that {paraphrase.name!r} paraphrases",
                expected="a seed whose id its own begins with, or one for the same task or category",
                where=paraphrase.origin,
            )
        likenesses += [shared.get((place, number), 0.0) for place in partners]
    lengths = [len(words(text)) for text in texts[len(seeds) :]]
    return ParaphraseStatistics(
        wordings=len(paraphrases),
        named=named,
        length=fmean(lengths),
        length_std=_std(lengths),
        rouge2=fmean(likenesses),
        rouge2_std=_std(likenesses),
    )


def _may_be_of(paraphrase: Instruction, seed: Instruction) -> bool:
    if paraphrase.name == seed.name:
        return False
    return not paraphrase.serves or not seed.serves or not set(paraphrase.serves).isdisjoint(seed.serves)


def _std(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None
