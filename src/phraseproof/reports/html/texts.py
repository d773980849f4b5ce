"""The generated texts on which wordings disagree most, side by side with the reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from phraseproof.reports.build.text import printable_lines
from phraseproof.reports.html.chosen_examples import num_wordings, rows_of_examples

if TYPE_CHECKING:
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run

PER_TASK = 3
IN_ALL = 12
SHOWN = 400
"""Characters of a text that are shown at once; the rest is folded."""

_CHOOSE = """
    WITH examples AS (
        SELECT task, example_id, max(score) - min(score) AS spread, avg(score) AS mean_score
        FROM outcomes
        WHERE num_fewshot = ? AND NOT list_contains(?::VARCHAR[], "group") AND text IS NOT NULL AND len(options) = 0
        GROUP BY task, example_id HAVING max(score) > min(score)
    ),
    ranked AS (
        SELECT *, row_number() OVER (PARTITION BY task ORDER BY spread DESC, example_id) AS place FROM examples
    )
    SELECT * FROM ranked WHERE place <= ? ORDER BY place, spread DESC, task LIMIT ?
"""
_COLUMNS = 'instruction, "group", score, text, is_cut, reference, other_references, prompt'


class FoldedText(NamedTuple):
    """A text, and its beginning where it is too long to be shown at once."""

    whole: str
    beginning: str | None

    @classmethod
    def of(cls, text: str) -> FoldedText:
        """The text with control characters as escapes."""
        shown = printable_lines(text)
        return cls(shown, None if len(shown) <= SHOWN else f"{shown[:SHOWN].rstrip()}…")


class WrittenText(NamedTuple):
    """What a model wrote under one wording.

    Attributes:
        role: `best`, `median` or `worst` by the score.
        prompt: the full prompt, where the run logged samples.
    """

    role: str
    instruction: str
    group: str
    score: float
    text: FoldedText
    is_empty: bool
    is_cut: bool
    prompt: str | None


class TextSpread(NamedTuple):
    """One example under the best, the median and the worst wording.

    Attributes:
        spread: the largest minus the smallest score over wordings; mean_score: over all of them.
        references: the expected texts.
    """

    task: str
    example_id: str
    num_wordings: int
    spread: float
    mean_score: float
    references: tuple[FoldedText, ...]
    texts: tuple[WrittenText, ...]


def text_spreads(
    run: Run,
    num_fewshot: int,
    metric: Metric,
    *,
    controls: Collection[str] = (),
    per_task: int = PER_TASK,
    in_all: int = IN_ALL,
) -> list[TextSpread]:
    """The examples of free-text tasks whose scores differ most between wordings, a few of each task.

    Args:
        metric: what scores are in; of a corpus metric, that of a single text.
        controls: groups of wordings that ought to be answered wrong.
    """
    if not run.cells:
        return []
    chosen = run.query_rows(_CHOOSE, [num_fewshot, list(controls), per_task, in_all])
    found = rows_of_examples(run, chosen, _COLUMNS, num_fewshot, controls)
    return [_spread(row, rows, metric) for row, rows in found]


def _spread(chosen: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], metric: Metric) -> TextSpread:
    ranked = sorted(rows, key=lambda row: -metric.benefit(row["score"]))
    places = {"best": 0, "median": len(ranked) // 2, "worst": len(ranked) - 1}
    if len(ranked) < 3:
        del places["median"]
    references = (rows[0]["reference"], *(rows[0]["other_references"] or ()))
    return TextSpread(
        chosen["task"],
        chosen["example_id"],
        num_wordings(row for row in rows if row["text"] is not None),
        chosen["spread"],
        chosen["mean_score"],
        tuple(FoldedText.of(text) for text in references if text is not None),
        tuple(_written(role, ranked[place]) for role, place in places.items()),
    )


def _written(role: str, row: Mapping[str, Any]) -> WrittenText:
    text: str = row["text"] or ""
    return WrittenText(
        role,
        row["instruction"],
        row["group"],
        row["score"],
        FoldedText.of(text),
        not text.strip(),
        bool(row["is_cut"]),
        row["prompt"],
    )
