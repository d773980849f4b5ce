"""The options of a training that several of `align`, `harden` and `tune` have.

`DEFAULTS` are those of `align` and `harden`; `tune` has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from phraseproof.alignment import settings
from phraseproof.cli.options import DATA, OUTPUT, TRAINING
from phraseproof.cli.without_effect import refuse_options
from phraseproof.errors import UsageError
from phraseproof.training import work
from phraseproof.training.setting_checks import KeptEpochs

DEFAULTS: Final = settings.AlignmentSettings()

_NAMES: Final = {"detach_reference": "reference_gradient"}
"""Parameters that are not called as the setting."""

Method = Annotated[
    str,
    typer.Option(
        help="The alignment method: what is trained (pt: a soft prompt; lora, dora: a low-rank adapter; ft: all "
        "weights) and the loss, as in pt, pt+kl, lora+kl, pt+js, lora+swarm, ft+contrastive; or paft, mse, negation, "
        "joint (docs/align.md). pt+kl is the paper's; lora+paft+choice helped a real model most.",
        rich_help_panel=TRAINING,
    ),
]
NumTokens = Annotated[
    int, typer.Option(help="The number of virtual tokens of the soft prompt.", rich_help_panel=TRAINING)
]
Placement = Annotated[
    settings.Placement,
    typer.Option(
        help="The place of the soft prompt: at the input, or as keys and values in all decoder layers.",
        rich_help_panel=TRAINING,
    ),
]
Init = Annotated[
    str,
    typer.Option(
        help="What training starts from: random-vocabulary, a text (soft prompts), or the folder of another adapter of "
        "the same kind (soft prompts, lora, dora).",
        rich_help_panel=TRAINING,
    ),
]
Lambda = Annotated[
    float,
    typer.Option(
        "--lambda",
        help="The weight of the KL term, from 0 to 1. A warning says where the reference is not shown to be worth it.",
        rich_help_panel=TRAINING,
    ),
]
KLSchedule = Annotated[
    settings.KLSchedule,
    typer.Option(
        help="The weight of the KL term over the steps: constant, linear (from 0 to --lambda), or balanced: the term "
        "is scaled so that its gradient at the logits is as long as that of the cross-entropy.",
        rich_help_panel=TRAINING,
    ),
]
KLDirection = Annotated[
    settings.KLDirection,
    typer.Option(
        help="reverse: KL(paraphrase || reference), as in the paper. forward: KL(reference || paraphrase). symmetric: "
        "the mean of both.",
        rich_help_panel=TRAINING,
    ),
]
Labels = Annotated[
    settings.Labels,
    typer.Option(
        help="none: train without labels. λ is 1, and the targets are what the reference wording answers before "
        "training.",
        rich_help_panel=TRAINING,
    ),
]
Guard = Annotated[
    bool,
    typer.Option(
        "--guard",
        help="Stop when cross-entropy on held-out pairs rises while KL falls, and keep the weights with the lowest "
        "cross-entropy. For methods that compare wordings.",
        rich_help_panel=TRAINING,
    ),
]
Rank = Annotated[int, typer.Option(help="The rank of a low-rank adapter (lora, dora).", rich_help_panel=TRAINING)]
LoraAlpha = Annotated[
    float | None,
    typer.Option(
        "--alpha",
        help="The weight of a low-rank adapter, times its rank. Default: twice the rank.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
LoraDropout = Annotated[
    float,
    typer.Option(
        "--dropout", help="The share of inputs that a low-rank adapter drops in training.", rich_help_panel=TRAINING
    ),
]
TargetModules = Annotated[
    str,
    typer.Option(
        help="The layers that a low-rank adapter changes: all-linear, or names separated by commas (q_proj,v_proj).",
        rich_help_panel=TRAINING,
    ),
]
LearningRate = Annotated[
    float | None,
    typer.Option(
        "--learning-rate",
        "--lr",
        help="The learning rate of AdamW. Default: 5e-4 for a soft prompt, 2e-4 for lora and dora, 2e-5 for ft; 1e-3 "
        "for lora+paft+choice and lora+paft.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
ParaphrasesPerBatch = Annotated[
    int,
    typer.Option(help="The number of wordings in a batch in addition to the reference.", rich_help_panel=TRAINING),
]
GradientAccumulation = Annotated[int, typer.Option(help="The number of batches per step.", rich_help_panel=TRAINING)]
MaxSteps = Annotated[int | None, typer.Option(help="The maximum number of training steps.", rich_help_panel=TRAINING)]
Epochs = Annotated[
    int | None,
    typer.Option(
        help="The number of passes through the pairs. Default without --max-steps: 5; for lora+paft+choice and "
        "lora+paft 480 steps.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
EarlyStoppingPatience = Annotated[
    int | None,
    typer.Option(
        help="Stop after this number of evaluations without a lower loss on held-out pairs, and keep the best weights.",
        rich_help_panel=TRAINING,
    ),
]
TrainingSeed = Annotated[int, typer.Option("--seed", help="The seed of all random draws.", rich_help_panel=TRAINING)]
Schedule = Annotated[work.Schedule, typer.Option(help="The learning rate over the steps.", rich_help_panel=TRAINING)]
MaxGradNorm = Annotated[
    float,
    typer.Option(
        help="The maximum norm of the gradient. Larger gradients are scaled down to it.", rich_help_panel=TRAINING
    ),
]
SaveEvery = Annotated[int, typer.Option(help="The number of steps between checkpoints.", rich_help_panel=TRAINING)]
SaveEverySeconds = Annotated[
    float | None,
    typer.Option(
        help="The number of seconds between further checkpoints. Default: 60, or more where saving is slow.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
Validation = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=FILE",
        help="Further data, in the form of the training data, whose loss is measured before training and after every "
        "epoch. Repeatable.",
        rich_help_panel=DATA,
    ),
]
KeepEpochs = Annotated[
    str | None,
    typer.Option(
        metavar="<all|N,N,...>",
        help="The epochs after which the weights are also kept, in OUT/epochs/N.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
GradientCheckpointing = Annotated[
    bool,
    typer.Option(
        "--gradient-checkpointing",
        help="Compute layers again in the backward pass: less memory, more time, equal numbers.",
        rich_help_panel=TRAINING,
    ),
]
MixedPrecision = Annotated[
    str | None,
    typer.Option(
        metavar="<no|bf16|fp16>",
        help="The precision of the computation. Default: Accelerate's configuration.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Print steps, tokens, time and memory; train and write nothing.",
        rich_help_panel=OUTPUT,
    ),
]
Timing = Annotated[
    bool | None,
    typer.Option(
        "--timing/--no-timing",
        help="Do a few steps in a dry run to estimate time and memory. Default: for weights up to 2 GiB.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]


def read_epochs(text: str | None) -> KeptEpochs:
    """The value of `--keep-epochs`.

    Raises:
        UsageError: it is neither `all` nor a list of numbers.
    """
    if text is None or text == "all":
        return text or ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            "these are no epochs", expected="all, or whole numbers separated by commas", got=text, where="--keep-epochs"
        ) from None


def read_validation(named: Sequence[str] | None) -> dict[str, Path]:
    """The values of `--validation`: files by name.

    Raises:
        UsageError: a value without a name, or a name that is given twice.
    """
    found: dict[str, Path] = {}
    for text in named or ():
        name, equals, path = text.partition("=")
        if not equals or not name.strip() or not path or name in found:
            raise UsageError(
                "a name is given twice" if name in found else "a validation file needs a name",
                expected="NAME=FILE, each name once",
                got=text,
                where="--validation",
            )
        found[name] = Path(path)
    return found


def refuse_unused(ctx: typer.Context, names: Sequence[str]) -> None:
    """Refuse options that have no effect on any of these methods; a method that is not ours may use all.

    Raises:
        UsageError: one of them was given.
    """
    from phraseproof.alignment.methods import METHODS

    if not set(names) <= METHODS.keys():
        return
    unused = frozenset[str].intersection(*(METHODS[name].unused_settings for name in names))
    refuse_options(
        ctx, [_NAMES.get(name, name) for name in unused], f"has no effect on the method {' or '.join(names)}"
    )
