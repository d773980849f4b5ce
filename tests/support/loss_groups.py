"""Made-up outputs of a network for one paraphrase set, and made-up sets, for tests of losses."""

from __future__ import annotations

from typing import Any

import torch

from phraseproof.alignment.method import GroupOutput, OptionOutput
from phraseproof.alignment.pairs import ParaphraseSet

T, V, C = 3, 6, 4
TARGET = 2
"""The place of the target among the options."""


def group(paraphrases: int = 3, negations: int = 0, *, seed: int = 0, states: bool = False) -> GroupOutput:
    """Random logits [rows, 3, 6] in float64, one target for all rows, and encoder states [rows, 2, 4] if asked for."""
    rows = 1 + paraphrases + negations
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, T, V, generator=generator, dtype=torch.float64)
    targets = torch.randint(V, (1, T), generator=generator).expand(rows, T)
    found = torch.randn(rows, 2, 4, generator=generator, dtype=torch.float64) if states else None
    mask = torch.ones(rows, T, dtype=torch.bool)
    return GroupOutput(logits.requires_grad_(), targets, mask, paraphrases, negations, found)


def options(wordings: int, *, seed: int = 0, weights: list[float] | None = None, has_end: bool = False) -> OptionOutput:
    """Random logits [wordings, 4, 3, 6] of four options with 1, 2, 3 and 2 tokens; the last is not scored if asked."""
    generator = torch.Generator().manual_seed(1000 + seed)
    logits = torch.randn(wordings, C, T, V, generator=generator, dtype=torch.float64)
    targets = torch.randint(V, (1, C, T), generator=generator).expand(wordings, C, T).clone()
    scored = torch.zeros(wordings, C, T, dtype=torch.bool)
    for option, size in enumerate((1, 2, 3, 2)):
        targets[:, option, size:] = -100
        scored[:, option, : size - has_end if size > 1 else size] = True
    found = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    return OptionOutput(logits.requires_grad_(), targets, scored, TARGET, found)


def pair(instruction: str = "Say.", *, negations: tuple[str, ...] = (), **fields: Any) -> ParaphraseSet:
    """A set with one paraphrase."""
    return ParaphraseSet(instruction, ("Tell.",), "x", "y", negations=negations, **fields)
