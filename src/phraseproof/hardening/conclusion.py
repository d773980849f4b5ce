"""What a search shows, in one sentence."""

from __future__ import annotations

from phraseproof.analysis.reductions.gains import Gain
from phraseproof.analysis.reductions.ways import AS_IT_IS, CALIBRATED
from phraseproof.hardening.judged_runs import JudgedRuns


def conclude(test: JudgedRuns, name: str) -> str:
    """Recommend training, what costs no training, or nothing.

    Training is recommended where the method that was chosen on validation is shown to be better than the model as it
    is and than the calibrated model, on examples and wordings that nothing saw. Both intervals must be above 0, so
    each may have 95%.

    Args:
        test: the reported set.
        name: the trained model that was chosen before the set was looked at.
    """
    way, base, calibrated = test.way(name), test.way(AS_IT_IS), test.way(CALIBRATED)
    over_calibrated = test.gain_over_calibrated(name)
    if way.gain_elsewhere.low > 0 and over_calibrated.low > 0:
        return (
            f"Train with {name}: from {100 * base.accuracy:.1f} to {100 * way.accuracy:.1f}% with wordings and "
            f"examples that nothing saw, {_signed(way.gain_elsewhere)}, and {_signed(over_calibrated)} over "
            f"calibrating{_better(test, name)}."
        )
    gained = f"{name} gains {_signed(over_calibrated)} over the calibrated model"
    if calibrated.gain_elsewhere.low > 0:
        return (
            f"Nothing is shown to be better than calibrating, which gains {_signed(calibrated.gain_elsewhere)} over "
            f"the model as it is: {gained}{_better(test, name)}."
        )
    if way.gain_elsewhere.low > 0:
        return (
            f"{name} is shown to be better than the model as it is, {_signed(way.gain_elsewhere)}; nothing is shown to "
            f"be better than calibrating: {gained}{_better(test, name)}."
        )
    return (
        "Nothing is shown to be better than calibrating, nor calibrating to be better than the model as it is: "
        f"{gained}, and calibrating {_signed(calibrated.gain_elsewhere)} over the model as it is{_better(test, name)}."
    )


def _better(test: JudgedRuns, name: str) -> str:
    """What is recommended without training, where it scores more than the trained model."""
    if test.free.way is None or test.free.way == CALIBRATED:
        return ""
    free, trained = test.way(test.free.way), test.way(name)
    if free.accuracy <= trained.accuracy:
        return ""
    calls = "1 call" if free.calls == 1 else f"{free.calls} calls"
    return f". Without training, “{test.free.way}” gets {100 * free.accuracy:.1f}% with {calls} per answer"


def _signed(gain: Gain) -> str:
    return f"{100 * gain.estimate:+.1f} points ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
