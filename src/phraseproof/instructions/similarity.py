"""The similarity of wordings: ROUGE-2, computed as the package rouge-score computes it (a test compares the two).

That package drops all non-English letters and compares two texts at a time; here other alphabets count, and hundreds of
wordings are compared at once.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

_WORD = re.compile(r"[^\W_]+")


class Likeness(NamedTuple):
    """Two texts by their indices in a list, `first` before `second`, and their ROUGE-2."""

    first: int
    second: int
    rouge2: float


@lru_cache(maxsize=16384)
def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case: runs of letters and digits. On plain English, rouge-score's own tokens."""
    return tuple(_WORD.findall(text.lower()))


def rouge2(text: str, other: str) -> float:
    """The F1 of pairs of neighbouring words that two texts share, from 0 to 1 (Table 13 of the paper has percent).

    A text of a single word has no pairs; it scores 1 with a text of the same word, else 0. Texts without words score 0.
    """
    return next((pair.rouge2 for pair in similar_pairs([text, other])), 0.0)


def similar_pairs(texts: Sequence[str]) -> Iterator[Likeness]:
    """Every two texts that share a pair of neighbouring words, in order; all others have a ROUGE-2 of 0."""
    return WordPairIndex(texts).similar_pairs()


class WordPairIndex:
    """Texts by their pairs of neighbouring words, so that those that resemble another text are found at once.

    Attributes:
        texts: the texts, in the order of their indices.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self._sizes: list[int] = []
        self._holders: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        for index, text in enumerate(self.texts):
            pairs = _pairs(text)
            self._sizes.append(sum(pairs.values()))
            for pair, count in pairs.items():
                self._holders[pair].append((index, count))

    def similar_to(self, text: str) -> Iterator[tuple[int, float]]:
        """The index and ROUGE-2 of every text that shares a pair of words with `text`; all others have 0."""
        pairs = _pairs(text)
        size = sum(pairs.values())
        shared: Counter[int] = Counter()
        for pair, count in pairs.items():
            for index, its_count in self._holders.get(pair, ()):
                shared[index] += min(count, its_count)
        for index, overlap in shared.items():
            yield index, 2 * overlap / (size + self._sizes[index])

    def similar_pairs(self) -> Iterator[Likeness]:
        """Every two of the texts that share a pair of words, in order; all others have 0."""
        # Most texts share no pair of words, so counting by pair is much faster than comparing every two texts.
        shared: Counter[tuple[int, int]] = Counter()
        for members in self._holders.values():
            for place, (index, count) in enumerate(members):
                for other, its_count in members[place + 1 :]:
                    shared[index, other] += min(count, its_count)
        for (index, other), overlap in sorted(shared.items()):
            yield Likeness(index, other, 2 * overlap / (self._sizes[index] + self._sizes[other]))


def _pairs(text: str) -> Counter[tuple[str, ...]]:
    own = words(text)
    # A text of one word has no pairs; the word itself counts as one, so that equal texts still score 1.
    return Counter([own] if len(own) == 1 else pairwise(own))
