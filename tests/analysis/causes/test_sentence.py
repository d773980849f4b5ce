"""The sentence about the causes, for each kind of result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.analysis.causes.spread import SpreadCauses
from phraseproof.core import Finding


def found(
    shares: Mapping[str, float],
    *,
    skilled: int = 0,
    classes: tuple[str, ...] = ("yes", "no"),
    p_value: float = 0.001,
    std: float = 0.1,
    can_tell: bool = True,
    without: tuple[float, ...] = (0.352, 0.48, 0.4, 0.41),
    error: float = 0.1,
) -> SpreadCauses:
    findings = {name: Finding(name, share, 4, "", share - error, share + error) for name, share in shares.items()}
    return SpreadCauses(
        "t", "C", 0, "loglikelihood", ("a", "b", "c", "d"), ("g",) * 4, 25, classes, std,
        Finding("std_beyond", std, 4, ""), p_value, findings, findings, can_tell, np.zeros(4), np.array(without),
        np.zeros((3, 4)), np.where(np.arange(4) < skilled, 0.01, 0.9), 0.5, 0.6,
    )  # fmt: skip


PRIOR = {"prior": 0.89, "skill": 0.04, "joint": 0.02, "noise": 0.05}


SKILL = "skill: how well the model tells right from wrong options under a wording"
YES = "how often 'yes' is answered, whatever the example"
OPTIONS = "how often each option is chosen, whatever the example"
RANGE = "the wordings range from 35 to 48%"


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (found(PRIOR), f"Nine tenths of the spread is {YES}. Without that prior, no wording is better than chance."),
        (
            found({"prior": 0.68, "skill": 0.21, "joint": 0.0, "noise": 0.11}, classes=("a", "b", "c"), skilled=4),
            (
                f"Seven tenths of the spread is {OPTIONS}, and a fifth is {SKILL}. Without that prior, {RANGE}; all of "
                "them are better than chance."
            ),
        ),
        (
            found({"prior": 0.68, "skill": 0.21, "joint": 0.0, "noise": 0.11}, error=0.3, skilled=4),
            f"Seven tenths of the spread is {YES}. Without that prior, {RANGE}; all of them are better than chance.",
        ),
        (
            found({"prior": 0.0, "skill": 0.95, "joint": 0.0, "noise": 0.05}, skilled=1),
            f"Nearly all of the spread is {SKILL}. Without their priors, {RANGE}; 1 of 4 is better than chance.",
        ),
        (
            found({"prior": 0.2, "skill": 0.1, "joint": 0.6, "noise": 0.1}),
            (
                f"Three fifths of the spread is prior and skill in combination, and a fifth is {YES}. No wording is "
                "better than chance without its prior."
            ),
        ),
        (
            found({"prior": 0.4, "skill": 0.3, "joint": 0.2, "noise": 0.1}, skilled=2, without=(0.9, 0.9, 0.9, 0.9)),
            (
                "The spread has no main cause: two fifths is how often 'yes' is answered, three tenths is skill, a "
                "fifth is prior and skill in combination, and a tenth is the draw of examples. Without that prior, the "
                "wordings have 90%; 2 of 4 are better than chance."
            ),
        ),
        (found(PRIOR, p_value=0.2), "The spread is no larger than what 25 examples give by chance."),
        (
            found(PRIOR, can_tell=False),
            "The spread is larger than chance gives, but 25 examples do not show its cause.",
        ),
        (
            found({"prior": 0.2, "skill": 0.1, "joint": 0.0, "noise": 0.7}),
            "Seven tenths of the spread is the draw of 25 examples; the cause of the rest is not clear.",
        ),
        (
            found({"prior": 0.2, "skill": 0.1, "joint": 0.0, "draws": 0.5, "noise": 0.2}),
            "Half of the spread is the draw of demonstrations; the cause of the rest is not clear.",
        ),
        (found(PRIOR, std=0.0), "All wordings have the same accuracy."),
    ],
)
def test_each_result_has_its_sentence(result: SpreadCauses, sentence: str) -> None:
    assert cause_sentence(result) == sentence


@pytest.mark.parametrize(
    ("shots", "has_orders", "what"),
    [
        (1, False, "the draw of demonstrations"),
        (1, True, "the draw of demonstrations and of orders of options"),
        (0, True, "the draw of orders of options"),
    ],
)
def test_draws_are_named_by_what_was_drawn(shots: int, has_orders: bool, what: str) -> None:
    of = replace(found({"prior": 0.1, "skill": 0.1, "joint": 0.0, "draws": 0.7, "noise": 0.1}), num_fewshot=shots)
    assert cause_sentence(replace(of, has_orders=has_orders)) == (
        f"Seven tenths of the spread is {what}; the cause of the rest is not clear."
    )
