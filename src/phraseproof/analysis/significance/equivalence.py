"""Whether two values differ by less than a margin. A difference that is not significant does not show this."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from phraseproof.analysis.distributions import t_quantile, t_sf
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError

LEVEL = 0.05


class Answer(StrEnum):
    """The result of a test of equivalence."""

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    UNCLEAR = "unclear"


class Equivalence(NamedTuple):
    """A difference compared with a margin.

    Attributes:
        finding: the difference.
        margin: the largest difference that does not matter, in the same unit.
        p_value: of the null that the difference is at least the margin.
        word: `equivalent` if p is below 0.05; else `different` if the 90% interval of the difference is outside the
            margin; else `unclear`.
    """

    finding: Finding
    margin: float
    p_value: float
    word: Answer


def equivalence(finding: Finding, margin: float) -> Equivalence:
    """Two one-sided tests (Schuirmann 1987): is the difference between -margin and +margin?

    Args:
        finding: a difference with a standard error, as of `paired_t_test`, `compare_runs` or a row's differences.
        margin: above 0, in the finding's unit.

    Raises:
        NotEnoughDataError: the finding has no standard error.
        UsageError: the margin is not above 0.
    """
    return _held_against(finding, margin, above=True)


def not_worse(finding: Finding, margin: float) -> Equivalence:
    """One-sided (non-inferiority): is the difference above -margin? The word `equivalent` then means not worse.

    Args, raises: as `equivalence`.
    """
    return _held_against(finding, margin, above=False)


def _held_against(finding: Finding, margin: float, *, above: bool) -> Equivalence:
    if not margin > 0:
        raise UsageError("a margin must be above 0", got=str(margin), where="margin")
    error, freedom = finding.standard_error, finding.degrees_of_freedom
    if error is None or freedom is None:
        if finding.p_value is not None and finding.low is not None and finding.low == finding.high:
            return _without_chance(finding, margin, above=above)
        raise NotEnoughDataError("a test of equivalence needs a difference with a standard error", got=finding.method)

    too_low = t_sf((finding.estimate + margin) / error, freedom)
    too_high = t_sf((margin - finding.estimate) / error, freedom) if above else 0.0
    p_value = max(too_low, too_high)
    reach = t_quantile(1 - LEVEL, freedom) * error
    if p_value < LEVEL:
        word = Answer.EQUIVALENT
    elif finding.estimate + reach < -margin or (above and finding.estimate - reach > margin):
        word = Answer.DIFFERENT
    else:
        word = Answer.UNCLEAR
    return Equivalence(finding, margin, p_value, word)


def _without_chance(finding: Finding, margin: float, *, above: bool) -> Equivalence:
    """Where nothing varies, the difference is what it is."""
    inside = finding.estimate > -margin and not (above and finding.estimate >= margin)
    return Equivalence(finding, margin, 0.0 if inside else 1.0, Answer.EQUIVALENT if inside else Answer.DIFFERENT)
