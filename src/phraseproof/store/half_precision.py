"""How far half precision moves a run's choices: the error that was measured, and the choices within it of a tie.

`evaluation/half_precision.py` measures, and leaves what it finds in `run.json`; whoever shows a run reads it here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

SECTION = "half_precision"
"""The section of `run.json` with one measurement a plan, by the plan's hash."""

CLOSE_CALLS = "close_calls"
"""The section of `run.json` that holds what `half_precision` says of the run at its last evaluation's end."""

RESCORED = "rescore_ties"
"""The setting of runs whose close calls were scored again in float32."""

SAFETY = 2.0
"""The bound is so many times the largest error of the sample.

The largest of 64 errors alone is passed by one prompt in 65, whatever their distribution. Twice the largest is passed
by one in 2,145 where errors fall off exponentially (2 / (65 x 66)), and far more rarely where they are normal.
"""

_HALF = ("bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class HalfPrecision:
    """What half precision means for a run's choices.

    Attributes:
        dtype: `bfloat16` or `float16`.
        sampled_prompts: how many prompts were scored in float32 as well; 0 where nothing was measured.
        largest_error: of the sample, the most by which float32 moves the lead of the chosen option over another one, in
            nats (a byte, for `loglikelihood_norm`); `None` where it is not finite or was not measured.
        bound: `SAFETY` times that.
        changed_in_sample: choices of the sample that differ from float32's.
        choices: those that are stored.
        close: how many of them lead the next option by no more than the bound; all of them where there is none.
        rescored: whether close calls were scored again in float32.
        why_not: why nothing was measured.
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


def half_precision(run: Run) -> HalfPrecision | None:
    """What is known of a run's error; `None` for runs in float32, of models that do not say, or without outcomes."""
    if run.is_imported or len(run.missing) == len(run.cells):
        return None
    model: Mapping[str, Any] = run.settings.get("model") or {}
    if (dtype := model.get("dtype")) not in _HALF:
        return None
    measured = measurements(run.content)
    reasons = [entry["why_not"] for entry in measured if entry.get("why_not")]
    known = [entry for entry in measured if not entry.get("why_not")]
    # Where one of several plans in the folder could not be measured, the others' bound need not hold for it.
    why_not = reasons[0] if reasons else None if known else "the check before the run was left out"
    bound = None if why_not else bound_of(known)
    counts = _count(run, bound)
    return HalfPrecision(
        dtype=dtype,
        sampled_prompts=0 if why_not else sum(entry["sampled_prompts"] for entry in known),
        largest_error=None if bound is None else bound / SAFETY,
        bound=bound,
        changed_in_sample=0 if why_not else sum(entry["changed_choices"] for entry in known),
        choices=counts["choices"],
        close=counts["close"],
        rescored=bool(run.settings.get(RESCORED)),
        why_not=why_not,
    )


def measurements(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was measured for each plan of a run, from its `run.json`."""
    section: Mapping[str, Mapping[str, Any]] = content.get(SECTION) or {}
    return list(section.values())


def bound_of(measured: Sequence[Mapping[str, Any]]) -> float | None:
    """The bound that rests on these measurements; `None` where an error was not finite, so that none can be given."""
    errors: list[float] = []
    for entry in measured:
        if (error := entry.get("largest_error")) is None:
            return None
        errors.append(error)
    return SAFETY * max(errors) if errors else None


def _count(run: Run, bound: float | None) -> Mapping[str, int]:
    """All choices, and those that lead the next option by at most `bound`."""
    ordered = _BY_THE_BYTE if run.settings.get("scoring") == "loglikelihood_norm" else _AS_THEY_ARE
    rows = run.query_rows(
        f"""
        SELECT count(*) AS choices,
               count(*) FILTER (WHERE len(v) > 1 AND (v[1] = v[2] OR v[1] - v[2] <= ?)) AS close
        FROM ({ordered})
        """,  # noqa: S608 - one of two texts below
        [math.inf if bound is None else bound],
    )
    return rows[0]


_AS_THEY_ARE = "SELECT list_reverse_sort(option_logprobs) AS v FROM outcomes"
# As scoring/loglikelihood_norm.py divides: by the option's bytes, at least one.
_BY_THE_BYTE = """
    SELECT list_reverse_sort(list(logprob / greatest(1, strlen(option)))) AS v
    FROM (
        SELECT place, unnest(option_logprobs) AS logprob, unnest(options) AS option
        FROM (SELECT row_number() OVER () AS place, option_logprobs, options FROM outcomes)
    )
    GROUP BY place
"""
