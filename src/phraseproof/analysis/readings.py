"""How surely a run's answers were read: unread answers, choices that are open, and the probability of all options.

Also whether several runs were read and scored in one way, so that their numbers compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.grids import metric_of
from phraseproof.errors import UsageError
from phraseproof.scoring.generate import Generate
from phraseproof.scoring.imported import IMPORTED, ImportedScore
from phraseproof.scoring.registry import scorer
from phraseproof.scoring.scorer import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run


_BY_ANOTHER_PROGRAM = (
    "Scores of another program compare with those of --scoring generate. They compare with log-likelihoods where the "
    "import holds the log-probabilities of the options (docs/importing.md)"
)

_AS_ACCURACY = (
    "A score of another program is accuracy where the import holds the chosen and the right option: the columns choice "
    "and gold of a table"
)


class Readings(NamedTuple):
    """Counts over all stored outcomes of a run.

    Attributes:
        reading: what answers were read from.
        outcomes: their number.
        unread: outcomes in which no option was found. They count as wrong.
        open: outcomes with a choice that could be another one within the bounds of the options' probabilities.
        free_texts: outcomes without options, whose texts the metric compares with references.
        empty, cut: free texts without a word, and those that ended at the maximum number of tokens.
        mass: the mean of the summed probability of all options; `None` where options have no probabilities.
        low_mass: outcomes whose options have less than half of the probability together.
    """

    reading: Reading
    outcomes: int
    unread: int
    open: int
    free_texts: int
    empty: int
    cut: int
    mass: float | None
    low_mass: int


def reading_of(run: Run) -> Reading | None:
    """What a run's answers were read from; `None` where that is not known."""
    if run.accuracies:
        return None
    try:
        return scorer(run.scoring).reading
    except UsageError:  # of a package that is not installed here
        return None


def readings(run: Run) -> Readings | None:
    """Count how answers were read; `None` where options were scored themselves, so that every answer is read exactly.

    Raises:
        RunError: no cell is done, or a cell is damaged.
    """
    reading = reading_of(run)
    if reading in (None, Reading.OPTIONS):
        return None
    (row,) = run.query_rows(
        """
        WITH answers AS (
            SELECT len(options) > 0 AS has_options, predicted IS NULL AND has_options AS is_unread,
                   NOT has_options AND text IS NOT NULL AND trim(text) = '' AS is_empty,
                   NOT has_options AND coalesce(is_cut, false) AS is_cut,
                   coalesce(is_open, false) AS is_open,
                   CASE WHEN len(option_logprobs) > 0
                        THEN list_sum(list_transform(option_logprobs, lambda value : exp(value))) END AS mass
            FROM outcomes
        )
        SELECT count(*) AS outcomes,
               count(*) FILTER (WHERE is_unread) AS unread,
               count(*) FILTER (WHERE is_open AND NOT is_unread) AS open,
               count(*) FILTER (WHERE NOT has_options) AS free_texts,
               count(*) FILTER (WHERE is_empty) AS empty,
               count(*) FILTER (WHERE is_cut) AS cut,
               avg(mass) AS mass,
               count(*) FILTER (WHERE mass < 0.5) AS low_mass
        FROM answers
        """
    )
    return Readings(reading, **row)


class UnreadTexts(NamedTuple):
    """What a model wrote where no option was found.

    Attributes:
        beginnings: the most frequent beginnings, each with its number; of last lines where those are read.
        of_last_lines: whether they are beginnings of last lines.
        cut: unread texts that ended at the maximum number of tokens.
    """

    beginnings: tuple[tuple[str, int], ...]
    of_last_lines: bool
    cut: int


def unread_texts(run: Run, most: int = 3) -> UnreadTexts:
    """The most frequent beginnings of a run's unread texts, of at most five words and 50 characters.

    Args:
        run: a run whose answers were read from generated texts.
        most: the number of beginnings.

    Raises:
        RunError: no cell is done, or a cell is damaged.
    """
    how = scorer(run.scoring)
    reads_end = isinstance(how, Generate) and how.how.reads_end
    read = "regexp_extract(trim(text, e' \\t\\r\\n'), '[^\\n]*$')" if reads_end else "text"
    rows = run.query_rows(
        f"""
        WITH unread AS (
            SELECT trim(regexp_replace({read}, '\\s+', ' ', 'g')) AS text, coalesce(is_cut, false) AS is_cut
            FROM outcomes WHERE len(options) > 0 AND predicted IS NULL AND text IS NOT NULL
        )
        SELECT left(regexp_extract(text, '^(\\S+ ?){{0,5}}'), 50) AS beginning, count(*) AS number,
               count(*) FILTER (WHERE is_cut) AS cut
        FROM unread GROUP BY beginning ORDER BY number DESC, beginning
        """  # noqa: S608 - one of the two texts above
    )
    beginnings = tuple((row["beginning"].rstrip(), row["number"]) for row in rows[:most])
    return UnreadTexts(beginnings, reads_end, sum(row["cut"] for row in rows))


def require_one_reading(runs: Sequence[Run]) -> None:
    """Refuse runs whose answers were read from different things: their scores differ for that reason alone.

    Raises:
        UsageError: names two of them.
    """
    known = [(run, reading) for run in runs if (reading := reading_of(run)) is not None]
    for run, reading in known[1:]:
        if reading is not known[0][1]:
            raise UsageError(
                "the runs' answers were read in different ways, so their scores do not compare",
                got=f"{known[0][1]} ({known[0][0].name}, scoring {known[0][0].scoring}) and {reading} ({run.name}, "
                f"scoring {run.scoring})",
                hint=_BY_ANOTHER_PROGRAM
                if IMPORTED in {known[0][0].scoring, run.scoring}
                else "Evaluate both with the same --scoring",
            )


def shared_metric(runs: Sequence[Run], where: str | None = None) -> Metric:
    """The metric of all runs.

    Args:
        runs: at least one.
        where: the option that compares them, for the error.

    Raises:
        UsageError: the runs are in different metrics; names two of them.
    """
    metrics = [metric_of(run) for run in runs]
    for run, metric in zip(runs, metrics, strict=True):
        if metric.name != metrics[0].name:
            is_imported = any(isinstance(each, ImportedScore) for each in (metric, metrics[0]))
            raise UsageError(
                "the runs are in different metrics",
                got=f"{metrics[0].name!r} ({runs[0].name}) and {metric.name!r} ({run.name})",
                where=where,
                hint=_AS_ACCURACY if is_imported else "Compare runs of one metric",
            )
    return metrics[0]
