"""What a training would take: steps, tokens, time and memory. A few of its steps are done, and nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from phraseproof.training.forecast import TrainingForecast, mean_tokens
from phraseproof.training.memory import memory_there
from phraseproof.training.pace import evaluations_between
from phraseproof.training.timing import COUNTED_STEPS, TIMED_SECONDS, time_steps

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.alignment.loop.preparation import Preparation
    from phraseproof.alignment.loop.work import AlignmentWork

_EVALUATED_PAIRS = 8


@dataclass(frozen=True, kw_only=True)
class AlignmentForecast(TrainingForecast):
    """What an alignment would take.

    Attributes:
        method, learning_rate: with the defaults of what is trained.
        batches_per_step: over all processes.
        pairs, held_out_pairs, held_out_wordings: how the pairs are split.
        prompts_per_step: over all processes, the mean over `counted_steps`.
        validation: the number of pairs of each validation file.
    """

    method: str
    learning_rate: float
    batches_per_step: int
    pairs: int
    held_out_pairs: int
    held_out_wordings: int
    prompts_per_step: float
    validation: dict[str, int]


def forecast_training(
    prepared: Preparation, accelerator: Accelerator, *, is_timed: bool, timed_seconds: float = TIMED_SECONDS
) -> AlignmentForecast:
    """Count the tokens of a training, and do a few of its steps at a learning rate of 0.

    Args:
        prepared: the model, the data and the settings.
        accelerator: the processes, the device and the precision. Every process must call this.
        is_timed: load the weights and do steps.
        timed_seconds: no further step is timed after this time; the first steps and an evaluation come in addition.

    Raises:
        ModelError: a loss is not a finite number.
    """
    processes = accelerator.num_processes
    steps, every = prepared.total_steps(processes), prepared.eval_every(processes)
    method, side = prepared.method, prepared.train
    order = prepared.training_order(processes)
    tokens = [prepared.step_tokens(order, step, processes) for step in _first(steps)]
    evaluates = bool(prepared.validation) or len(prepared.held_out.pairs) >= method.references_per_batch
    kept = set(prepared.kept_steps(processes).values())
    further = sum(step % every != 0 and step != steps for step in kept)
    batches = prepared.batches_per_step(processes)
    forecast = AlignmentForecast(
        method=method.name,
        learning_rate=prepared.learning_rate,
        steps=steps,
        batches_per_step=batches,
        epochs=prepared.epochs_at(steps, processes),
        pairs=len(side.pairs),
        held_out_pairs=len(prepared.held_out.pairs),
        held_out_wordings=prepared.held_out_wordings,
        prompts_per_step=fmean(prepared.step_prompts(order, step, processes) for step in _first(steps)),
        validation={name: len(each.pairs) for name, each in prepared.validation.items()},
        evaluations=1 + evaluations_between(0, steps, every) + further if evaluates else 0,
        tokens=mean_tokens(tokens),
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

    seconds = 0.0
    for whole in (prepared.held_out, *prepared.validation.values()):
        few = replace(whole, pairs=whole.pairs[:_EVALUATED_PAIRS], tokens=whole.tokens.first(_EVALUATED_PAIRS))
        began = time.perf_counter()
        if evaluate_held_out(work.forward, few, prepared.method, prepared.settings) is not None:
            seconds += (time.perf_counter() - began) * len(whole.pairs) / len(few.pairs)
    return seconds
