"""The settings of a training. Defaults are the paper's values where it gives them (PAPER.md, "Alignment (PT+KL)")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal, get_args

from phraseproof.alignment.method import LOW_RANK, LOW_RANK_SETTINGS, Trained
from phraseproof.errors import UsageError
from phraseproof.training.setting_checks import (
    MIXED_PRECISIONS,
    KeptEpochs,
    check_kept_epochs,
    check_settings,
    kept_epochs_record,
    wrong_setting,
)
from phraseproof.training.work import Schedule

Placement = Literal["input", "layers"]
KLSchedule = Literal["constant", "linear", "balanced"]
KLDirection = Literal["reverse", "forward", "symmetric"]
Labels = Literal["given", "none"]

RANDOM_VOCABULARY = "random-vocabulary"
"""The initial value of a soft prompt: the embeddings of random ordinary tokens."""

ALL_LINEAR = "all-linear"
"""All linear layers of attention and feed-forward layers: not embeddings, the output head, or routers of experts."""

DEFAULT_RATES: Mapping[Trained, float] = {"prompt": 5e-4, "lora": 2e-4, "dora": 2e-4, "weights": 2e-5}
"""Learning rates by what is trained. Soft prompt: the paper's. All weights: its rate for instruction tuning. Low-rank
adapters: that of LoRA (Hu et al., 2021, GPT-2) and QLoRA (Dettmers et al., 2023), ten times the one for all weights."""

RECOMMENDED = "lora+paft+choice"
"""The method that helped a real model, for pairs with options (docs/real-model.md)."""

RECOMMENDED_FOR_TEXTS = "lora+paft"
"""The same without the loss of the choice, for pairs without options."""

RECOMMENDED_RATE = 1e-3
"""The default learning rate of these two: the best of those tried on SmolLM2."""

RECOMMENDED_STEPS = 480
"""Their default length. A step reads one wording of each of its examples; after 160 steps, most of the gain was not
there yet."""

_RECOMMENDED = (RECOMMENDED, RECOMMENDED_FOR_TEXTS)

DEFAULT_EPOCHS = 5
"""The paper does not say how long it trained a soft prompt."""

HALF_PRECISION = "half_precision"
"""In the record of a frozen bfloat16 model that can be trained without padding: what is computed in bfloat16."""

PRODUCTS = "products"
"""Only products are, everything else is in float32. Records of earlier releases lack the entry: all was rounded."""

EVERYTHING = "all"
"""All of it is: the pass without padding was tried, and is not taken."""

_AT_LEAST: Mapping[str, float] = {
    "num_tokens": 1,
    "rank": 1,
    "lora_dropout": 0,
    "lambda_": 0,
    "weight_decay": 0,
    "paraphrases_per_batch": 1,
    "gradient_accumulation": 1,
    "warmup_steps": 0,
    "max_steps": 1,
    "epochs": 1,
    "eval_every": 1,
    "early_stopping_patience": 1,
    "save_every": 1,
    "held_out_fraction": 0,
}
_ABOVE_ZERO = ("learning_rate", "lora_alpha", "max_grad_norm", "push_bound", "save_every_seconds")


@dataclass(frozen=True, slots=True)
class AlignmentSettings:
    """All settings of one training. Equal settings, pairs and model give equal adapters on a CPU.

    Attributes:
        method: a name in `methods.METHODS`.
        num_tokens, placement: the soft prompt (`soft_prompt.SoftPrompt`); unused by other methods.
        init: what training starts from: `random-vocabulary` (a soft prompt) or zero (a low-rank adapter), both by
            default; the folder of another adapter of the same kind; or a text, for a soft prompt.
        rank, lora_alpha, lora_dropout, target_modules: the low-rank adapter (`low_rank.LowRankAdapter`); unused by
            other methods. `lora_alpha` is twice the rank by default. `target_modules` is `all-linear`, or names of
            layers separated by commas.
        lambda_: the weight of the KL term; the cross-entropy has 1 - lambda_.
        kl_schedule: `constant`: λ in every step. `linear`: λ (t + 1) / T in step t of T, counted from 0. `balanced`:
            the consistency term is scaled so that (1-λ) : λ is the ratio of the gradients' lengths at the logits.
        kl_direction: of the KL divergence: `reverse` is KL(paraphrase || reference), the paper's; `forward` is
            KL(reference || paraphrase); `symmetric` is their mean.
        labels: `given`: pairs with a label are trained on it. `none`: no pair is; λ is 1, and what the reference
            answers before training (with the adapter of `init`) is the target.
        guard: stop when cross-entropy on held-out pairs rises while KL falls, and keep the weights with the lowest
            cross-entropy; for methods with a term that compares wordings.
        learning_rate, weight_decay: of AdamW. By default, the rate depends on what is trained (`DEFAULT_RATES`); that
            of `lora+paft+choice` and `lora+paft` is `RECOMMENDED_RATE`.
        paraphrases_per_batch: the number of wordings in a batch in addition to the reference; drawn again every epoch.
        gradient_accumulation: the number of batches per step.
        schedule, warmup_steps: the learning rate over the steps. The paper does not say; our choice is cosine.
        max_steps, epochs: the length of the training; the shorter one if both are given. If neither is,
            `RECOMMENDED_STEPS` for `lora+paft+choice` and `lora+paft`, and 5 epochs for other methods.
        keep_epochs: the epochs after which the weights are also kept in a folder; `all` of them.
        seed: of the initial soft prompt, the order of pairs, the draw of wordings and of held-out pairs.
        detach_reference: stop the gradient through the reference's distribution. Without it, an early trial collapsed.
        push_bound: the maximum gain in nats per token from pushing two wordings apart; `None` is unbounded.
        reference_in_ce: include the reference wording in the cross-entropy.
        eval_every: the number of steps between evaluations on held-out pairs; `None` is once per epoch.
        early_stopping_patience: stop after this number of evaluations without a lower held-out loss, and keep the
            weights with the lowest; `None` trains to the end and keeps the last weights.
        max_grad_norm: gradients with a larger norm are scaled down to it; `None` disables clipping.
        prompt_format: `auto`, `plain`, `alpaca` or `chat`.
        save_every: the number of steps between checkpoints.
        save_every_seconds: the number of seconds between further checkpoints; `None` is 60, or more where saving would
            take over 5% of the time.
        held_out_fraction: the share of pairs, and of wordings that pairs share, to hold out.
        gradient_checkpointing: compute layers again in the backward pass instead of keeping what they computed: less
            memory, more time, equal numbers.
        mixed_precision: `no`, `bf16`, `fp16`, or `None` for Accelerate's configuration.
    """

    method: str = "pt+kl"
    num_tokens: int = 10
    placement: Placement = "input"
    init: str = RANDOM_VOCABULARY
    rank: int = 8
    lora_alpha: float | None = None
    lora_dropout: float = 0.0
    target_modules: str = ALL_LINEAR
    lambda_: float = 0.8
    kl_schedule: KLSchedule = "constant"
    kl_direction: KLDirection = "reverse"
    labels: Labels = "given"
    guard: bool = False
    learning_rate: float | None = None
    weight_decay: float = 1e-5
    paraphrases_per_batch: int = 3
    gradient_accumulation: int = 4
    schedule: Schedule = "cosine"
    warmup_steps: int = 0
    max_steps: int | None = None
    epochs: int | None = None
    keep_epochs: KeptEpochs = ()
    seed: int = 0
    detach_reference: bool = True
    push_bound: float | None = 1.0
    reference_in_ce: bool = True
    eval_every: int | None = None
    early_stopping_patience: int | None = None
    max_grad_norm: float | None = 1.0
    prompt_format: str = "auto"
    save_every: int = 50
    save_every_seconds: float | None = None
    held_out_fraction: float = 0.1
    gradient_checkpointing: bool = False
    mixed_precision: str | None = None

    def __post_init__(self) -> None:
        choices = {
            "placement": get_args(Placement),
            "schedule": get_args(Schedule),
            "kl_schedule": get_args(KLSchedule),
            "kl_direction": get_args(KLDirection),
            "labels": get_args(Labels),
            "mixed_precision": MIXED_PRECISIONS,
        }
        check_settings(self, at_least=_AT_LEAST, above_zero=_ABOVE_ZERO, choices=choices)
        if self.lambda_ > 1:
            raise wrong_setting("lambda_", "a number from 0 to 1", self.lambda_)
        for name in ("lora_dropout", "held_out_fraction"):
            if getattr(self, name) >= 1:
                raise wrong_setting(name, "a number from 0 to below 1", getattr(self, name))
        if not isinstance(self.keep_epochs, str):
            # A record in JSON has a list.
            object.__setattr__(self, "keep_epochs", tuple(self.keep_epochs))
        check_kept_epochs(self.keep_epochs, self.last_epoch)
        if self.early_stopping_patience is not None and not self.held_out_fraction:
            raise UsageError(
                "early stopping needs held-out pairs, and none are held out",
                where="--held-out-fraction",
                hint="Hold some out, for example --held-out-fraction 0.1",
            )
        if self.guard and not self.held_out_fraction:
            raise UsageError(
                "the guard needs held-out pairs, and none are held out",
                where="--held-out-fraction",
                hint="Hold some out, for example --held-out-fraction 0.1",
            )

    @property
    def last_epoch(self) -> int | None:
        """The number of epochs; `None` where only the number of steps is given, or has a default."""
        return self.epochs or (None if default_steps(self, self.method) else DEFAULT_EPOCHS)

    def resolved(self, trains: Trained) -> AlignmentSettings:
        """The settings with the defaults that depend on the method and on what is trained."""
        rate = RECOMMENDED_RATE if self.method in _RECOMMENDED else DEFAULT_RATES[trains]
        return replace(
            self,
            learning_rate=rate if self.learning_rate is None else self.learning_rate,
            max_steps=default_steps(self, self.method),
            lora_alpha=2.0 * self.rank if self.lora_alpha is None else self.lora_alpha,
        )

    def as_record(self, trains: Trained = "lora") -> dict[str, object]:
        """The settings as JSON data, under their attribute names, without those that nothing trained uses.

        Settings of low-rank adapters are omitted for other methods, so that trainings made before they existed match.
        """
        unused = () if trains in LOW_RANK else LOW_RANK_SETTINGS
        values = asdict(self) | {"keep_epochs": kept_epochs_record(self.keep_epochs)}
        return {name: value for name, value in values.items() if name not in unused}


def default_steps(settings: AlignmentSettings, *methods: str) -> int | None:
    """The maximum number of steps that is given, or that is the default where one of these methods is trained."""
    is_open = settings.max_steps is None and settings.epochs is None
    return RECOMMENDED_STEPS if is_open and any(method in _RECOMMENDED for method in methods) else settings.max_steps
