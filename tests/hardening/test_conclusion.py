"""What is recommended in each situation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from phraseproof.analysis.reductions.gains import Gain, Variance
from phraseproof.hardening.conclusion import conclude
from support.method_searches import LABEL, judged

CALIBRATED = f"{LABEL}, calibrated"


def test_a_model_that_is_better_than_calibrating_is_recommended(tmp_path: Path) -> None:
    found = judged(tmp_path, skill=3.0)
    # It needs a calibration as well: one of the two ways to use it is named.
    name = max((LABEL, CALIBRATED), key=lambda name: found.gain_over_calibrated(name).low)
    gain = found.gain_over_calibrated(name)
    assert gain.low > 0
    start, end = 100 * found.way("as it is").accuracy, 100 * found.way(name).accuracy
    sentence = conclude(found, LABEL)
    assert sentence.startswith(f"Train with {name}: from {start:.1f} to {end:.1f}% with wordings and examples")
    assert f"{100 * gain.estimate:+.1f} points" in sentence
    # The interval holds for both ways to use the model, so it is wider than each by itself.
    assert f"({100 * gain.low:+.1f} to" not in sentence


def test_a_model_that_only_does_what_calibrating_does_is_not(tmp_path: Path) -> None:
    found = judged(tmp_path, skill=0.0)
    sentence = conclude(found, LABEL)
    assert sentence.startswith("Nothing is shown to be better than calibrating, which gains +")
    assert f"{CALIBRATED} gains +0.0 points (+0.0 to +0.0) over the calibrated model" in sentence
    # Several calls of the calibrated model are more accurate, which costs no training.
    assert found.free.way is not None
    assert f"Without training, “{found.free.way}” gets" in sentence


def test_where_nothing_helps_nothing_is_claimed(tmp_path: Path) -> None:
    found = judged(tmp_path, skill=0.0, prior=0.0)
    sentence = conclude(found, LABEL)
    assert sentence.startswith("Nothing is shown to be better than calibrating, nor calibrating to be better than")


def test_better_than_calibrating_alone_is_no_recommendation(tmp_path: Path) -> None:
    found = judged(tmp_path, skill=3.0)

    def weaker(gain: Gain) -> Gain:
        return gain._replace(over_wordings=Variance(0.04, 3))

    tasks = tuple(
        replace(task, ways=tuple(replace(way, gain_elsewhere=weaker(way.gain_elsewhere)) for way in task.ways))
        for task in found.tasks
    )
    sentence = conclude(replace(found, tasks=tasks), LABEL)
    assert f"{CALIBRATED} is shown to be better than calibrating, +" in sentence
    assert ", but not than the model as it is, +" in sentence


def test_of_two_ways_to_use_a_model_the_one_that_is_shown_is_recommended(tmp_path: Path) -> None:
    found = judged(tmp_path, skill=3.0)
    first, second = sorted((LABEL, CALIBRATED), key=lambda name: -found.gain_over_calibrated(name).low)
    assert found.gain_over_calibrated(second).low > 0

    def unknown(gain: Gain) -> Gain:
        return gain._replace(over_wordings=Variance(0.04, 3))

    tasks = tuple(
        replace(
            task,
            ways=tuple(
                replace(way, gain_elsewhere=unknown(way.gain_elsewhere)) if way.way.name == first else way
                for way in task.ways
            ),
        )
        for task in found.tasks
    )
    assert conclude(replace(found, tasks=tasks), LABEL).startswith(f"Train with {second}: from ")
