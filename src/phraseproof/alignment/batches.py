"""From drawn pairs to a network's output, by pair: what a method's loss takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from phraseproof.alignment.methods import GroupOutput
from phraseproof.alignment.order import Draw
from phraseproof.alignment.prompts import PairTokens
from phraseproof.engine.training.forward import Row, TargetLogits


def run_groups(
    trainee: Any,
    tokens: Sequence[PairTokens],
    draws: Sequence[Draw],
    *,
    need_prefix_states: bool,
    reference_needs_gradient: bool,
) -> list[GroupOutput]:
    """Run the drawn wordings of the drawn pairs in one call.

    Args:
        trainee: a `Trainee`, wrapped by Accelerate or not.
        tokens: of all pairs.
        draws: which pairs and wordings.
        need_prefix_states: also the encoder's states at the soft prompt.
        reference_needs_gradient: else the references are run without a graph.

    Returns:
        One output a draw: the reference's row, the paraphrases', the negations'. T is the longest target's.
    """
    rows: list[Row] = []
    starts: list[int] = []
    for draw in draws:
        starts.append(len(rows))
        rows += rows_of(tokens, [draw])
    output: TargetLogits = trainee(
        rows, need_prefix_states=need_prefix_states, without_graph=() if reference_needs_gradient else starts
    )
    ends = [*starts[1:], len(rows)]
    return [_group(output, draw, slice(start, end)) for draw, start, end in zip(draws, starts, ends, strict=True)]


def rows_of(tokens: Sequence[PairTokens], draws: Sequence[Draw]) -> list[Row]:
    """The drawn wordings of the drawn pairs: each pair's reference, its paraphrases, its negations."""
    rows: list[Row] = []
    for draw in draws:
        pair = tokens[draw.pair]
        contexts = [
            pair.reference,
            *(pair.paraphrases[index] for index in draw.paraphrases),
            *(pair.negations[index] for index in draw.negations),
        ]
        rows += [Row(context, pair.target) for context in contexts]
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
