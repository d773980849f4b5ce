"""A training whose wordings agree more and more on answers that get worse: cross-entropy rises while KL falls."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from phraseproof.training.log import LogRow

WINDOW = 50
"""Without held-out pairs, the losses of this number of steps are averaged: losses of single steps vary."""

_LEAST_RISE = 0.01
_LEAST_RELATIVE_RISE = 0.05
_IN_A_ROW = 2


class _Point(NamedTuple):
    step: int
    ce: float
    kl: float


class DriftWatch:
    """Reads a training's log, line by line, and says once when cross-entropy rose while KL fell.

    It rose when two evaluations in a row are higher than the lowest before by 5% and 0.01 nats, with a lower KL.

    Args:
        lambda_: the weight of the KL term; `None` if the method's loss has none.
        earlier: lines of a resumed training; what they showed was said before.
    """

    def __init__(self, lambda_: float | None, earlier: Iterable[LogRow] = ()) -> None:
        self._lambda = lambda_
        self._points: list[_Point] = []
        self._training: list[_Point] = []
        self._holds_out = False
        self._is_said = False
        for row in earlier:
            self.read(row)

    @property
    def is_drifting(self) -> bool:
        """Whether cross-entropy on held-out pairs rose while KL fell, in these lines or earlier ones."""
        return self._is_said and self._holds_out

    def read(self, row: LogRow) -> str | None:
        """Read one more line. Returns the warning when it is due, and `None` otherwise."""
        if not self._add(row) or self._is_said or len(self._points) <= _IN_A_ROW:
            return None
        lowest = min(self._points[:-_IN_A_ROW], key=lambda point: point.ce)
        bound = max(lowest.ce + _LEAST_RISE, lowest.ce * (1 + _LEAST_RELATIVE_RISE))
        if any(point.ce <= bound or point.kl >= lowest.kl for point in self._points[-_IN_A_ROW:]):
            return None
        self._is_said = True
        return self._warning(lowest, self._points[-1])

    def _add(self, row: LogRow) -> bool:
        """Whether the line completes an evaluation, or a window of training steps where there are none."""
        held_out = row.get("held_out")
        # An evaluation on validation files alone has no cross-entropy of held-out pairs.
        if held_out is not None and "ce" in held_out:
            self._holds_out = True
            point = _point(row["step"], held_out.get("ce"), held_out.get("kl"))
            self._points += [] if point is None else [point]
            return point is not None
        point = _point(row["step"], row.get("ce"), row.get("kl"))
        if self._holds_out or point is None:
            return False
        self._training.append(point)
        if len(self._training) < WINDOW:
            return False
        ce, kl = (fmean(values) for values in zip(*((each.ce, each.kl) for each in self._training), strict=True))
        self._points.append(_Point(row["step"], ce, kl))
        self._training.clear()
        return True

    def _warning(self, lowest: _Point, last: _Point) -> str:
        where = "held-out pairs" if self._holds_out else "training pairs"
        advice = ["a lower --learning-rate", f"fewer steps (--max-steps {max(1, lowest.step)})"]
        if self._holds_out:
            advice += ["--early-stopping-patience 3", "--guard"]
        if self._lambda is not None:
            advice.insert(0, f"a lower --lambda than {self._lambda:g}")
        return (
            f"after {last.step} steps the cross-entropy on {where} has risen from {lowest.ce:.3g} (step {lowest.step}) "
            f"to {last.ce:.3g} nats while KL fell from {lowest.kl:.3g} to {last.kl:.3g}: the wordings agree more, on "
            f"answers that get worse. Try {', '.join(advice[:-1])} or {advice[-1]} in another --out"
        )


def _point(step: int, ce: float | None, kl: float | None) -> _Point | None:
    return None if ce is None or kl is None else _Point(step, ce, kl)
