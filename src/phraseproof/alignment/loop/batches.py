"""From a batch's drawn paraphrase sets to the model's output for each set, the input of a method's loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from phraseproof.alignment.loop.batch_order import Draw
from phraseproof.alignment.methods import GroupOutput
from phraseproof.alignment.pairs.tokens import SetTokens
from phraseproof.engine.training.forward import TargetLogits, TargetRow

if TYPE_CHECKING:
    from torch import nn


def run_groups(
    model: nn.Module,
    tokens: Sequence[SetTokens],
    draws: Sequence[Draw],
    *,
    need_prefix_states: bool,
    reference_needs_gradient: bool,
) -> list[GroupOutput]:
    """Run the drawn wordings of the drawn sets in one call.

    Args:
        model: a `TrainableModel`, possibly wrapped by Accelerate.
        tokens: the tokens of all sets.
        draws: the sets and wordings to run.
        need_prefix_states: also return the encoder's states at the soft prompt.
        reference_needs_gradient: without it, references are run without a graph.

    Returns:
        One output per draw, with rows for the reference, the paraphrases, the negations. T is the length of the
        longest target.
    """
    rows: list[TargetRow] = []
    starts: list[int] = []
    for draw in draws:
        starts.append(len(rows))
        rows += rows_of(tokens, [draw])
    output: TargetLogits = model(
        rows, need_prefix_states=need_prefix_states, without_graph=() if reference_needs_gradient else starts
    )
    ends = [*starts[1:], len(rows)]
    return [_group(output, draw, slice(start, end)) for draw, start, end in zip(draws, starts, ends, strict=True)]


def rows_of(tokens: Sequence[SetTokens], draws: Sequence[Draw]) -> list[TargetRow]:
    """The rows of the drawn wordings: for each set its reference, its paraphrases, its negations."""
    rows: list[TargetRow] = []
    for draw in draws:
        pair = tokens[draw.pair]
        contexts = [
            pair.reference,
            *(pair.paraphrases[index] for index in draw.paraphrases),
            *(pair.negations[index] for index in draw.negations),
        ]
        rows += [TargetRow(context, pair.target) for context in contexts]
    return rows


def _group(output: TargetLogits, draw: Draw, rows: slice) -> GroupOutput:
    return GroupOutput(
        logits=output.logits[rows],
        targets=output.targets[rows],
        mask=output.mask[rows],
        paraphrases=len(draw.paraphrases),
        negations=len(draw.negations),
        prefix_states=None if output.prefix_states is None else output.prefix_states[rows],
    )
