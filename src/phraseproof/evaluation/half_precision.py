"""How many of a run's choices half precision leaves undecided: the measured error, and the choices near a tie.

`numerical_error.py` measures the error and writes it to `run.json`. Reports and commands read it here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NotRequired, TypeAlias, TypedDict, final

from phraseproof.scoring.registry import reads_text

if TYPE_CHECKING:
    from phraseproof.store.queries import Run
    from phraseproof.store.run_file import RunContent

SECTION = "half_precision"
"""The section of `run.json` with one measurement per plan, by the plan's hash."""

RESCORINGS = "near_ties"
"""The section of `run.json` with what each evaluation found when it scored near-ties again, by a random number."""

CLOSE_CALLS = "close_calls"
"""The section of `run.json` with the result of `half_precision` at the end of the run's last evaluation."""

RESCORED = "rescore_ties"
"""The setting of runs whose near-ties were scored again in float32."""

SAFETY = 2.0
"""The bound is this multiple of the largest error in the sample.

One prompt in 65 exceeds the largest of 64 errors, whatever their distribution. One in 2,145 exceeds twice the largest
if errors are exponentially distributed (2 / (65 x 66)), and far fewer do if errors are normally distributed.
"""

_EXACT = "float32"


@final
class PlanMeasurement(TypedDict):
    """The measurement of one plan, as `run.json` stores it.

    Attributes:
        sampled_prompts: the number of prompts that were also scored in float32.
        median_error, largest_error: of these prompts, as `HalfPrecision.largest_error`; `None` if it is not finite.
        changed_choices: the number of choices that float32 changes.
    """

    sampled_prompts: int
    median_error: NotRequired[float | None]
    largest_error: float | None
    changed_choices: int


@final
class MissingMeasurement(TypedDict):
    """The record of a plan that could not be measured, with the reason."""

    why_not: str


@final
class Rescoring(TypedDict):
    """What one evaluation found when it scored near-ties again in float32, as `run.json` stores it.

    Attributes:
        scoring: the scorer's name.
        prompts: the number of near-ties.
        changed_choices: how many of their choices float32 changed.
        largest_error: of these prompts; `None` if one is not finite.
    """

    scoring: str
    prompts: int
    changed_choices: int
    largest_error: float | None


Measurement: TypeAlias = PlanMeasurement | MissingMeasurement


@dataclass(frozen=True, slots=True)
class HalfPrecision:
    """The effect of half precision on a run's choices.

    Attributes:
        dtype: `bfloat16` or `float16`.
        sampled_prompts: the number of prompts that were also scored in float32; 0 if nothing was measured.
        largest_error: the largest change, in the sample, of the chosen option's lead over another option, in nats (per
            byte for `loglikelihood_norm`); `None` if it is not finite or was not measured.
        bound: `SAFETY` times `largest_error`.
        changed_in_sample: the number of choices in the sample that float32 changes.
        choices: the number of stored choices.
        close: the number of near-ties: choices whose lead over the next option is at most the bound. Without a bound,
            all choices.
        rescored: whether near-ties were scored again in float32.
        why_not: the reason why nothing was measured.
        scored_again: the number of choices that were scored again; `None` in runs that did not count them.
        changed_again: how many of them float32 changed.
        expected_changes: the number of choices beyond the bound that float32 is expected to change, if errors fall off
            exponentially with the largest that was measured anywhere; `None` without a bound.
    """

    dtype: str
    sampled_prompts: int
    largest_error: float | None
    bound: float | None
    changed_in_sample: int
    choices: int
    close: int
    rescored: bool
    why_not: str | None = None
    scored_again: int | None = None
    changed_again: int | None = None
    expected_changes: float | None = None


