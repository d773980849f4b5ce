"""ChoiceAgreement of two scorers' choices, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from phraseproof.analysis.causes.choices import UNREAD, Choices, choice_agreement
from phraseproof.analysis.grids import Ints

IDS = tuple(f"e{place}" for place in range(60))


def choices(*cells: tuple[str, tuple[int, int], tuple[str, ...], Ints]) -> Choices:
    found = Choices()
    for cell in cells:
        found.add(*cell)
    return found


def test_kappa_is_that_of_scikit_learn_and_unread_answers_are_left_out() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.integers(0, 3, 60), rng.integers(0, 3, 60)
    two[:30] = one[:30]
    two[50:] = UNREAD
    found = choice_agreement(choices(("w", (0, 0), IDS, one)), choices(("w", (0, 0), IDS, two)), ["w"], IDS)
    assert found.kappa == pytest.approx(cohen_kappa_score(one[:50], two[:50]))
    assert (found.prompts.tolist(), found.read.tolist()) == ([60], [50])
    assert found.same.tolist() == [int((one[:50] == two[:50]).sum())]
    assert found.share == pytest.approx(np.mean(one[:50] == two[:50]))
    assert found.unread.tolist() == pytest.approx([0, 10 / 60])


def test_examples_are_matched_by_their_ids_and_draws_by_their_own() -> None:
    one = np.arange(60) % 4
    turned = tuple(reversed(IDS))
    first = choices(("w", (0, 0), IDS, one), ("w", (1, 0), IDS, (one + 1) % 4))
    second = choices(("w", (0, 0), turned, one[::-1]), ("w", (2, 0), IDS, one))
    found = choice_agreement(first, second, ["w"], IDS[:20])
    assert (found.prompts.tolist(), found.same.tolist()) == ([20], [20])


def test_every_repeat_of_a_text_is_compared() -> None:
    one = np.zeros(60, dtype=np.intp)
    first = choices(("w", (0, 0), IDS, one))
    second = choices(("w", (0, 0), IDS, one), ("w", (0, 0), IDS, one + 1))
    found = choice_agreement(first, second, ["w"], IDS)
    assert (found.prompts.tolist(), found.share) == ([120], 0.5)
    assert second.unread(["w"], IDS).sum() == 0
    unread = choices(("w", (0, 0), IDS, one), ("w", (0, 0), IDS, one - 1))
    assert unread.unread(["w", "absent"], IDS).mean(axis=1).tolist() == [0.5, 0.0]


def test_without_a_read_answer_there_is_no_share_and_no_kappa() -> None:
    none = np.full(60, UNREAD, dtype=np.intp)
    found = choice_agreement(choices(("w", (0, 0), IDS, none)), choices(("w", (0, 0), IDS, none)), ["w"], IDS)
    assert np.isnan(found.share)
    assert np.isnan(found.kappa)
    same = choice_agreement(choices(("w", (0, 0), IDS, none + 1)), choices(("w", (0, 0), IDS, none + 1)), ["w"], IDS)
    assert same.share == 1
    assert np.isnan(same.kappa)
