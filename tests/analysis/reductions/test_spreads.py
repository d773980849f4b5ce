"""Stds and worst wordings of ways, against the effects of calibrations and plain means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.calibration_effects import effects
from phraseproof.analysis.option_values import scores
from phraseproof.analysis.reductions.judging import Judgement, TrainedAnswers
from phraseproof.analysis.reductions.spreads import way_spreads
from support.option_grids import simulated


def test_a_trained_model_has_the_intervals_that_calibrate_gives_the_same_answers() -> None:
    of = simulated(np.random.default_rng(1), wordings=8, examples=80, options=3, skill=1.0, prior=1.0)
    right = np.eye(3)[of.targets]
    trained = [replace(of, values=of.values + by * right) for by in (0.5, 1.5)]
    task = Judgement(of, trained=[TrainedAnswers("lora", tuple(trained))])
    base, both = way_spreads([task], "as it is"), way_spreads([task], "lora")
    assert base is not None
    assert both is not None
    before, first, second = (effects([each], {"x": [each.logprobs]})[0].before for each in (of, *trained))
    for name in ("std", "worst"):
        found = getattr(base, name)
        assert (found.estimate, found.low, found.high) == (before[name].estimate, before[name].low, before[name].high)
        # Of two seeds, values and ends of intervals are means.
        for value in ("estimate", "low", "high"):
            ends = [getattr(seed[name], value) for seed in (first, second)]
            assert getattr(getattr(both, name), value) == pytest.approx(sum(ends) / 2)


def test_ways_in_which_wordings_answer_together_have_none() -> None:
    of = simulated(np.random.default_rng(1), wordings=6, examples=40, options=3, skill=1.0, prior=1.0)
    task = Judgement(of)
    assert way_spreads([task], "ensemble of all") is None
    assert task.scores("ensemble of all") is None
    found = task.scores("as it is")
    assert found is not None
    assert np.array_equal(found, scores(of.values, of)[None])


def test_several_tasks_have_the_mean_of_their_stds() -> None:
    tasks = [
        Judgement(simulated(np.random.default_rng(n), wordings=6, examples=60, options=3, skill=1.0, prior=1.0))
        for n in (1, 2)
    ]
    alone = [way_spreads([task], "as it is") for task in tasks]
    both = way_spreads(tasks, "as it is")
    assert both is not None
    assert both.std.estimate == pytest.approx(sum(each.std.estimate for each in alone if each) / 2)
