"""What is recommended in each situation."""

from __future__ import annotations

import numpy as np

from phraseproof.analysis.reductions.judging import JudgedTask, judge
from phraseproof.analysis.reductions.recommendation import recommend
from support.option_grids import option_values, simulated


def task(*, skill: float, prior: float, shares: tuple[float, ...] | None = None, seed: int = 1) -> JudgedTask:
    return judge(
        simulated(
            np.random.default_rng(seed), wordings=12, examples=300, options=3, skill=skill, prior=prior, shares=shares
        )
    )


def test_skill_behind_priors_recommends_a_way_with_its_gain_and_a_cheaper_one() -> None:
    found = recommend(task(skill=2.0, prior=1.5))
    assert found.way is not None
    assert "ensemble" in found.way
    assert found.sentence.startswith(found.way.capitalize())
    assert "calls per answer, also with other wordings of the same kind" in found.sentence
    assert found.remarks
    assert found.remarks[0].startswith("With 1 call per answer: ")


def test_a_gain_that_a_constant_answer_explains_is_not_recommended() -> None:
    # Nine in ten are A. The wordings know nothing, and differ in how often they say A: the best always does.
    found = recommend(task(skill=0.0, prior=2.0, shares=(0.9, 0.05, 0.05)))
    assert found.way is None
    assert "Do nothing" in found.sentence
    assert "always answering 'A'" in found.sentence


def test_nothing_is_recommended_where_nothing_is_gained() -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=(10, 100, 3))
    found = recommend(judge(option_values(values, random.integers(0, 3, size=100))))
    assert found.way is None or "a gain of accuracy is not shown" in found.sentence


def test_a_way_that_only_reduces_the_spread_says_so() -> None:
    # Every wording knows nine tenths of the answers, others each: together they do not gain, and do not vary.
    random = np.random.default_rng(4)
    targets = random.integers(0, 3, size=400)
    knows = random.random((12, 400, 1)) < np.linspace(0.93, 0.999, 12)[:, None, None]
    values = np.where(knows, 5 * np.eye(3)[targets], random.normal(size=(12, 400, 3)))
    found = recommend(judge(option_values(values, targets)))
    assert found.way is not None
