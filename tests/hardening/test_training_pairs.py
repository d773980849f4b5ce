"""Pairs of wordings with different forms of answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.errors import UsageError
from phraseproof.hardening.search_plan import MeasuredSet
from phraseproof.hardening.training_pairs import make_pairs
from support.harden_data import make_task, make_wordings


def _set(letters: int, texts: int, delimiters: int = 0) -> MeasuredSet:
    made = make_wordings(letters + texts + delimiters)
    wordings = [
        replace(item, answer="{{ letter }}") if place < letters
        else replace(item, target_delimiter="\n") if place >= letters + texts
        else item
        for place, item in enumerate(made)
    ]  # fmt: skip
    return MeasuredSet("training", (make_task(),), {"parity": wordings}, None, 0)


def test_every_answer_form_has_its_best_wording_as_reference() -> None:
    of = _set(letters=2, texts=3, delimiters=1)
    scores = {("parity", f"mine/w{n}"): score for n, score in enumerate((0.1, 0.4, 0.2, 0.9, 0.3, 1.0))}
    found = make_pairs(of, scores, limit=None, seed=0)
    assert found.references == {"parity": ("mine/w3", "mine/w1")}
    assert found.unpaired == ("mine/w5",)
    assert len(found.pairs) == 2 * 12
    assert {pair.target for pair in found.pairs} == {"A", "B", "yes", "no"}
    assert {len(pair.paraphrases) for pair in found.pairs} == {1, 2}
    assert len(make_pairs(of, scores, limit=5, seed=0).pairs) == 5


def test_wordings_that_cannot_be_paired_are_refused() -> None:
    of = _set(letters=1, texts=1)
    with pytest.raises(UsageError, match="no two training wordings of task 'parity' can be paired"):
        make_pairs(of, {("parity", f"mine/w{n}"): 0.0 for n in range(2)}, limit=None, seed=0)
