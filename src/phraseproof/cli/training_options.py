"""The options of a training, shared by `align` and `harden`. Their defaults are those of `AlignmentSettings`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from phraseproof.alignment import settings
from phraseproof.cli.options import TRAINING

DEFAULTS: Final = settings.AlignmentSettings()

Method = Annotated[
    str,
    typer.Option(
        help="The alignment method: pt+kl, pt, ft, ft+kl, pt+contrastive, ft+contrastive, mse, negation or joint. "
        "pt trains a soft prompt, ft all weights (docs/align.md).",
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
        help="The initial soft prompt: random-vocabulary, an adapter's folder, or a text.", rich_help_panel=TRAINING
    ),
]
Lambda = Annotated[
    float, typer.Option("--lambda", help="The weight of the KL term, from 0 to 1.", rich_help_panel=TRAINING)
]
LearningRate = Annotated[
    float,
    typer.Option(
        "--learning-rate",
        "--lr",
        help="The learning rate of AdamW. For all weights (ft) try 2e-5.",
        rich_help_panel=TRAINING,
    ),
]
MaxSteps = Annotated[int | None, typer.Option(help="The maximum number of training steps.", rich_help_panel=TRAINING)]
Epochs = Annotated[
    int | None,
    typer.Option(
        help="The number of passes through the pairs. Default: 5, without --max-steps.",
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
