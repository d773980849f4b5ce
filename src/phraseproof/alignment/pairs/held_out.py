"""The split into training and held-out sets: held-out wordings show whether alignment generalises to new ones."""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet


class Split(NamedTuple):
    """Paraphrase sets to train on, and sets to evaluate on.

    Attributes:
        train, held_out: the two sides; they share no set.
        by: `wording` - no paraphrase of a held-out set is seen in training; `pair` - the examples are new, but some of
            their wordings are trained on; `none` - nothing is held out.
        unused: the number of sets in neither side, because all their wordings were held out.
    """

    train: tuple[ParaphraseSet, ...]
    held_out: tuple[ParaphraseSet, ...]
    by: Literal["wording", "pair", "none"]
    unused: int = 0


def split_pairs(pairs: Sequence[ParaphraseSet], fraction: float, seed: int) -> Split:
    """Hold out a share of the sets, under wordings that training does not see where that is possible.

    If sets share paraphrases, as sets made from one collection do, the same share of the shared paraphrases (at least
    one) is held out too: training sets lose those, and held-out sets keep only those. Paraphrases that occur in one set
    alone are held out with it. If that would leave more than half of either side without a wording, whole sets are held
    out and nothing else.

    Both draws rank by a hash of the seed and the wording: the same on every machine, in whatever order the file is.

    Args:
        pairs: at least one set; with fewer than two, nothing is held out.
        fraction: the share to hold out, from 0 to below 1; above 0, at least one set is held out.
        seed: the seed of both draws.
    """
    if not fraction or len(pairs) < 2:
        return Split(tuple(pairs), (), "none")
    ranked = sorted(range(len(pairs)), key=lambda index: _rank(seed, _key(pairs[index])))
    chosen = set(ranked[: _share(len(pairs), fraction)])
    train = [pair for index, pair in enumerate(pairs) if index not in chosen]
    held_out = [pair for index, pair in enumerate(pairs) if index in chosen]
    # Texts that were rendered from one wording of a collection count as one wording.
    references = {pair.wording_key(pair.instruction) for pair in train}
    owners = collections.Counter(key for pair in pairs for key in {pair.wording_key(text) for text in pair.paraphrases})
    shared = [key for key, count in owners.items() if count > 1 and key not in references]
    shared.sort(key=lambda key: _rank(seed, key))
    hidden = set(shared[: _share(len(shared), fraction)] if shared else [])
    kept = _with_wordings(train, lambda key: key not in hidden)
    evaluated = _with_wordings(held_out, lambda key: (key in hidden or owners[key] == 1) and key not in references)
    # If wordings are few, or most sets have only a few of the shared ones, hiding some would cost most of the data.
    if 2 * len(kept) < len(train) or 2 * len(evaluated) < len(held_out):
        return Split(tuple(train), tuple(held_out), "pair")
    return Split(kept, evaluated, "wording", unused=len(pairs) - len(kept) - len(evaluated))


def _with_wordings(pairs: Sequence[ParaphraseSet], keep: Callable[[str], bool]) -> tuple[ParaphraseSet, ...]:
    """The sets, reduced to the paraphrases whose keys `keep` accepts; a set with none left is dropped."""
    return tuple(kept for pair in pairs if (kept := pair.only_paraphrases(keep)) is not None)


def _share(count: int, fraction: float) -> int:
    """`fraction` of `count`, rounded; at least one, and at least one fewer than `count`."""
    return max(1, min(count - 1, round(count * fraction)))


def _key(pair: ParaphraseSet) -> str:
    return "\0".join((pair.instruction, pair.input, pair.target))


def _rank(seed: int, text: str) -> bytes:
    return hashlib.blake2b(f"{seed}\0{text}".encode(), digest_size=16).digest()
