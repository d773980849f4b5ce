"""What computing outcomes cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """The cost of some outcomes.

    Attributes:
        scoring_cpu_s, wall_s: process CPU seconds and elapsed seconds spent in the model.
        tokens_asked: what one forward pass per option would have read.
        tokens_computed: what was run through the model.
    """

    scoring_cpu_s: float = 0.0
    wall_s: float = 0.0
    tokens_asked: int = 0
    tokens_computed: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.scoring_cpu_s + other.scoring_cpu_s,
            self.wall_s + other.wall_s,
            self.tokens_asked + other.tokens_asked,
            self.tokens_computed + other.tokens_computed,
        )

    def part(self, share: float) -> Usage:
        """A share of it."""
        return Usage(
            self.scoring_cpu_s * share,
            self.wall_s * share,
            round(self.tokens_asked * share),
            round(self.tokens_computed * share),
        )


def total(usages: Iterable[Usage]) -> Usage:
    """The sum of several."""
    found = Usage()
    for usage in usages:
        found += usage
    return found
