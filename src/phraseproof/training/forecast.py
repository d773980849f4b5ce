"""What any kind of training would take: steps, tokens, time and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from phraseproof.training.timing import TrainingTiming
from phraseproof.training.work import StepTokens


@dataclass(frozen=True, kw_only=True)
class TrainingForecast:
    """What a training would take.

    Attributes:
        steps: over all processes.
        epochs: how often each example is used.
        evaluations: the number of evaluations on held-out data, the one before the first step included.
        tokens: of a step, means over `counted_steps`.
        longest: of the step with the most tokens among these.
        counted_steps: how many steps the tokens were counted in.
        memory_there: in bytes; `None` where it is not known.
        timing: `None` where nothing was timed.
    """

    steps: int
    epochs: float
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

    def as_record(self) -> dict[str, object]:
        """The values and the seconds by name, as JSON has them."""
        tokens = {"tokens": self.tokens._asdict(), "longest": self.longest._asdict()}
        timing = None if self.timing is None else self.timing._asdict()
        return {**asdict(self), "seconds": self.seconds, **tokens, "timing": timing}


def mean_tokens(tokens: Sequence[StepTokens]) -> StepTokens:
    """The tokens of a mean step, rounded."""
    return StepTokens(*(round(fmean(values)) for values in zip(*tokens, strict=True)))
