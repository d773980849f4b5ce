"""What a reader must know of a judge that compared pairs of texts, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phraseproof.reports.build.numbers import share_in_percent

if TYPE_CHECKING:
    from phraseproof.analysis.position_bias import PositionBias
    from phraseproof.core import Finding


def pair_lines(found: PositionBias) -> list[str]:
    """How many pairs the values are of, and how far the judge prefers a place."""
    lines: list[str] = []
    if found.lacking:
        lines.append(
            f"{_part(found.lacking, found.texts)} texts are compared with nothing, because the other run lacks their "
            "examples, and are in no mean"
        )
    lines.append(f"{_part(found.unreadable, found.texts)} pairs have an unreadable answer, and are in no mean")
    if found.equal:
        lines.append(
            f"{_part(found.equal, found.texts)} pairs are equal texts, a tie about which the judge is not asked"
        )
    return lines + position_lines(found)


def position_lines(found: PositionBias) -> list[str]:
    """How often the two orders disagree, and how often the first place wins."""
    if found.disagreement is None:
        return []
    line = f"the two orders have different results in {_interval(found.disagreement)} of {found.asked:,} pairs"
    if found.first_place is None:
        return [f"{line}; all answers are ties"]
    place = {None: "", 1: ": the judge prefers the first place", 2: ": the judge prefers the second place"}
    wins = f"the text shown first wins {_interval(found.first_place)} of {found.first_place.n:,} choices"
    return [f"{line}; {wins}, where 50% is no preference for a place{place[found.preferred_place]}"]


def _interval(found: Finding) -> str:
    share = f"{share_in_percent(found.estimate)}%"
    if found.low is None or found.high is None:
        return share
    return f"{share} [{share_in_percent(found.low)}, {share_in_percent(found.high)}]"


def _part(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f}%)"
