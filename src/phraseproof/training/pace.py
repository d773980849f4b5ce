"""How long a training still takes, from the steps and evaluations that it has done."""

from __future__ import annotations

import collections
from statistics import fmean

_STEPS = 50
"""The mean of this number of steps: batches differ in length, and the machine's other work comes and goes."""


def evaluations_between(done: int, total: int, every: int) -> int:
    """The number of evaluations after steps `done + 1` to `total`: every `every` steps, and after the last."""
    if done >= total:
        return 0
    return total // every - done // every + (total % every > 0)


class Pace:
    """The time of steps and of evaluations on held-out pairs, which take as long as many steps.

    Args:
        total: the number of steps of the training.
        eval_every: the number of steps between two evaluations.
    """

    def __init__(self, total: int, eval_every: int) -> None:
        self._total = total
        self._eval_every = eval_every
        self._steps: collections.deque[float] = collections.deque(maxlen=_STEPS)
        self._evaluation = 0.0
        self._is_first = True

    def stepped(self, seconds: float) -> None:
        """A step took this long, without its evaluation."""
        # The first step also tries how the network can be run, so it counts only until there is a second one.
        if self._is_first and self._steps:
            self._steps.clear()
            self._is_first = False
        self._steps.append(seconds)

    def evaluated(self, seconds: float) -> None:
        """An evaluation took this long; each takes about the same."""
        self._evaluation = seconds

    def seconds_left(self, done: int) -> float | None:
        """The seconds from after step `done` and its evaluation to the end; `None` before the first step."""
        if not self._steps:
            return None
        evaluations = evaluations_between(done, self._total, self._eval_every)
        return fmean(self._steps) * (self._total - done) + self._evaluation * evaluations
