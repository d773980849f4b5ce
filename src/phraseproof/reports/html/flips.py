"""Examples that flip: right under one wording, wrong under another, the same question both times.

Under a metric whose values are not 0 and 1, these are the examples whose scores differ most.
Free texts are in `texts.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from phraseproof.reports.html.chosen_examples import num_wordings, rows_of_examples

if TYPE_CHECKING:
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run

PER_TASK = 2
IN_ALL = 12

_CHOOSE = """
    WITH examples AS (
        SELECT task, example_id, avg(score) AS mean_score,
            CASE WHEN ? THEN abs(avg(score) - 0.5) ELSE min(score) - max(score) END AS distance
        FROM outcomes WHERE num_fewshot = ? AND NOT list_contains(?::VARCHAR[], "group") AND len(options) > 0
        GROUP BY task, example_id HAVING min(score) < max(score)
    ),
    ranked AS (
        SELECT *, count(*) OVER (PARTITION BY task) AS flips,
            row_number() OVER (PARTITION BY task ORDER BY distance, example_id) AS place
        FROM examples
    )
    SELECT * FROM ranked WHERE place <= ? ORDER BY place, flips DESC, task LIMIT ?
"""
_COLUMNS = 'instruction, "group", score, options, option_logprobs, predicted, target, text, prompt'


class WordingAnswer(NamedTuple):
    """What the model did with the example under one wording.

    Attributes:
        options, probabilities: what was scored, and each option's share of the options' probability; no probabilities
            where the answer was read from a text.
        predicted: index into `options`; `None` for an unread answer.
        text: what was written, where the answer was read from it.
        prompt: the full prompt, where the run logged samples.
    """

    instruction: str
    group: str
    score: float
    options: tuple[str, ...]
    probabilities: tuple[float, ...]
    predicted: int | None
    text: str | None
    prompt: str | None


class Flip(NamedTuple):
    """One example under two wordings: the surest of the best answers and the surest of the worst ones.

    Attributes:
        mean_score: over wordings: under accuracy the share of wordings under which it is answered right.
        target: index of the right option in `right.options`.
    """

    task: str
    example_id: str
    num_wordings: int
    mean_score: float
    target: int | None
    right: WordingAnswer
    wrong: WordingAnswer


def find_flips(
    run: Run,
    num_fewshot: int,
    metric: Metric,
    *,
    controls: Collection[str] = (),
    per_task: int = PER_TASK,
    in_all: int = IN_ALL,
) -> list[Flip]:
    """The examples that wordings disagree on most, a few of each task; tasks with the most such examples first.

    Only cells with stored examples take part; a run of imported accuracies has none.

    Args:
        metric: what scores are in.
        controls: groups of wordings that ought to be answered wrong; a flip between them and others says nothing.
    """
    if not run.cells:
        return []
    chosen = run.query_rows(_CHOOSE, [metric.is_binary, num_fewshot, list(controls), per_task, in_all])
    found = rows_of_examples(run, chosen, _COLUMNS, num_fewshot, controls)
    return [_flip(row, rows, metric) for row, rows in found]


def _flip(chosen: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], metric: Metric) -> Flip:
    benefits = [metric.benefit(row["score"]) for row in rows]
    right, wrong = (
        max((row for row, benefit in zip(rows, benefits, strict=True) if benefit == end), key=_sureness)
        for end in (max(benefits), min(benefits))
    )
    return Flip(
        task=chosen["task"],
        example_id=chosen["example_id"],
        num_wordings=num_wordings(row for row in rows if row["options"]),
        mean_score=chosen["mean_score"],
        target=right["target"],
        right=_answer(right),
        wrong=_answer(wrong),
    )


def _answer(row: Mapping[str, Any]) -> WordingAnswer:
    return WordingAnswer(
        instruction=row["instruction"],
        group=row["group"],
        score=row["score"],
        options=tuple(row["options"] or ()),
        probabilities=shares(row["option_logprobs"] or ()),
        predicted=row["predicted"],
        text=row["text"],
        prompt=row["prompt"],
    )


def _sureness(row: Mapping[str, Any]) -> float:
    found = shares(row["option_logprobs"] or ())
    predicted: int | None = row["predicted"]
    return found[predicted] if predicted is not None and predicted < len(found) else 0.0


def shares(logprobs: Sequence[float]) -> tuple[float, ...]:
    """Each option's probability among the options: a softmax, safe from overflow."""
    import math

    if not logprobs:
        return ()
    top = max(logprobs)
    if top == -math.inf:
        return tuple(1 / len(logprobs) for _ in logprobs)
    weights = [math.exp(value - top) for value in logprobs]
    return tuple(weight / sum(weights) for weight in weights)
