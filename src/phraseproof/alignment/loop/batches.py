"""From a batch's drawn paraphrase sets to the model's output for each set, the input of a method's loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from phraseproof.alignment.loop.batch_order import Draw
from phraseproof.alignment.method import GroupOutput, OptionOutput
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
    references: list[int] = []
    for draw in draws:
        starts.append(len(rows))
        if draw.has_reference and not reference_needs_gradient:
            main, others = 1 + len(draw.paraphrases) + len(draw.negations), len(tokens[draw.pair].options) - 1
            references += [len(rows), *range(len(rows) + main, len(rows) + main + others)]
        rows += rows_of(tokens, [draw])
    output: TargetLogits = model(rows, need_prefix_states=need_prefix_states, without_graph=references)
    ends = [*starts[1:], len(rows)]
    return [
        _group(output, tokens[draw.pair], draw, slice(start, end))
        for draw, start, end in zip(draws, starts, ends, strict=True)
    ]


def rows_of(tokens: Sequence[SetTokens], draws: Sequence[Draw]) -> list[TargetRow]:
    """The rows of the drawn wordings: for each set its reference, its paraphrases, its negations.

    A set whose options are needed has more rows: for the reference and each paraphrase, the options other than the
    target, in the order of the options.
    """
    rows: list[TargetRow] = []
    for draw in draws:
        pair = tokens[draw.pair]
        wordings = [
            *([pair.reference] if draw.has_reference else []),
            *(pair.paraphrases[index] for index in draw.paraphrases),
        ]
        negations = [pair.negations[index] for index in draw.negations]
        rows += [TargetRow(context, pair.target) for context in (*wordings, *negations)]
        if pair.options:
            chosen = pair.options.index(pair.target)
            others = [*pair.options[:chosen], *pair.options[chosen + 1 :]]
            rows += [TargetRow(context, option) for context in wordings for option in others]
    return rows


def _group(output: TargetLogits, pair: SetTokens, draw: Draw, rows: slice) -> GroupOutput:
    wordings = len(draw.paraphrases) + draw.has_reference
    main = slice(rows.start, rows.start + wordings + len(draw.negations))
    return GroupOutput(
        logits=output.logits[main],
        targets=output.targets[main],
        mask=output.mask[main],
        # Where the reference is left out, the one wording of the set takes its place.
        paraphrases=wordings - 1,
        negations=len(draw.negations),
        prefix_states=None if output.prefix_states is None else output.prefix_states[main],
        labelled=pair.labelled,
        options=_options(output, pair, wordings, main) if pair.options else None,
    )


def _options(output: TargetLogits, pair: SetTokens, wordings: int, main: slice) -> OptionOutput:
    """The rows of the options, [wordings, options]: those of the target are the main ones."""
    others = len(pair.options) - 1
    chosen = pair.options.index(pair.target)
    places: list[list[int]] = []
    for wording in range(wordings):
        own = list(range(main.stop + wording * others, main.stop + (wording + 1) * others))
        own.insert(chosen, main.start + wording)
        places.append(own)
    index = torch.tensor(places, device=output.logits.device)
    targets, scored = output.targets[index], output.mask[index].clone()
    if pair.has_end:
        for place, option in enumerate(pair.options):
            scored[:, place, len(option) - 1] = False
    weights = torch.tensor(pair.weights, device=index.device) if pair.weights else None
    return OptionOutput(output.logits[index], targets, scored, chosen, weights)
