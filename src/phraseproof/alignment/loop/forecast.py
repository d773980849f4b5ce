"""What a training would take: steps, tokens, time and memory. A few of its steps are done, and nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from phraseproof.training.pace import evaluations_between
from phraseproof.training.timing import COUNTED_STEPS, TIMED_SECONDS, TrainingTiming, time_steps
from phraseproof.training.work import StepTokens

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.alignment.loop.preparation import Preparation
    from phraseproof.alignment.loop.work import AlignmentWork

_EVALUATED_PAIRS = 8


@dataclass(frozen=True)
class TrainingForecast:
    """What a training would take.

    Attributes:
        method, learning_rate: with the defaults of what is trained.
        steps, batches_per_step: over all processes.
        epochs: how often each pair is used.
        pairs, held_out_pairs, held_out_wordings: how the pairs are split.
        evaluations: the number of evaluations on held-out pairs, the one before the first step included.
        tokens: of a step, means over `counted_steps`.
        longest: of the step with the most tokens among these.
        counted_steps: how many steps the tokens were counted in.
        memory_there: in bytes; `None` where it is not known.
        timing: `None` where nothing was timed.
    """

    method: str
    learning_rate: float
    steps: int
    batches_per_step: int
    epochs: float
    pairs: int
    held_out_pairs: int
    held_out_wordings: int
    evaluations: int
    tokens: StepTokens
    longest: StepTokens
    counted_steps: int
    memory_there: int | None
    timing: TrainingTiming | None = None

    @property
    def seconds(self) -> float | None:
        """Of all steps and evaluations, without loading the model; `None` where nothing was timed."""
        if self.timing is None:
            return None
        return self.steps * self.timing.step_seconds + self.evaluations * self.timing.evaluation_seconds


def forecast_training(
    prepared: Preparation, accelerator: Accelerator, *, is_timed: bool, timed_seconds: float = TIMED_SECONDS
) -> TrainingForecast:
    """Count the tokens of a training, and do a few of its steps at a learning rate of 0.

    Args:
        prepared: the model, the data and the settings.
        accelerator: the processes, the device and the precision. Every process must call this.
        is_timed: load the weights and do steps.
        timed_seconds: no further step is timed after this time; the first steps and an evaluation come in addition.

    Raises:
        ModelError: a loss is not a finite number.
    """
    from phraseproof.training.memory import memory_there

    processes = accelerator.num_processes
    steps, every = prepared.total_steps(processes), prepared.eval_every(processes)
    method, side = prepared.method, prepared.train
    order = prepared.training_order(processes)
    tokens = [prepared.step_tokens(order, step, processes) for step in _first(steps)]
    holds_out = len(prepared.held_out.pairs) >= method.references_per_batch
    batches = prepared.batches_per_step(processes)
    forecast = TrainingForecast(
        method=method.name,
        learning_rate=prepared.learning_rate,
        steps=steps,
        batches_per_step=batches,
        epochs=steps * batches / order.batches_per_epoch,
        pairs=len(side.pairs),
        held_out_pairs=len(prepared.held_out.pairs),
        held_out_wordings=prepared.held_out_wordings,
        evaluations=1 + evaluations_between(0, steps, every) if holds_out else 0,
        tokens=StepTokens(*(round(fmean(values)) for values in zip(*tokens, strict=True))),
        longest=max(tokens),
        counted_steps=len(tokens),
        memory_there=memory_there(accelerator.device),
    )
    if not is_timed:
        return forecast
    from phraseproof.alignment.loop.work import AlignmentWork

    work = AlignmentWork(prepared, accelerator)
    timing = time_steps(
        work, tokens, lambda: _evaluation_seconds(prepared, work), accelerator.device, timed_seconds=timed_seconds
    )
    return replace(forecast, timing=timing)


def _first(steps: int) -> range:
    return range(min(steps, COUNTED_STEPS))


def _evaluation_seconds(prepared: Preparation, work: AlignmentWork) -> float:
    from phraseproof.alignment.loop.evaluation import evaluate_held_out

    whole = prepared.held_out
    few = replace(whole, pairs=whole.pairs[:_EVALUATED_PAIRS], tokens=whole.tokens.first(_EVALUATED_PAIRS))
    began = time.perf_counter()
    found = evaluate_held_out(work.forward, few, prepared.method, prepared.settings)
    if found is None:
        return 0.0
    return (time.perf_counter() - began) * len(whole.pairs) / len(few.pairs)
