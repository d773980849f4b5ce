"""Options of `phraseproof evaluate` that say how an option is read from a generated answer."""

from __future__ import annotations

from typing import Annotated

import typer

from phraseproof.cli.options import SCORING
from phraseproof.errors import UsageError

Extract = Annotated[
    str,
    typer.Option(
        metavar="auto|last_line|option_text|conclusion|regex:PATTERN",
        help="How an option is read from a generated answer (docs/scoring.md). Stored texts are read again without "
        "the model.",
        rich_help_panel=SCORING,
    ),
]
Reasoning = Annotated[
    bool,
    typer.Option(
        "--reasoning/--no-reasoning",
        help="Ask for a reasoning before the generated answer.",
        rich_help_panel=SCORING,
    ),
]
ReasoningText = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="The sentence that asks for the reasoning, at the end of every prompt. Implies --reasoning.",
        show_default=False,
        rich_help_panel=SCORING,
    ),
]


def read_reasoning(is_asked: bool, text: str | None, given: frozenset[str]) -> dict[str, object]:
    r"""The field of the spec that these options set; nothing where none was given.

    Args:
        is_asked: the value of `--reasoning`.
        text: the value of `--reasoning-text`, in which `\n` is a line break.
        given: the names of the parameters that were given.

    Raises:
        UsageError: a sentence, and no reasoning.
    """
    if text is None:
        return {"reasoning": is_asked} if "reasoning" in given else {}
    if "reasoning" in given and not is_asked:
        raise UsageError("a sentence that asks for a reasoning, and no reasoning", where="--reasoning-text")
    return {"reasoning": text.replace("\\n", "\n")}