def half_precision(run: Run) -> HalfPrecision | None:
    """The effect of half precision on a run; `None` in float32, for an unknown precision, or without scored options."""
    if len(run.missing) == len(run.cells) or reads_text(run.scoring):
        return None
    dtype: str | None = (run.settings.get("model") or {}).get("dtype")
    if not dtype or dtype == _EXACT:
        return None
    measured = measurements(run.content)
    reasons = [entry["why_not"] for entry in measured if "why_not" in entry]
    known = [entry for entry in measured if "why_not" not in entry]
    # If one of several plans could not be measured, the bound of the others may not hold for it.
    why_not = reasons[0] if reasons else None if known else "the check before the run was left out"
    bound = None if why_not else bound_of(known)
    sampled = 0 if why_not else sum(entry["sampled_prompts"] for entry in known)
    entries: Mapping[str, Rescoring] = run.content.get(RESCORINGS) or {}
    again = [entry for entry in entries.values() if entry["scoring"] == run.scoring]
    scale = None if bound is None else error_scale(bound / SAFETY, sampled, again)
    counts = _count(run, bound, scale)
    return HalfPrecision(
        dtype=dtype,
        sampled_prompts=sampled,
        largest_error=None if bound is None else bound / SAFETY,
        bound=bound,
        changed_in_sample=0 if why_not else sum(entry["changed_choices"] for entry in known),
        choices=counts["choices"],
        close=counts["close"],
        rescored=bool(run.settings.get(RESCORED)),
        why_not=why_not,
        scored_again=sum(entry["prompts"] for entry in again) if again else None,
        changed_again=sum(entry["changed_choices"] for entry in again) if again else None,
        expected_changes=None if scale is None else counts["expected"],
    )


def measurements(content: RunContent) -> list[Measurement]:
    """The measurements of a run's plans, from its `run.json`."""
    section: Mapping[str, Measurement] = content.get(SECTION) or {}
    return list(section.values())


def bound_of(measured: Sequence[PlanMeasurement]) -> float | None:
    """The bound that follows from measurements; `None` if there are none, or if an error is not finite."""
    errors = [entry["largest_error"] for entry in measured]
    finite = [error for error in errors if error is not None]
    return SAFETY * max(finite) if finite and len(finite) == len(errors) else None


def error_scale(largest: float, sampled: int, again: Sequence[Rescoring]) -> float | None:
    """The mean error, if errors fall off exponentially: the largest of n is on average their mean times 1 + ... + 1/n.

    Args:
        largest: the largest error of the sample.
        sampled: the number of prompts in the sample.
        again: what scoring near-ties again found. Their errors count as well, so that a larger one is not overlooked.

    Returns:
        `None` if an error is not finite.
    """
    errors = [largest, *(entry["largest_error"] for entry in again)]
    finite = [error for error in errors if error is not None]
    if len(finite) < len(errors):
        return None
    count = sampled + sum(entry["prompts"] for entry in again)
    return max(finite) / sum(1 / number for number in range(1, count + 1))


class _Counts(TypedDict):
    choices: int
    close: int
    expected: float


def _count(run: Run, bound: float | None, scale: float | None) -> _Counts:
    """Count all choices, and those whose lead over the next option is at most `bound`.

    `expected` is the sum, over the others, of the probability that an error exceeds the lead.
    """
    ordered = _LEADS.get(str(run.settings.get("scoring")), _PER_OPTION)
    rows = run.query_rows(
        f"""
        SELECT count(*) AS choices,
               count(*) FILTER (WHERE len(v) > 1 AND (v[1] = v[2] OR v[1] - v[2] <= $1)) AS close,
               coalesce(sum(exp(greatest((v[2] - v[1]) / $2, -700)))
                   FILTER (WHERE len(v) > 1 AND v[1] - v[2] > $1), 0.0) AS expected
        FROM ({ordered})
        """,  # noqa: S608 - one of three texts below
        [math.inf if bound is None else bound, scale or _SMALLEST],
    )
    (found,) = rows
    return {"choices": found["choices"], "close": found["close"], "expected": found["expected"]}


_SMALLEST = 1e-300
"""In place of a scale of zero: no error was found."""


_PER_OPTION = "SELECT list_reverse_sort(option_logprobs) AS v FROM outcomes"
# The same divisions as in scoring/loglikelihood_norm.py: by the option's bytes or characters, at least one.
_PER_LENGTH = """
    SELECT list_reverse_sort(list(logprob / greatest(1, {length}(option)))) AS v
    FROM (
        SELECT place, unnest(option_logprobs) AS logprob, unnest(options) AS option
        FROM (SELECT row_number() OVER () AS place, option_logprobs, options FROM outcomes)
    )
    GROUP BY place
"""
_LEADS = {
    "loglikelihood_norm": _PER_LENGTH.format(length="strlen"),
    "loglikelihood_norm:characters": _PER_LENGTH.format(length="length"),
}
