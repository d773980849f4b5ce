"""What an instruction tuning would take: steps, tokens, time and memory. A few steps are done; nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from phraseproof.training.memory import memory_there
from phraseproof.training.timing import COUNTED_STEPS, TrainingTiming, time_steps
from phraseproof.training.work import StepTokens

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.tuning.preparation import TuningPreparation
    from phraseproof.tuning.work import TuningWork

_EVALUATED_EXAMPLES = 8


@dataclass(frozen=True)
class TuningForecast:
    """What an instruction tuning would take.

    Attributes:
        steps, epochs: the length of the training.
        examples: the number of examples that are trained on.
        validation: the number of examples of each validation file.
        evaluations: of all validation files, the one before the first step included.
        tokens: of a step, means over `counted_steps`.
        longest: of the step with the most tokens among these.
        counted_steps: how many steps the tokens were counted in.
        epoch_tokens: of all examples.
        memory_there: in bytes; `None` where it is not known.
        notes: what was left out or cut.
        timing: `None` where nothing was timed.
    """

    steps: int
    epochs: float
    examples: int
    validation: dict[str, int]
    evaluations: int
    tokens: StepTokens
    longest: StepTokens
    counted_steps: int
    epoch_tokens: StepTokens
    memory_there: int | None
    notes: tuple[str, ...]
    timing: TrainingTiming | None = None

    @property
    def seconds(self) -> float | None:
        """Of all steps and evaluations, without loading the model; `None` where nothing was timed."""
        if self.timing is None:
            return None
        return self.steps * self.timing.step_seconds + self.evaluations * self.timing.evaluation_seconds


def forecast_tuning(prepared: TuningPreparation, accelerator: Accelerator, *, is_timed: bool) -> TuningForecast:
    """Count the tokens of a training, and do a few of its steps at a learning rate of 0. Every process must call it.

    Raises:
        ModelError: a loss is not a finite number.
    """
    from phraseproof.training.pace import evaluations_between

    order, steps = prepared.order, prepared.steps
    tokens = [prepared.step_tokens(order, step) for step in range(min(steps, COUNTED_STEPS))]
    evaluations = 1 + evaluations_between(0, steps, order.steps_per_epoch) if prepared.validation else 0
    forecast = TuningForecast(
        steps=steps,
        epochs=steps / order.steps_per_epoch,
        examples=len(prepared.train.rows),
        validation={name: len(each.rows) for name, each in prepared.validation.items()},
        evaluations=evaluations,
        tokens=StepTokens(*(round(fmean(values)) for values in zip(*tokens, strict=True))),
        longest=max(tokens),
        counted_steps=len(tokens),
        epoch_tokens=StepTokens(prepared.train.read, prepared.train.trained),
        memory_there=memory_there(accelerator.device),
        notes=prepared.notes,
    )
    if not is_timed:
        return forecast
    from phraseproof.tuning.work import TuningWork

    work = TuningWork(prepared, accelerator)
    timing = time_steps(work, tokens, lambda: _evaluation_seconds(prepared, work, accelerator), accelerator.device)
    return replace(forecast, timing=timing)


def _evaluation_seconds(prepared: TuningPreparation, work: TuningWork, accelerator: Accelerator) -> float:
    from phraseproof.tuning.validation import evaluate_file

    seconds = 0.0
    for tokens in prepared.validation.values():
        few = tokens._replace(rows=tokens.rows[:_EVALUATED_EXAMPLES], kept=tokens.kept[:_EVALUATED_EXAMPLES])
        began = time.perf_counter()
        evaluate_file(few, work.optimization.model, accelerator, size=prepared.settings.examples_per_pass)
        seconds += (time.perf_counter() - began) * tokens.read / few.read
    return seconds
