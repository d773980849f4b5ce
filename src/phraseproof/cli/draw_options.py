"""The options of draws of demonstrations and orders of options."""

from __future__ import annotations

from typing import Annotated

import typer

from phraseproof.cli.options import DATA

NumFewshot = Annotated[
    str,
    typer.Option(
        "--num-fewshot",
        "-k",
        help="The number of solved examples per prompt. Several numbers, such as 0,5, are evaluated one by one.",
        rich_help_panel=DATA,
    ),
]

FewshotSeed = Annotated[
    str,
    typer.Option(
        help="The seed of the draw of solved examples. Several seeds, such as 0,1,2, are evaluated one by one.",
        rich_help_panel=DATA,
    ),
]

FewshotDraws = Annotated[
    int | None,
    typer.Option(
        help="How many draws of solved examples are evaluated, with seeds from --fewshot-seed upwards "
        "(docs/few-shot.md).",
        show_default=False,
        rich_help_panel=DATA,
    ),
]

OptionOrders = Annotated[
    int,
    typer.Option(
        help="In how many orders the options are shown: the task's own, and others drawn at random (docs/few-shot.md).",
        rich_help_panel=DATA,
    ),
]
