"""What a training would take: steps, tokens, time and memory. A few of its steps are done, and nothing is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.alignment.loop.batches import rows_of
from phraseproof.errors import ModelError
from phraseproof.training.pace import evaluations_between

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.alignment.loop.batch_order import BatchOrder, Draw
    from phraseproof.alignment.loop.optimization import Optimization
    from phraseproof.alignment.loop.preparation import Preparation, TokenizedSide

COUNTED_STEPS = 200
"""Tokens are counted in at most this number of steps, from the first on."""

TIMED_SECONDS = 10.0
TIMED_STEPS = 5
_EVALUATED_PAIRS = 8


class StepTokens(NamedTuple):
    """The tokens of a step.

    Attributes:
        read: of all prompts and targets, and of the soft prompt in each. Passes that share beginnings compute fewer.
        trained: of the targets, which the loss is computed on.
    """

    read: int
    trained: int


class TrainingTiming(NamedTuple):
    """What was measured.

    Attributes:
        step_seconds: of a step of mean length.
        evaluation_seconds: of an evaluation on all held-out pairs; 0 without them.
        peak_memory: in bytes, the longest step and a checkpoint included; `None` where that is not known.
        steps: the number of steps that were timed.
    """

    step_seconds: float
    evaluation_seconds: float
    peak_memory: int | None
    steps: int


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
    method, settings, side = prepared.method, prepared.settings, prepared.train
    order = prepared.training_order(processes)
    counted = [_step_draws(order, step, accelerator, settings.gradient_accumulation) for step in _first(steps)]
    virtual = settings.num_tokens if method.trains == "prompt" else 0
    tokens = [_tokens(side, draws, virtual) for draws in counted]
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
        tokens=StepTokens(*(round(processes * fmean(values)) for values in zip(*tokens, strict=True))),
        longest=StepTokens(*(processes * value for value in max(tokens))),
        counted_steps=len(tokens),
        memory_there=memory_there(accelerator.device),
    )
    if not is_timed:
        return forecast
    return replace(forecast, timing=_time(prepared, accelerator, counted, tokens, timed_seconds))


def _first(steps: int) -> range:
    return range(min(steps, COUNTED_STEPS))


def _step_draws(order: BatchOrder, step: int, accelerator: Accelerator, accumulation: int) -> list[list[Draw]]:
    """This process's batches of a step, as the loop has them."""
    return [
        order.batch((step * accumulation + micro) * accelerator.num_processes + accelerator.process_index)
        for micro in range(accumulation)
    ]


def _tokens(side: TokenizedSide, draws: Sequence[list[Draw]], virtual: int) -> StepTokens:
    rows = [row for batch in draws for row in rows_of(side.tokens, batch)]
    read = sum(virtual + len(row.context) + len(row.target) for row in rows)
    return StepTokens(read, sum(len(row.target) for row in rows))


def _time(
    prepared: Preparation,
    accelerator: Accelerator,
    draws: Sequence[list[list[Draw]]],
    tokens: Sequence[StepTokens],
    timed_seconds: float,
) -> TrainingTiming:
    from phraseproof.alignment.loop.optimization import NotFiniteError, Optimization
    from phraseproof.training.checkpoint import TrainingState
    from phraseproof.training.memory import peak_memory

    optimization = Optimization(prepared, accelerator)
    try:
        # The longest step first: it takes the most memory. It is not timed, because the first step also tries things.
        longest = max(range(len(tokens)), key=lambda step: tokens[step])
        optimization.step(longest, draws[longest], 0.0)
        optimization.checkpoint(TrainingState())
        seconds: list[float] = []
        while len(seconds) < min(TIMED_STEPS, len(draws)) and sum(seconds) < timed_seconds:
            began = time.perf_counter()
            optimization.step(len(seconds), draws[len(seconds)], 0.0)
            seconds.append(time.perf_counter() - began)
        read = sum(step.read for step in tokens[: len(seconds)])
        per_step = sum(seconds) / read * fmean(step.read for step in tokens)
        evaluation = _evaluation_seconds(prepared, optimization)
        return TrainingTiming(per_step, evaluation, peak_memory(accelerator.device), len(seconds))
    except NotFiniteError as error:
        raise ModelError(f"{error}, before anything was trained") from None
    finally:
        optimization.release()


def _evaluation_seconds(prepared: Preparation, optimization: Optimization) -> float:
    from phraseproof.alignment.loop.evaluation import evaluate_held_out

    whole = prepared.held_out
    few = replace(whole, pairs=whole.pairs[:_EVALUATED_PAIRS], tokens=whole.tokens.first(_EVALUATED_PAIRS))
    began = time.perf_counter()
    found = evaluate_held_out(optimization.passes, few, prepared.method, prepared.settings)
    if found is None:
        return 0.0
    return (time.perf_counter() - began) * len(whole.pairs) / len(few.pairs)
