from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.analysis.option_values import load_option_values, scores
from phraseproof.errors import NotEnoughDataError
from phraseproof.hardening.judged_runs import judge_runs
from phraseproof.reduction.reduce import reduce
from phraseproof.store.queries import load_run
from support.method_searches import LABEL, judged
from support.option_grids import simulated, store_values


def test_what_costs_no_training_has_the_numbers_of_reduce(tmp_path: Path) -> None:
    found = judged(tmp_path, skill=1.0)
    same = reduce(found.base)
    assert same.overall is not None
    for ours, theirs in zip(found.summary.ways, same.overall.ways, strict=False):
        assert ours.way is theirs.way
        assert ours.accuracy == theirs.accuracy
        assert ours.gain_elsewhere.estimate == pytest.approx(theirs.gain_elsewhere.estimate)
        # One interval at a time is narrower than all at once.
        assert ours.gain_elsewhere.low >= theirs.gain_elsewhere.low


def test_trained_models_are_compared_with_both(tmp_path: Path) -> None:
    found = judged(tmp_path, skill=1.0, seeds=3)
    means = [
        sum(float(scores(of.values, of).mean()) for of in load_option_values(run)) / 2 for run in found.trained[LABEL]
    ]
    assert found.way(LABEL).accuracy == pytest.approx(sum(means) / 3)
    over = found.gain_over_calibrated(LABEL)
    assert over.estimate == pytest.approx(found.way(LABEL).accuracy - found.way("calibrated").accuracy)
    assert len(over.of_seeds) == 3
    assert [way.way.name for way in found.summary.ways][-2:] == [LABEL, f"{LABEL}, calibrated"]


def test_a_task_without_options_is_refused(tmp_path: Path) -> None:
    import numpy as np

    of = simulated(np.random.default_rng(1), wordings=8, examples=80, options=3, skill=1.0, prior=1.0)
    run = load_run(store_values(tmp_path, of, scoring="generate"))
    with pytest.raises(NotEnoughDataError, match="stores no log-probabilities of options"):
        judge_runs("test", run, {}, calibration="batch", seed=0)
