"""Length and similarity of paraphrases, worked out by hand."""

from __future__ import annotations

import pytest

from phraseproof.core import Instruction
from phraseproof.errors import UsageError
from phraseproof.instructions.paraphrase_statistics import describe_paraphrases


def wording(name: str, ask: str, *serves: str) -> Instruction:
    return Instruction(name, "c", ask=ask, layout="{{ question }}", serves=serves)


SEEDS = (
    wording("a", "pick the best one", "mmlu"),
    wording("b", "say which is best", "mmlu"),
    wording("c", "is it so", "binary"),
)


def test_a_paraphrase_that_names_its_seed_is_compared_with_it_alone() -> None:
    made = (
        wording("a~alpaca-1", "pick the best option {{ choices }}", "mmlu"),
        wording("b~alpaca-1", "say which one you think is best", "mmlu"),
    )
    found = describe_paraphrases(made, SEEDS)
    assert (found.wordings, found.named) == (2, 2)
    # Words: 4 (the placeholder does not count) and 7, so the Std is 3 / sqrt(2).
    assert (found.length, found.length_std) == (5.5, pytest.approx(3 / 2**0.5))
    # Pairs of words: with a 2 shared of 3 and 3; with b "say which" and "is best" of 6 and 3.
    one, other = 2 / 3, 2 * 2 / 9
    assert found.rouge2 == pytest.approx((one + other) / 2)
    assert found.rouge2_std == pytest.approx(abs(one - other) / 2**0.5)


def test_one_without_a_seed_is_compared_with_all_seeds_for_its_tasks() -> None:
    found = describe_paraphrases([wording("new", "pick the best option", "mmlu")], SEEDS)
    assert (found.named, found.length, found.length_std) == (0, 4, None)
    assert found.rouge2 == pytest.approx((2 / 3 + 0) / 2)
    assert found.rouge2_std == pytest.approx((2 / 3) / 2**0.5)


def test_a_seed_is_not_compared_with_itself() -> None:
    found = describe_paraphrases(SEEDS[:2], SEEDS)
    assert found.rouge2 == 0


def test_what_paraphrases_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no wording is known that 'c/odd' paraphrases"):
        describe_paraphrases([wording("odd", "translate", "translation")], SEEDS)
    with pytest.raises(UsageError, match="no paraphrases"):
        describe_paraphrases([], SEEDS)
