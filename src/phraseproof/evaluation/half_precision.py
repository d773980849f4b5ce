"""Half precision in an evaluation: its error measured on a sample against float32, and close calls scored again.

There is no useful bound by analysis: bfloat16 rounds to eight bits after every operation of every layer, and worst
cases add up to more than any difference between options. So the error is measured, on prompts of the very run.
"""

from __future__ import annotations

import gc
import hashlib
import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from phraseproof.core import Example, Model, OptionScores, Prompt, RoundsOff, ScoresOptions
from phraseproof.errors import ModelError
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import Job
from phraseproof.identity import content_hash
from phraseproof.scoring.registry import scorer
from phraseproof.store.half_precision import SECTION, bound_of
from phraseproof.store.run_file import read_run_file
from phraseproof.store.writer import RunStore

SAMPLED_PROMPTS = 64
"""So many prompts are scored in float32 as well."""

PromptsOf = Callable[[Job, Sequence[Example]], list[Prompt]]


class Error(NamedTuple):
    """How a prompt's scores in half precision stand to those in float32.

    Attributes:
        lead: the most by which float32 moves the lead of the chosen option over another one; infinite where scores are
            not finite in one of the two.
        changed: whether float32 chooses another option.
    """

    lead: float
    changed: bool


def plan_key(jobs: Sequence[Job]) -> str:
    """A plan's hash: one that is resumed finds what was measured before."""
    return content_hash(sorted({job.cell.identity for job in jobs}))


