"""What is recommended in each situation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from phraseproof.analysis.reductions.judging import JudgedTask, judge
from phraseproof.analysis.reductions.recommendation import recommend
from phraseproof.analysis.reductions.ways import Access
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
    targets = random.integers(0, 3, size=100)
    same = np.eye(3)[targets] * 3 + random.normal(size=(100, 3))
    # All wordings give the same values: whatever is chosen or combined answers as each of them does.
    found = recommend(judge(option_values(np.repeat(same[None], 10, axis=0), targets), access=Access.TEXT))
    assert found.way is None
    assert found.sentence.startswith("Do nothing: no way is shown to gain accuracy.")


def test_a_way_that_only_reduces_the_spread_says_so() -> None:
    judged = task(skill=1.0, prior=1.0)
    # A way whose gain is not shown: its interval reaches below 0, by less than is tolerated.
    base = judged.ways[0]
    steady = replace(base, way=judged.ways[3].way, spread=base.spread / 4, calls=12)
    steady = replace(steady, gain=base.gain._replace(estimate=0.001, low=-0.01, high=0.012))
    found = recommend(replace(judged, ways=(base, steady)))
    assert found.way == "majority of all"
    assert f"reduces the spread from {100 * base.spread:.1f} to {25 * base.spread:.1f} points" in found.sentence
