"""What an instruction tuning would take: steps, tokens, time and memory. A few steps are done; nothing is written."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from phraseproof.training.forecast import TrainingForecast, mean_tokens
from phraseproof.training.memory import memory_there
from phraseproof.training.pace import evaluations_between
from phraseproof.training.timing import COUNTED_STEPS, time_steps
from phraseproof.training.work import StepTokens

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.tuning.preparation import TuningPreparation
    from phraseproof.tuning.work import TuningWork

_EVALUATED_EXAMPLES = 8


@dataclass(frozen=True, kw_only=True)
class TuningForecast(TrainingForecast):
    """What an instruction tuning would take.

    Attributes:
        examples: the number of examples that are trained on.
        validation: the number of examples of each validation file.
        epoch_tokens: of all examples.
        notes: what was left out or cut.
    """

    examples: int
    validation: dict[str, int]
    epoch_tokens: StepTokens
    notes: tuple[str, ...]

    def as_record(self) -> dict[str, object]:
        """The values and the seconds by name, as JSON has them."""
        return {**super().as_record(), "epoch_tokens": self.epoch_tokens._asdict()}


def forecast_tuning(prepared: TuningPreparation, accelerator: Accelerator, *, is_timed: bool) -> TuningForecast:
    """Count the tokens of a training, and do a few of its steps at a learning rate of 0. Every process must call it.

    Raises:
        ModelError: a loss is not a finite number.
    """
    order, steps = prepared.order, prepared.steps
    tokens = [prepared.step_tokens(order, step) for step in range(min(steps, COUNTED_STEPS))]
    evaluations = 1 + evaluations_between(0, steps, order.steps_per_epoch) if prepared.validation else 0
    forecast = TuningForecast(
        steps=steps,
        epochs=steps / order.steps_per_epoch,
        examples=len(prepared.train.rows),
        validation={name: len(each.rows) for name, each in prepared.validation.items()},
        evaluations=evaluations,
        tokens=mean_tokens(tokens),
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