def sample(jobs: Sequence[Job], count: int = SAMPLED_PROMPTS) -> list[tuple[Job, tuple[Example, ...]]]:
    """At most `count` prompts spread evenly over the cells, drawn by a hash: the same on every machine."""
    wanted = Counter(place * len(jobs) // count for place in range(count))
    chosen: list[tuple[Job, tuple[Example, ...]]] = []
    for index, few in sorted(wanted.items()):
        job = jobs[index]

        # Not by its identity, so that models and precisions meet the same prompts.
        cell = f"{job.cell.task}\0{job.cell.instruction}\0{job.cell.num_fewshot}\0{job.cell.fewshot_seed}"

        def rank(example: Example, cell: str = cell) -> bytes:
            return hashlib.blake2b(f"{cell}\0{example.id}".encode(), digest_size=16).digest()

        chosen.append((job, tuple(sorted(job.task.examples, key=rank)[:few])))
    return chosen


def summary(
    half: Sequence[OptionScores], full: Sequence[OptionScores], prompts: Sequence[Prompt], scoring: str
) -> dict[str, Any]:
    """The error over a sample, as `store/half_precision.py` reads it."""
    errors = [
        error_of(one.logprobs, other.logprobs, prompt.options, scoring)
        for one, other, prompt in zip(half, full, prompts, strict=True)
    ]
    leads = [error.lead for error in errors]
    return {
        "sampled_prompts": len(prompts),
        "median_error": _finite(statistics.median(leads)),
        "largest_error": _finite(max(leads)),
        "changed_choices": sum(error.changed for error in errors),
    }


def error_of(half: Sequence[float], full: Sequence[float], options: Sequence[str], scoring: str) -> Error:
    """The error of one prompt's scores.

    Args:
        half, full: log-probabilities of its options in half precision and in float32.
        options: the answers as they were scored.
        scoring: as users name it.
    """
    if any(map(math.isnan, (*half, *full))):
        return Error(math.inf, changed=True)
    ours, theirs = scorer(scoring).values(half, options), scorer(scoring).values(full, options)
    chosen = scorer(scoring).choose(half, options)
    moved = max(abs(_apart(_lead(ours, chosen, other), _lead(theirs, chosen, other))) for other in range(len(ours)))
    return Error(moved, changed=chosen != scorer(scoring).choose(full, options))


class Ties:
    """Scores close calls again.

    Args:
        exact: the model in float32.
        bound: a lead up to which a choice is close; `None` where no number says so: then every choice is.
        scoring: as users name it.
    """

    def __init__(self, exact: ScoresOptions, bound: float | None, scoring: str) -> None:
        self._exact, self._bound, self._scoring = exact, bound, scoring

    def again(self, scores: Sequence[OptionScores], prompts: Sequence[Prompt]) -> list[OptionScores]:
        """The same scores, but float32's where the choice is close; the tokens of both are counted."""
        found = list(scores)
        close = [
            index
            for index, (score, prompt) in enumerate(zip(scores, prompts, strict=True))
            if not _is_clear(score.logprobs, prompt.options, self._scoring, self._bound)
        ]
        if close:
            full = self._exact.score_options(
                [prompts[index] for index in close], method=scorer(self._scoring).model_method
            )
            for index, score in zip(close, full, strict=True):
                tokens = found[index].computed_tokens + score.computed_tokens
                found[index] = score._replace(computed_tokens=tokens)
        return found


class Rounding:
    """What an evaluation does about the precision that its model computes in.

    Args:
        model: in half precision.
        jobs: the whole plan, so that a stopped run finds its measurement when it goes on.
        prompts_of: renders some of a job's prompts.
        scoring: as users name it.
    """

    def __init__(self, model: Model, jobs: Sequence[Job], prompts_of: PromptsOf, scoring: str) -> None:
        self._model, self._jobs, self._prompts_of, self._scoring = model, jobs, prompts_of, scoring

    def measure_once(self, store: RunStore, observer: Observer) -> None:
        """Measure this plan's error, unless that was done; one process at a time, the others then find it.

        Where it cannot be measured, that is put on record with the reason.
        """
        key = plan_key(self._jobs)
        with store.one_at_a_time(SECTION):
            if key in read_run_file(store.path).get(SECTION, {}):
                return
            name = self._model.identity.name
            observer.noted(f"loading {name} in float32, too, to measure the error of {self._model.identity.dtype}")
            try:
                entry = self._measured()
            except ModelError as error:
                entry = {"why_not": str(error)}
                observer.warned(f"the error of {self._model.identity.dtype} could not be measured: {error}")
            store.register([], {SECTION: {key: entry}})

    def ties(self, store: RunStore) -> Ties:
        """Scores close calls again, by the error that was measured.

        Raises:
            ModelError: it could not be measured.
        """
        content = read_run_file(store.path)
        entry = content[SECTION][plan_key(self._jobs)]
        if "why_not" in entry:
            raise ModelError(f"close calls cannot be scored again: {entry['why_not']}", where="--rescore-ties")
        return Ties(self._exact(), bound_of([entry]), self._scoring)

    def _measured(self) -> dict[str, Any]:
        drawn = sample(self._jobs)
        prompts = [prompt for job, examples in drawn for prompt in self._prompts_of(job, examples)]
        assert isinstance(self._model, ScoresOptions)
        # float32 first, and let go, so that the two need not be in memory together.
        method = scorer(self._scoring).model_method
        full = self._exact().score_options(prompts, method=method)
        gc.collect()  # a network holds itself in cycles
        half = self._model.score_options(prompts, method=method)
        return summary(half, full, prompts, self._scoring)

    def _exact(self) -> ScoresOptions:
        exact = in_float32(self._model)
        assert exact is not None
        return exact


def in_float32(model: Model) -> ScoresOptions | None:
    """The model in float32, where it computes in less and can be had."""
    return model.in_float32() if isinstance(model, RoundsOff) and isinstance(model, ScoresOptions) else None


def _is_clear(logprobs: Sequence[float], options: Sequence[str], scoring: str, bound: float | None) -> bool:
    if len(logprobs) == 1:
        return True
    if bound is None or any(map(math.isnan, logprobs)):
        return False
    best, second = sorted(scorer(scoring).values(logprobs, options), reverse=True)[:2]
    return best > second and best - second > bound


def _lead(values: Sequence[float], chosen: int, other: int) -> float:
    """By how much one option leads another; two that are both impossible are equal."""
    return _apart(values[chosen], values[other])


def _apart(one: float, other: float) -> float:
    return 0.0 if one == other else one - other


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
