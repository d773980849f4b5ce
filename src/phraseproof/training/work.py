"""What the training loop needs of a kind of training: its plan, and its batches with their losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from phraseproof.training.log import LogRow, TrainingEvaluation
    from phraseproof.training.optimization import Optimization, TrainingPass

Schedule = Literal["cosine", "constant"]


def epoch_folder(epoch: int) -> str:
    """The folder of the weights that are kept after an epoch, in the training's folder."""
    return f"epochs/{epoch}"


class StepTokens(NamedTuple):
    """The tokens of a step, over all processes.

    Attributes:
        read: of all prompts and targets, and of the soft prompt in each. Passes that share beginnings compute fewer.
        trained: of the targets, which the loss is computed on.
    """

    read: int
    trained: int


@dataclass(frozen=True)
class TrainingPlan:
    """The length of a training, its learning rate, and what stops and saves it.

    Attributes:
        steps: the number of steps.
        eval_every: the number of steps between evaluations.
        learning_rate: the largest one.
        warmup_steps, schedule: the learning rate over the steps.
        save_every, save_every_seconds: between checkpoints; `None` is the loop's own choice.
        patience: stop after this number of evaluations that are not better, and keep the best weights.
        stops_on: what evaluations are judged by: a name that `TrainingEvaluation.badness` knows.
        is_guarded: stop when the watch of the training says that it drifts.
        exports: after which steps the weights are also evaluated and written to another folder, and its path in the
            training's.
        batch: how many prompts or examples a step has over all processes, in words.
        record: the content of `phraseproof.json`, except the result.
    """

    steps: int
    eval_every: int
    learning_rate: float
    warmup_steps: int
    schedule: Schedule
    save_every: int
    batch: str
    record: Mapping[str, object]
    save_every_seconds: float | None = None
    patience: int | None = None
    stops_on: str = "loss"
    is_guarded: bool = False
    exports: Mapping[int, str] = field(default_factory=dict[int, str])


class TrainingWatch(Protocol):
    """Reads the lines of a training's log, and warns."""

    @property
    def is_drifting(self) -> bool:
        """Whether a guarded training stops."""
        ...

    def read(self, row: LogRow) -> str | None:
        """Read one more line. Returns a warning when it is due."""
        ...


class TrainingWork(Protocol):
    """One training: the model and its batches. Every process calls every method."""

    @property
    def optimization(self) -> Optimization:
        """The model in training and its optimizer."""
        ...

    def passes(self, step: int) -> Sequence[TrainingPass]:
        """This process's forward passes of a step, counted from 0: a function of the step alone."""
        ...

    def tokens(self, step: int) -> StepTokens:
        """The tokens of a step."""
        ...

    def evaluate(self) -> TrainingEvaluation | None:
        """Evaluate the present weights; `None` without data for it."""
        ...

    def read_evaluation(self, record: Mapping[str, object]) -> TrainingEvaluation:
        """An evaluation from its record."""
        ...

    def watch(self, earlier: Sequence[LogRow]) -> TrainingWatch:
        """What watches the training; `earlier` are the lines of a resumed one."""
        ...

    def export(self, out: Path) -> None:
        """Write the present weights as an ordinary folder: a PEFT adapter, or a model with its tokenizer."""
        ...

    def release(self) -> None:
        """Leave the network as it was loaded: frozen, without an adapter."""
        ...
