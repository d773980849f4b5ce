"""The examples on which log-likelihoods and generated texts choose different options, where a run has both scorings."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from phraseproof.analysis.causes.artefact import scorer_pair
from phraseproof.errors import RunError
from phraseproof.reports.html.chosen_examples import rows_of_examples
from phraseproof.reports.html.flips import shares
from phraseproof.reports.html.texts import FoldedText
from phraseproof.scoring.registry import scorer

if TYPE_CHECKING:
    from phraseproof.scoring.scorer import Scorer
    from phraseproof.store.queries import Run

PER_TASK = 3
IN_ALL = 12

_SAME_PROMPT = ("task", "example_id", "instruction", "group", "num_fewshot", "fewshot_seed", "option_order")
_CHOOSE = f"""
    WITH answers AS (
        SELECT first.task, first.example_id, second.predicted IS NULL AS is_unread,
            second.predicted <> first.predicted AS is_other,
            CASE WHEN first.predicted = second.predicted THEN 0 ELSE coalesce(
                1 / list_sum([exp(x - first.option_logprobs[first.predicted + 1]) for x in first.option_logprobs]), 0
            ) END AS certainty
        FROM outcomes AS first JOIN others AS second USING ({", ".join(f'"{name}"' for name in _SAME_PROMPT)})
        WHERE num_fewshot = ? AND NOT list_contains(?::VARCHAR[], "group") AND first.predicted IS NOT NULL
    ),
    examples AS (
        SELECT task, example_id, count(*) AS num_answers, count(*) FILTER (is_other) AS num_others,
            count(*) FILTER (is_unread) AS num_unread, avg(certainty) AS certainty
        FROM answers GROUP BY task, example_id HAVING num_others + num_unread > 0
    ),
    ranked AS (
        SELECT *, row_number() OVER (
            PARTITION BY task
            ORDER BY num_others / num_answers DESC, num_unread / num_answers DESC, certainty DESC, example_id
        ) AS place
        FROM examples
    )
    SELECT * FROM ranked WHERE place <= ? ORDER BY place, num_others / num_answers DESC, task LIMIT ?
"""  # noqa: S608 - names of columns
_COLUMNS = (
    'instruction, "group", fewshot_seed, option_order, options, option_logprobs, option_credits, predicted, target, '
    "text, is_cut, prompt"
)


class Disagreement(NamedTuple):
    """One example under one wording: what log-likelihoods choose, and what the model writes.

    Attributes:
        num_answers: the answers to the example that both scorings have: one for each wording, draw and order.
        num_others: how many of the texts name another option than log-likelihoods choose.
        num_unread: how many of the texts name none.
        options, probabilities: what was scored, and each option's share of the options' probability.
        chosen: index of the option that log-likelihoods choose.
        margin: the value of the chosen option minus that of the next one, and its unit.
        read: index of the option that is read from the text; `None` for an unread text.
        target: index of the right option.
        is_right, is_read_right: whether `chosen` and `read` are right; of several right options, any.
        prompt: the full prompt of the text, where the run logged samples.
    """

    task: str
    example_id: str
    num_answers: int
    num_others: int
    num_unread: int
    instruction: str
    group: str
    options: tuple[str, ...]
    probabilities: tuple[float, ...]
    chosen: int
    margin: str
    read: int | None
    target: int | None
    is_right: bool
    is_read_right: bool
    text: FoldedText
    is_empty: bool
    is_cut: bool
    prompt: str | None


class DisagreementsView(NamedTuple):
    """The section.

    Attributes:
        compared, generated: the names of the two scorings.
        examples: sorted by task.
    """

    compared: str
    generated: str
    examples: tuple[Disagreement, ...]


def disagreements_view(
    run: Run,
    num_fewshot: int,
    *,
    controls: Collection[str] = (),
    per_task: int = PER_TASK,
    in_all: int = IN_ALL,
) -> DisagreementsView | None:
    """The examples on which the two scorings disagree under the largest share of wordings, a few of each task.

    Examples whose texts name another option come first, then those with most unread texts; of equal ones, those on
    which log-likelihoods are most certain. The wording that is shown is the one whose text names another option (or
    else is unread) while log-likelihoods are most certain.

    Args:
        run: under any of its scorers.
        num_fewshot: the number of demonstrations.
        controls: groups of wordings to leave out.
        per_task, in_all: the most examples.

    Returns:
        `None` where the run lacks one of the two kinds of scorings, or they never disagree.
    """
    pair = scorer_pair(run.scorings)
    if pair is None:
        return None
    try:
        compared, generated = (run.select(name) for name in pair)
        chosen = compared.query_rows(_CHOOSE, [num_fewshot, list(controls), per_task, in_all], others=generated)
    except RunError:  # no cell of one of the two is complete
        return None
    if not chosen:
        return None
    both = zip(
        rows_of_examples(compared, chosen, _COLUMNS, num_fewshot, controls),
        rows_of_examples(generated, chosen, _COLUMNS, num_fewshot, controls),
        strict=True,
    )
    reader = scorer(pair[0])
    examples = tuple(_disagreement(row, first, second, reader) for (row, first), (_, second) in both)
    return DisagreementsView(*pair, examples)


def _disagreement(
    chosen: Mapping[str, Any], first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]], reader: Scorer
) -> Disagreement:
    by_prompt = {_prompt(row): row for row in first if row["predicted"] is not None}
    pairs = [(by_prompt[_prompt(row)], row) for row in second if _prompt(row) in by_prompt]
    differing = [(one, other) for one, other in pairs if other["predicted"] != one["predicted"]]
    one, other = max(differing, key=lambda each: (each[1]["predicted"] is not None, _certainty(each[0])))
    text: str = other["text"] or ""
    return Disagreement(
        task=chosen["task"],
        example_id=chosen["example_id"],
        num_answers=chosen["num_answers"],
        num_others=chosen["num_others"],
        num_unread=chosen["num_unread"],
        instruction=one["instruction"],
        group=one["group"],
        options=tuple(one["options"]),
        probabilities=shares(one["option_logprobs"]),
        chosen=one["predicted"],
        margin=_margin(one, reader),
        read=other["predicted"],
        target=one["target"],
        is_right=_is_right(one, one["predicted"]),
        is_read_right=_is_right(one, other["predicted"]),
        text=FoldedText.of(text),
        is_empty=not text.strip(),
        is_cut=bool(other["is_cut"]),
        prompt=other["prompt"],
    )


def _prompt(row: Mapping[str, Any]) -> tuple[object, ...]:
    return row["instruction"], row["group"], row["fewshot_seed"], row["option_order"]


def _is_right(row: Mapping[str, Any], place: int | None) -> bool:
    of_options: Sequence[float] = row["option_credits"] or ()
    return place is not None and (of_options[place] == max(of_options) if of_options else place == row["target"])


def _certainty(row: Mapping[str, Any]) -> float:
    predicted: int = row["predicted"]
    return shares(row["option_logprobs"])[predicted]


def _margin(row: Mapping[str, Any], reader: Scorer) -> str:
    predicted: int = row["predicted"]
    values = reader.values(row["option_logprobs"], row["options"])
    others = [value for place, value in enumerate(values) if place != predicted]
    margin = values[predicted] - max(others, default=-math.inf)
    unit = "nats" if reader.compares_logprobs else f"in the values of {reader.name}"
    return f"{margin:.2f} {unit}"
