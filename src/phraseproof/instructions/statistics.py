"""Statistics of collections: counts as in the paper's Table 2, length, vocabulary and similarity."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from phraseproof.core import Instruction, Kind, Relation
from phraseproof.errors import UsageError
from phraseproof.instructions.collections import Collection
from phraseproof.instructions.similarity import Likeness, similar_pairs, words
from phraseproof.instructions.template_segments import own_words_of

NEAR_DUPLICATE = 0.8
"""The ROUGE-2 from which two wordings for the same task count as near-duplicates."""

_KINDS = frozenset(kind.value for kind in Kind)


class Spread(NamedTuple):
    """Mean, sample standard deviation (None for a single value), minimum and maximum."""

    mean: float
    std: float | None
    least: int
    greatest: int

    @classmethod
    def of(cls, values: Sequence[int]) -> Spread:
        """The spread of at least one value."""
        std = statistics.stdev(values) if len(values) > 1 else None
        return cls(statistics.fmean(values), std, min(values), max(values))


@dataclass(frozen=True, slots=True)
class CollectionStatistics:
    """The statistics of one collection.

    Attributes:
        name: the name of the collection.
        wordings: the number of wordings.
        by_kind: the number of wordings that serve every task of a kind.
        by_task: the number of wordings that serve one task or category, by its name.
        any_task: the number of wordings that serve any task.
        length: the number of words per wording. Placeholders do not count; layouts count if there is no other text.
        vocabulary: the number of different words in all wordings.
        rouge2: the mean over all pairs of its wordings, from 0 to 1; None for a single wording.
    """

    name: str
    wordings: int
    by_kind: Mapping[Kind, int]
    by_task: Mapping[str, int]
    any_task: int
    length: Spread
    vocabulary: int
    rouge2: float | None


class Between(NamedTuple):
    """The similarity of two collections: `rouge2` is the mean over all pairs of a wording of each.

    Attributes:
        nearest: the mean over wordings of the first of the highest ROUGE-2 with any wording of the second.
    """

    first: str
    second: str
    rouge2: float
    nearest: float


class NearDuplicate(NamedTuple):
    """Two wordings for the same task whose texts are equal or almost equal."""

    first: str
    second: str
    rouge2: float


class Statistics(NamedTuple):
    """The result of `instructions stats`."""

    collections: tuple[CollectionStatistics, ...]
    between: tuple[Between, ...]
    near_duplicates: tuple[NearDuplicate, ...]


def describe(collections: Sequence[Collection], *, near_duplicate: float = NEAR_DUPLICATE) -> Statistics:
    """Compute the statistics of collections and compare them.

    Args:
        collections: one or more, none named twice.
        near_duplicate: the ROUGE-2 from which two wordings for the same task are near-duplicates.

    Raises:
        UsageError: two collections of one name, or a threshold outside 0 to 1.
    """
    if not 0 < near_duplicate <= 1:
        raise UsageError("the threshold is out of range", expected="above 0, at most 1", got=str(near_duplicate))
    names = [collection.name for collection in collections]
    for name, count in Counter(names).items():
        if count > 1:
            raise UsageError(f"two collections are called {name!r}", hint="Name each collection once")
    wordings = [wording for collection in collections for wording in collection.instructions]
    owners = [index for index, collection in enumerate(collections) for _ in collection.instructions]
    likenesses = list(similar_pairs([own_words_of(wording) for wording in wordings]))
    totals = _totals(likenesses, owners)
    return Statistics(
        tuple(_describe(collection, totals[index, index]) for index, collection in enumerate(collections)),
        tuple(
            Between(
                collections[one].name,
                collections[other].name,
                totals[one, other] / (len(collections[one].instructions) * len(collections[other].instructions)),
                _nearest(likenesses, owners, one, other) / len(collections[one].instructions),
            )
            for one, other in combinations(range(len(collections)), 2)
        ),
        tuple(
            NearDuplicate(wordings[pair.first].name, wordings[pair.second].name, pair.rouge2)
            for pair in sorted(likenesses, key=lambda pair: -pair.rouge2)
            if pair.rouge2 >= near_duplicate and _are_comparable(wordings[pair.first], wordings[pair.second])
        ),
    )


def _are_comparable(wording: Instruction, other: Instruction) -> bool:
    """Whether two similar wordings can serve one task, and neither is the negation of the other."""
    meet = not wording.serves or not other.serves or not set(wording.serves).isdisjoint(other.serves)
    return meet and (wording.relation is Relation.NEGATED) == (other.relation is Relation.NEGATED)


def _totals(likenesses: Sequence[Likeness], owners: Sequence[int]) -> Mapping[tuple[int, int], float]:
    totals: defaultdict[tuple[int, int], float] = defaultdict(float)
    for pair in likenesses:  # owners rise with the index, so a key's first is never above its second
        totals[owners[pair.first], owners[pair.second]] += pair.rouge2
    return totals


def _nearest(likenesses: Sequence[Likeness], owners: Sequence[int], one: int, other: int) -> float:
    best: dict[int, float] = {}
    for pair in likenesses:
        if (owners[pair.first], owners[pair.second]) == (one, other):
            best[pair.first] = max(best.get(pair.first, 0.0), pair.rouge2)
    return sum(best.values())


def _describe(collection: Collection, total_rouge2: float) -> CollectionStatistics:
    wordings = collection.instructions
    own_words = [words(own_words_of(wording)) for wording in wordings]
    served = Counter(name for wording in wordings for name in wording.serves)
    # `similar_pairs` leaves out pairs with a ROUGE-2 of 0, so the mean divides by the number of all pairs.
    pairs = len(wordings) * (len(wordings) - 1) // 2
    return CollectionStatistics(
        name=collection.name,
        wordings=len(wordings),
        by_kind={kind: served[kind.value] for kind in Kind},
        by_task={name: count for name, count in sorted(served.items()) if name not in _KINDS},
        any_task=sum(not wording.serves for wording in wordings),
        length=Spread.of([len(each) for each in own_words]),
        vocabulary=len({word for each in own_words for word in each}),
        rouge2=total_rouge2 / pairs if pairs else None,
    )
