"""Counts, lengths and likenesses of collections, worked out by hand."""

from __future__ import annotations

import pytest

from phraseproof.core import Instruction, Kind, Relation
from phraseproof.errors import UsageError
from phraseproof.instructions.collections import Collection, load_collection
from phraseproof.instructions.statistics import describe


def wording(name: str, ask: str, *serves: str, relation: Relation | None = None) -> Instruction:
    return Instruction(name, "c", ask=ask, layout="{{ question }}", serves=serves, relation=relation)


ONE = Collection(
    "one",
    (
        wording("a", "pick the best one", "multiple_choice", "mmlu"),
        wording("b", "pick the best option {{ choices }}", "multiple_choice"),
        wording("c", "sort", "mmlu"),
        wording("d", "what is it"),
    ),
)
TWO = Collection("two", (wording("e", "pick the best one", "binary"), wording("f", "is it so", "binary")))


def test_one_collection_by_hand() -> None:
    (found,) = describe([ONE]).collections
    assert (found.wordings, found.any_task) == (4, 1)
    assert found.by_kind[Kind.MULTIPLE_CHOICE] == 2
    assert sum(found.by_kind.values()) == 2
    assert found.by_task == {"mmlu": 2}
    assert found.length.mean == pytest.approx((4 + 4 + 1 + 3) / 4)
    assert found.length.std == pytest.approx(2**0.5)
    assert (found.length.least, found.length.greatest) == (1, 4)
    assert found.vocabulary == 9  # pick the best one option sort what is it
    # a and b share two of three pairs of words each; the other five pairs of wordings share none.
    assert found.rouge2 == pytest.approx((2 / 3) / 6)


def test_between_collections_by_hand() -> None:
    found = describe([ONE, TWO])
    (between,) = found.between
    # a-e 1, b-e 2/3, d-f "is it" once in two and two pairs: 1/2.
    assert between.rouge2 == pytest.approx((1 + 2 / 3 + 1 / 2) / 8)
    assert between.nearest == pytest.approx((1 + 2 / 3 + 0 + 1 / 2) / 4)
    assert [each.name for each in found.collections] == ["one", "two"]


def test_near_duplicates_are_for_the_same_task_and_not_opposites() -> None:
    assert describe([ONE, TWO]).near_duplicates == ()  # a and e serve different kinds
    again = Collection("again", (wording("a", "Pick the best one!", "mmlu"),))
    (pair,) = describe([ONE, again]).near_duplicates
    assert (pair.first, pair.second, pair.rouge2) == ("c/a", "c/a", 1.0)
    low = describe([ONE], near_duplicate=0.5).near_duplicates
    assert [pair.rouge2 for pair in low] == [pytest.approx(2 / 3)]
    negated = Collection("not", (wording("n", "pick the best one", "mmlu", relation=Relation.NEGATED),))
    assert describe([ONE, negated]).near_duplicates == ()


def test_a_single_wording_has_no_spread() -> None:
    (found,) = describe([Collection("c", (wording("a", "sort"),))]).collections
    assert (found.length.std, found.rouge2) == (None, None)


def test_what_cannot_be_described() -> None:
    with pytest.raises(UsageError, match="two collections are called 'one'"):
        describe([ONE, ONE])
    with pytest.raises(UsageError, match="threshold is out of range"):
        describe([ONE], near_duplicate=80)


def test_the_shipped_ones_count_as_promised() -> None:
    composed, closest = describe([load_collection(name) for name in ("composed", "closer-look-closest")]).collections
    assert composed.by_kind[Kind.MULTIPLE_CHOICE] == 20
    assert (composed.by_kind[Kind.SUMMARIZATION], composed.by_kind[Kind.TRANSLATION]) == (20, 10)
    assert len(composed.by_task) == 19
    assert set(composed.by_task.values()) == {10}
    assert (len(closest.by_task), set(closest.by_task.values())) == (7, {5})
