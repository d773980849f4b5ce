"""Gains of ways on grids with known causes: what they are, and how often their intervals hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.ensembles import combine
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.analysis.reductions.judging import (
    JudgedTask,
    JudgedWay,
    Judgement,
    TrainedAnswers,
    judge,
    overall,
)
from phraseproof.analysis.reductions.ways import FEW, WAYS, Access
from phraseproof.calibration.bias import batch_bias, without_bias
from phraseproof.errors import NotEnoughDataError
from support.option_grids import option_values, simulated


def named(task: JudgedTask) -> dict[str, JudgedWay]:
    return {way.way.name: way for way in task.ways}


def test_calibration_and_ensembles_bring_out_skill_that_priors_hide() -> None:
    of = simulated(np.random.default_rng(1), wordings=12, examples=300, options=4, skill=2.0, prior=1.5)
    ways = named(judge(of))
    assert ways["calibrated"].gain.low > 0
    assert ways["calibrated ensemble of all"].gain.low > ways["calibrated"].gain.low
    assert ways["calibrated ensemble of all"].gain_elsewhere.low > 0
    assert ways["calibrated"].spread < ways["as it is"].spread
    assert ways["calibrated ensemble of all"].calls == 12
    assert ways["as it is"].accuracy == pytest.approx(scores(of.values, of).mean())
    assert ways["as it is"].spread == pytest.approx(scores(of.values, of).mean(axis=1).std(ddof=1))
    assert ways["as it is"].worst == pytest.approx(scores(of.values, of).mean(axis=1).min())


def test_the_best_constant_answer_is_looked_for_among_letters_and_texts() -> None:
    values = np.zeros((4, 20, 2))
    targets = np.zeros(20, dtype=int)
    of = option_values(values, targets)
    classes = of.classes.copy()
    classes[0, ::2] = [1, 0]  # one wording scores texts, whose place alternates
    texts = ("yes", "no")
    mixed = replace(of, classes=classes, class_names=(texts, *of.class_names[1:]))
    found = judge(mixed)
    assert (found.majority, found.majority_class) == (1.0, "A")
    assert judge(replace(mixed, class_names=(texts,) * 4, classes=np.repeat(classes[:1], 4, axis=0))).majority == 0.5


def test_without_logprobs_only_ways_of_texts_are_judged() -> None:
    of = simulated(np.random.default_rng(1), wordings=6, examples=40, options=3, skill=1.0, prior=1.0)
    found = judge(of, access=Access.TEXT)
    assert [way.way.name for way in found.ways] == [way.name for way in WAYS if way.access is Access.TEXT]


@pytest.mark.parametrize(("wordings", "examples"), [(3, 100), (10, 19)])
def test_too_little_data_is_refused(wordings: int, examples: int) -> None:
    of = simulated(np.random.default_rng(1), wordings=wordings, examples=examples, options=3, skill=1.0, prior=1.0)
    with pytest.raises(NotEnoughDataError, match="at least 4 wordings and 20 examples"):
        judge(of)


def test_the_mean_over_tasks_adds_the_variances_of_their_examples() -> None:
    tasks = [
        judge(simulated(np.random.default_rng(seed), wordings=6, examples=80, options=3, skill=1.0, prior=1.0))
        for seed in (1, 2)
    ]
    found = overall(tasks)
    for place, way in enumerate(found.ways[1:], start=1):
        parts = [task.ways[place] for task in tasks]
        assert way.accuracy == pytest.approx(sum(part.accuracy for part in parts) / 2)
        assert way.gain.estimate == pytest.approx(sum(part.gain.estimate for part in parts) / 2)
        variance = sum(part.gain.over_examples.value for part in parts) / 4
        assert way.gain.over_examples.value == pytest.approx(variance)
        assert way.gain.high - way.gain.low < max(part.gain.high - part.gain.low for part in parts)


def _models(count: int) -> tuple[OptionValues, list[OptionValues]]:
    """A model, and others that were trained: each answers the same cells, and knows more."""
    of = simulated(np.random.default_rng(1), wordings=7, examples=60, options=3, skill=1.0, prior=1.0)
    right = np.eye(3)[of.targets]
    return of, [replace(of, values=of.values + (0.5 + 0.3 * n) * right) for n in range(count)]


def test_a_trained_model_is_judged_on_the_same_cells() -> None:
    of, trained = _models(3)
    judgement = Judgement(of, trained=[TrainedAnswers("lora", tuple(trained))])
    task = judgement.compared(level=0.95)
    ways = named(task)
    assert [way.way.name for way in task.ways][-2:] == ["lora", "lora, calibrated"]
    of_seeds = [scores(each.values, each) for each in trained]
    base = scores(of.values, of)
    assert ways["lora"].accuracy == pytest.approx(np.mean(of_seeds))
    assert ways["lora"].gain_elsewhere.estimate == pytest.approx(np.mean(of_seeds) - base.mean())
    assert ways["lora"].gain_elsewhere.of_seeds == pytest.approx([each.mean() - base.mean() for each in of_seeds])
    assert ways["lora"].spread == pytest.approx(np.mean([each.mean(axis=1).std(ddof=1) for each in of_seeds]))
    assert ways["lora"].worst == pytest.approx(np.mean([each.mean(axis=1).min() for each in of_seeds]))
    # The same model as a single way has the same numbers, calibrated as well.
    alone = named(judge(trained[0]))
    one = named(Judgement(of, trained=[TrainedAnswers("lora", (trained[0],))]).compared())
    assert one["lora, calibrated"].accuracy == alone["calibrated"].accuracy
    # The ways without training are not changed by it.
    assert named(judge(of)) == named(replace(task, ways=Judgement(of).compared(level=judge(of).level).ways))


def test_gains_over_the_calibrated_model_are_differences_to_it() -> None:
    of, trained = _models(2)
    judgement = Judgement(of, trained=[TrainedAnswers("lora", tuple(trained))])
    over_base, over_calibrated = named(judgement.compared()), named(judgement.compared("calibrated"))
    difference = over_base["lora"].accuracy - over_base["calibrated"].accuracy
    assert over_calibrated["lora"].gain.estimate == pytest.approx(difference)
    assert over_calibrated["lora"].gain_elsewhere.estimate == pytest.approx(difference)
    assert over_calibrated["as it is"].gain.estimate == pytest.approx(-over_base["calibrated"].gain.estimate)
    assert over_calibrated["calibrated"].gain[:3] == (0, 0, 0)


def test_other_cells_are_refused() -> None:
    of, (trained,) = _models(1)
    with pytest.raises(ValueError, match="wordings differ"):
        Judgement(of, trained=[TrainedAnswers("lora", (trained.take([1, 0, 2, 3, 4, 5, 6]),))])


def _true_gains(small: OptionValues, large: OptionValues) -> dict[str, float]:
    """What each way, fitted on all of `small`, gains on `large`: by plain means, without folds."""
    count = small.values.shape[2]
    bias = batch_bias(small.logprobs, small.classes[0], count)
    base = scores(large.logprobs, large).mean()
    found: dict[str, float] = {}
    for way in WAYS[1:]:
        fit, new = small.logprobs, large.logprobs
        if "calibrated" in way.name:
            fit, new = (without_bias(each.logprobs, each.classes[0], bias) for each in (small, large))
        order = np.argsort(-scores(fit, small).mean(axis=1), kind="stable")
        if way.name == "calibrated":
            found[way.name] = float(scores(new, large).mean() - base)
            continue
        rows = order[: 1 if "wording" in way.name else FEW] if "best" in way.name else order
        how = "majority" if "majority" in way.name else "mean_probability"
        found[way.name] = float(scores(combine(new[rows], how)[None], large).mean() - base)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "skill", "prior", "shares"),
    [(4, 1.0, 1.0, None), (2, 0.0, 1.0, (0.8, 0.2)), (3, 0.7, 0.0, None)],
    ids=["skill behind priors", "no skill, unbalanced", "nothing to gain"],
)
def test_intervals_hold_for_all_ways_at_once_in_nearly_all_of_100_grids(
    options: int, skill: float, prior: float, shares: tuple[float, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phraseproof.analysis.reductions.judging.SPLITS", 2)
    random = np.random.default_rng(5)
    held = 0
    for _ in range(100):
        both = simulated(
            random, wordings=8, examples=580, options=options, skill=skill, prior=prior, shares=shares,
            skill_varies=0.3,
        )  # fmt: skip
        small, large = both.take_examples(range(80)), both.take_examples(range(80, 580))
        true = _true_gains(small, large)
        ways = named(judge(small, calibration="batch"))
        # The larger sample is finite, too: its own error is a third of the small one's.
        held += all(ways[name].gain.low <= gain <= ways[name].gain.high for name, gain in true.items())
    assert held >= 90, "95 are expected, less two Stds of chance and the larger sample's own error"
