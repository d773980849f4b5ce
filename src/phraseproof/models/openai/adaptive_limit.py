"""How many requests may be in flight: more while that brings more answers a second, half as many when a server is busy.

Additive increase and multiplicative decrease, as TCP controls its traffic (Chiu and Jain, 1989), with a doubling start.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_AT_FIRST = 4
_SLOWER = 2.0
"""A server is saturated if its answers take this multiple of the shortest mean and do not come more often."""

_GAIN = 1.1
"""Slower answers are accepted if their number per second grows by this factor."""

_FORGETTING = 1.005
"""Per round: the best round counts less with time, because a server's speed changes."""


class AdaptiveLimit:
    """The number of requests that may be in flight now.

    Args:
        most: the largest number.
        time_limit_s: when requests are given up; rounds that take half of it on average halve the number.
        clock: the time in seconds.
    """

    def __init__(self, most: int, *, time_limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._time_limit_s = time_limit_s
        self._clock = clock
        self._value = float(min(_AT_FIRST, most))
        self._doubles = True
        self._decreased_s = float("-inf")
        self._least_latency_s = float("inf")
        self._best_rate = 0.0
        self._round_began_s: float | None = None
        self._round_size = self.now
        self._latencies: list[float] = []
        self.last_answer_s = float("-inf")

    @property
    def now(self) -> int:
        """The number, at least one."""
        return max(1, int(self._value))

    def began(self) -> float:
        """Note that a request is sent; returns the time, to be passed to the other methods."""
        now = self._clock()
        if self._round_began_s is None:
            self._round_began_s = now
        return now

    def answered(self, began_s: float) -> None:
        """Note an answer to a request that was sent at `began_s`."""
        self.last_answer_s = now = self._clock()
        self._latencies.append(now - began_s)
        if len(self._latencies) < self._round_size or self._round_began_s is None:
            return
        latency = sum(self._latencies) / len(self._latencies)
        rate = len(self._latencies) / max(now - self._round_began_s, 1e-9)
        self._end_round(now)
        self._least_latency_s = min(self._least_latency_s * _FORGETTING, latency)
        is_slower, had_best = latency > _SLOWER * self._least_latency_s, self._best_rate / _FORGETTING
        self._best_rate = max(had_best, rate)
        if latency > self._time_limit_s / 2:
            self._decrease(0.5, now)
        elif is_slower and rate < 0.9 * had_best:
            self._decrease(0.75, now)
        elif not is_slower or rate > _GAIN * had_best:
            self._value = min(self._most, 2 * self._value if self._doubles else self._value + 1)
        self._round_size = self.now

    def refused(self, began_s: float) -> None:
        """Note that the server was too busy for a request, or did not answer it in time.

        Requests that were sent before the last decrease say nothing about the number that holds since.
        """
        if began_s >= self._decreased_s:
            now = self._clock()
            self._decrease(0.5, now)
            self._end_round(now)
            self._round_size = self.now

    def _decrease(self, factor: float, now: float) -> None:
        self._value = max(1.0, factor * self._value)
        self._doubles = False
        self._decreased_s = now

    def _end_round(self, now: float) -> None:
        self._latencies.clear()
        self._round_began_s = now
