"""The settings of instruction tuning. Defaults are the paper's (PAPER.md, "Instruction tuning")."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from phraseproof.training.setting_checks import (
    MIXED_PRECISIONS,
    KeptEpochs,
    check_kept_epochs,
    check_settings,
    kept_epochs_record,
    wrong_setting,
)
from phraseproof.training.work import Schedule

TooLong = Literal["truncate", "skip"]

_AT_LEAST: Mapping[str, float] = {
    "weight_decay": 0,
    "warmup_ratio": 0,
    "epochs": 1,
    "max_steps": 1,
    "examples_per_step": 1,
    "examples_per_pass": 1,
    "max_tokens": 2,
    "save_every": 1,
}
_ABOVE_ZERO = ("learning_rate", "max_grad_norm", "save_every_seconds")


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """All settings of one instruction tuning. Equal settings, examples and model give equal weights on a CPU.

    Attributes:
        learning_rate, weight_decay: of AdamW. Biases and the weights of normalization have no weight decay.
        schedule, warmup_ratio: the learning rate over the steps, and the share of them over which it rises from 0.
        epochs, max_steps: the length of the training; the shorter one.
        examples_per_step: the number of examples of a step, over all processes. The last step of an epoch has the rest.
        examples_per_pass: the number of examples that a process runs at once. It changes memory and time, and numbers
            only by rounding.
        max_tokens: the largest number of tokens of prompt and answer together; of each of them in an encoder-decoder.
        too_long: `truncate` cuts the end of an answer that is too long; `skip` leaves the example out. An example whose
            prompt leaves no room for an answer is always left out.
        max_grad_norm: gradients with a larger norm are scaled down to it; `None` disables clipping.
        prompt_format: `auto`, `plain`, `alpaca` or `chat`.
        seed: of the order of the examples.
        keep_epochs: the epochs after which the weights are kept as a model folder; `all` of them.
        save_every: the number of steps between checkpoints.
        save_every_seconds: the number of seconds between further checkpoints; `None` is 60, or more where saving would
            take over 5% of the time.
        gradient_checkpointing: compute layers again in the backward pass: less memory, more time, equal numbers.
        mixed_precision: `no`, `bf16`, `fp16`, or `None` for Accelerate's configuration.
    """

    learning_rate: float = 2e-5
    weight_decay: float = 0.0
    schedule: Schedule = "cosine"
    warmup_ratio: float = 0.03
    epochs: int = 3
    max_steps: int | None = None
    examples_per_step: int = 128
    examples_per_pass: int = 8
    max_tokens: int = 512
    too_long: TooLong = "truncate"
    max_grad_norm: float | None = 1.0
    prompt_format: str = "auto"
    seed: int = 0
    keep_epochs: KeptEpochs = ()
    save_every: int = 50
    save_every_seconds: float | None = None
    gradient_checkpointing: bool = False
    mixed_precision: str | None = None

    def __post_init__(self) -> None:
        choices = {
            "schedule": get_args(Schedule),
            "too_long": get_args(TooLong),
            "mixed_precision": MIXED_PRECISIONS,
        }
        check_settings(self, at_least=_AT_LEAST, above_zero=_ABOVE_ZERO, choices=choices)
        if self.warmup_ratio >= 1:
            raise wrong_setting("warmup_ratio", "a number from 0 to below 1", self.warmup_ratio)
        check_kept_epochs(self.keep_epochs, self.epochs)

    @property
    def kept_epochs(self) -> range | tuple[int, ...]:
        """The epochs after which the weights are kept."""
        return range(1, self.epochs + 1) if self.keep_epochs == "all" else self.keep_epochs

    def warmup_steps(self, steps: int) -> int:
        """The number of steps over which the learning rate rises, as transformers rounds it."""
        return math.ceil(steps * self.warmup_ratio)

    def as_record(self) -> dict[str, object]:
        """The settings as JSON has them."""
        return {**asdict(self), "keep_epochs": kept_epochs_record(self.keep_epochs)}
