"""What a reader must know of how a run's answers were read, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phraseproof.analysis.readings import readings
from phraseproof.scoring.scorer import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phraseproof.store.queries import Run


def reading_lines(run: Run) -> tuple[str, ...]:
    """Unread answers, open choices and the probability of the options, in sentences; none of a run that has neither."""
    found = readings(run)
    if found is None:
        return ()
    lines: list[str] = []
    if found.reading is Reading.FIRST_TOKEN:
        mass = "" if found.mass is None else f"; options have {100 * found.mass:.1f}% of the probability on average"
        low = (
            f", and less than half of it in {_share(found.low_mass, found.outcomes)} answers" if found.low_mass else ""
        )
        lines.append(f"read from the first token{mass}{low}")
        if found.open:
            lines.append(
                f"{_share(found.open, found.outcomes)} choices are open: within the bounds of what the server does not "
                "list, another option could be the most probable one"
            )
    lines.append(_unread(found.unread, found.outcomes))
    return tuple(lines)


def labelled_reading_lines(runs: Sequence[Run]) -> list[str]:
    """The lines of several runs, each with its run's path."""
    return [f"{run.path}: {line}" for run in runs for line in reading_lines(run)]


def _unread(unread: int, outcomes: int) -> str:
    if not unread:
        return f"all {outcomes:,} answers were read"
    return (
        f"{_share(unread, outcomes)} answers are unread: no option was found in them. They are in all means, and count "
        "as wrong"
    )


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f}%)"
