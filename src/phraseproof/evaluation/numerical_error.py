"""The numerical error of half precision, measured on a sample of an evaluation's own prompts against float32.

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

from phraseproof.core import Example, Model, OffersFloat32, OptionScores, Prompt, ScoresOptions
from phraseproof.errors import ModelError
from phraseproof.evaluation.half_precision import SECTION, Measurement, PlanMeasurement, bound_of
from phraseproof.evaluation.near_ties import NearTies, error_of
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.identity import content_hash
from phraseproof.scoring.registry import scorer
from phraseproof.store.run_file import read_run_file
from phraseproof.store.writer import RunStore

SAMPLED_PROMPTS = 64
"""How many prompts are scored in float32 as well."""

PromptsOf = Callable[[PlannedCell, Sequence[Example]], list[Prompt]]


def plan_key(planned: Sequence[PlannedCell]) -> str:
    """A plan's hash: one that is resumed finds what was measured before."""
    return content_hash(sorted({each.cell.identity for each in planned}))


def sample(
    planned: Sequence[PlannedCell], count: int = SAMPLED_PROMPTS
) -> list[tuple[PlannedCell, tuple[Example, ...]]]:
    """At most `count` prompts spread evenly over the cells, drawn by a hash: the same on every machine."""
    wanted = Counter(place * len(planned) // count for place in range(count))
    chosen: list[tuple[PlannedCell, tuple[Example, ...]]] = []
    for index, few in sorted(wanted.items()):
        drawn = planned[index]

        # Not by its identity, so that models and precisions meet the same prompts.
        names = drawn.cell.task, drawn.cell.instruction, drawn.cell.num_fewshot, drawn.cell.fewshot_seed
        cell = "\0".join(map(str, names))

        def rank(example: Example, cell: str = cell) -> bytes:
            return hashlib.blake2b(f"{cell}\0{example.id}".encode(), digest_size=16).digest()

        chosen.append((drawn, tuple(sorted(drawn.task.examples, key=rank)[:few])))
    return chosen


def summary(
    half: Sequence[OptionScores], full: Sequence[OptionScores], prompts: Sequence[Prompt], scoring: str
) -> PlanMeasurement:
    """The error over a sample of prompts."""
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


class NumericalError:
    """Measures the error of the precision that a model computes in.

    Args:
        model: in half precision.
        planned: the whole plan, so that a run that is continued finds its measurement.
        prompts_of: renders some of a cell's prompts.
        scoring: the scorer's name.
        keeps_exact: the model in float32 stays in memory after the measurement, because it scores near-ties.
    """

    def __init__(
        self,
        model: Model,
        planned: Sequence[PlannedCell],
        prompts_of: PromptsOf,
        scoring: str,
        *,
        keeps_exact: bool = False,
    ) -> None:
        self._model, self._planned, self._prompts_of = model, planned, prompts_of
        self._scoring, self._keeps_exact = scoring, keeps_exact
        self._kept: ScoresOptions | None = None

    def measure_once(self, store: RunStore, observer: Observer) -> None:
        """Measure this plan's error, unless that was done before; one process measures, the others find the result.

        If it cannot be measured, the reason is recorded.
        """
        key = plan_key(self._planned)
        with store.one_at_a_time(SECTION):
            if key in read_run_file(store.path).get(SECTION, {}):
                return
            store.register([], {SECTION: {key: self.measure(observer)}})

    def measure(self, observer: Observer) -> Measurement:
        """Measure this plan's error; the reason, if it cannot be measured."""
        name = self._model.identity.name
        observer.noted(f"loading {name} in float32 as well, to measure the error of {self._model.identity.dtype}")
        try:
            return self._measured()
        except ModelError as error:
            observer.warned(f"the error of {self._model.identity.dtype} could not be measured: {error}")
            return {"why_not": str(error)}

    def near_ties(self, store: RunStore) -> NearTies:
        """What scores near-ties again, by the error that was measured.

        Raises:
            ModelError: it could not be measured.
        """
        return self.near_ties_by(read_run_file(store.path)[SECTION][plan_key(self._planned)])

    def near_ties_by(self, measured: Measurement) -> NearTies:
        """What scores near-ties again, by an error that was measured.

        Raises:
            ModelError: it could not be measured.
        """
        return NearTies(self._exact(), bound_of([require_measured(measured)]), self._scoring)

    def _measured(self) -> PlanMeasurement:
        drawn = sample(self._planned)
        prompts = [prompt for planned, examples in drawn for prompt in self._prompts_of(planned, examples)]
        assert isinstance(self._model, ScoresOptions)
        # float32 first, and then freed unless near-ties need it, so that both are never in memory together.
        method = scorer(self._scoring).model_method
        full = self._exact().score_options(prompts, method=method)
        gc.collect()  # a network holds itself in cycles
        half = self._model.score_options(prompts, method=method)
        return summary(half, full, prompts, self._scoring)

    def _exact(self) -> ScoresOptions:
        exact = self._kept or in_float32(self._model)
        assert exact is not None
        if self._keeps_exact:
            self._kept = exact
        return exact


def require_measured(measured: Measurement) -> PlanMeasurement:
    """Check that near-ties can be scored again.

    Raises:
        ModelError: the error could not be measured.
    """
    if "why_not" in measured:
        raise ModelError(f"near-ties cannot be scored again: {measured['why_not']}", where="--rescore-ties")
    return measured


def in_float32(model: Model) -> ScoresOptions | None:
    """The model in float32, if it computes in less and can be loaded in float32."""
    return model.in_float32() if isinstance(model, OffersFloat32) and isinstance(model, ScoresOptions) else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
