"""What a search shows, in one sentence."""

from __future__ import annotations

from typing import NamedTuple

from phraseproof.analysis.reductions.gains import CONFIDENCE, Gain, at_level
from phraseproof.analysis.reductions.ways import AS_IT_IS, CALIBRATED, calibrated_name
from phraseproof.hardening.judged_runs import JudgedRuns

LEVEL = 1 - (1 - CONFIDENCE) / 2
"""A trained model is used in two ways, by itself and calibrated, and the better one is named."""


class _Trained(NamedTuple):
    """One way to use the trained model, with gains over the model as it is and over the calibrated one."""

    name: str
    accuracy: float
    gain: Gain
    over_calibrated: Gain

    @property
    def is_shown(self) -> bool:
        return self.gain.low > 0 and self.over_calibrated.low > 0


def conclude(test: JudgedRuns, name: str) -> str:
    """Recommend training, what costs no training, or nothing.

    Training is recommended where the method that was chosen on validation, by itself or calibrated, is shown to be
    better than the model as it is and than the calibrated model, on examples and wordings that nothing saw. Its
    intervals hold for both ways to use it at once.

    Args:
        test: the reported set.
        name: the trained model that was chosen before the set was looked at.
    """
    trained = max(
        (_trained(test, each) for each in (name, calibrated_name(name))),
        key=lambda way: (way.is_shown, way.over_calibrated.low),
    )
    base, calibrated = test.way(AS_IT_IS), test.way(CALIBRATED)
    if trained.is_shown:
        return (
            f"Train with {trained.name}: from {100 * base.accuracy:.1f} to {100 * trained.accuracy:.1f}% with wordings "
            f"and examples that nothing saw, {trained.gain.in_points}, and {trained.over_calibrated.in_points} over "
            f"calibrating without training{_better(test, trained)}."
        )
    if trained.over_calibrated.low > 0:
        return (
            f"{trained.name} is shown to be better than calibrating, {trained.over_calibrated.in_points}, but not than "
            f"the model as it is, {trained.gain.in_points}{_better(test, trained)}."
        )
    gained = f"{trained.name} gains {trained.over_calibrated.in_points} over the calibrated model"
    if calibrated.gain_elsewhere.low > 0:
        return (
            f"Nothing is shown to be better than calibrating, which gains {calibrated.gain_elsewhere.in_points} over "
            f"the model as it is: {gained}{_better(test, trained)}."
        )
    if trained.gain.low > 0:
        return (
            f"{trained.name} is shown to be better than the model as it is, {trained.gain.in_points}; nothing is shown "
            f"to be better than calibrating: {gained}{_better(test, trained)}."
        )
    return (
        "Nothing is shown to be better than calibrating, nor calibrating to be better than the model as it is: "
        f"{gained}, and calibrating {calibrated.gain_elsewhere.in_points} over the model as it is"
        f"{_better(test, trained)}."
    )


def _trained(test: JudgedRuns, name: str) -> _Trained:
    way = test.way(name)
    return _Trained(
        name, way.accuracy, at_level(way.gain_elsewhere, LEVEL), at_level(test.gain_over_calibrated(name), LEVEL)
    )


def _better(test: JudgedRuns, trained: _Trained) -> str:
    """What is recommended without training, where it scores more than the trained model."""
    if test.free.way is None or test.free.way == CALIBRATED:
        return ""
    free = test.way(test.free.way)
    if free.accuracy <= trained.accuracy:
        return ""
    calls = "1 call" if free.calls == 1 else f"{free.calls} calls"
    return f". Without training, “{test.free.way}” gets {100 * free.accuracy:.1f}% with {calls} per answer"
