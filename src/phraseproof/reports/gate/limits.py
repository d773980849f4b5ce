"""The limits of a gate, and what a check of one of them found."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from phraseproof.analysis.result_rows import Place
from phraseproof.core import Finding

# Percentages come from sums of fractions: 70.0 may be stored as 69.99999999999999, and is then not below 70.
ROUNDING = 1e-9


class On(StrEnum):
    """What is compared with a limit: the estimate, or the end of its 95% interval that is worse for the run."""

    ESTIMATE = "estimate"
    BOUND = "bound"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a run; one that is `None` is not checked.

    Attributes:
        max_spread: Std over wordings at most. All limits are in percent or points, or in the metric's unit.
        min_worst: the worst wording's score at least.
        min_mean: the mean over wordings at least.
        max_gap: how much worse a group may do than the first group.
        margin: how much worse than the other run a run may do; `None` without another run.
    """

    max_spread: float | None = None
    min_worst: float | None = None
    min_mean: float | None = None
    max_gap: float | None = None
    margin: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no limit is given."""
        return all(getattr(self, item.name) is None for item in fields(self))


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """One limit at one place.

    Attributes:
        option: the option as given, `--min-worst 70`.
        place: the task, category or everything, and the group.
        value: what was compared with the limit, in percent or points; `None` where there is not enough data for it.
        over: by how much the limit is missed; 0 or below if it is kept. What cannot be shown is not kept.
        line: the whole as a sentence.
        measured: what was measured, where there is enough data, as scores are stored.
        of: the task, category or everything, and the group, as rows of a `ResultTable` name them.
        num_fewshot: demonstrations per prompt.
    """

    option: str
    place: str
    value: float | None
    over: float
    line: str
    measured: Finding | None = None
    of: Place | None = None
    num_fewshot: int = 0

    @property
    def is_kept(self) -> bool:
        """Whether the limit is kept."""
        return self.over <= ROUNDING
