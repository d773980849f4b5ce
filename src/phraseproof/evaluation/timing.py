"""How long an evaluation would take: a few of its prompts are scored, and the rest is extrapolated."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from phraseproof.core import Example, ForecastsTokens, Model, Prompt, ReportsSize, ScoresOptions, TokenForecast
from phraseproof.evaluation.plan import PlannedCell

QUICK_BYTES = 2 * 2**30
"""Larger weights take too long to load for an estimate that the user did not request."""

MAX_SECONDS = 5.0
MAX_PROMPTS = 64
_CHUNK = 8
_CELLS = 32
"""Prompts come from at most this number of cells, spread over the plan."""


class Timing(NamedTuple):
    """An estimate from a sample.

    Attributes:
        seconds: for all missing prompts, without loading the model.
        prompts: how many prompts were timed.
        sampled_seconds: how long they took.
    """

    seconds: float
    prompts: int
    sampled_seconds: float


def is_quick_to_load(model: Model) -> bool:
    """Whether the model computes in this process and its weights are small and on this machine."""
    size = model.weight_bytes if isinstance(model, ReportsSize) else None
    return size is not None and size <= QUICK_BYTES


def time_prompts(
    model: Model,
    missing: Sequence[PlannedCell],
    prompts_of: Callable[[PlannedCell, Sequence[Example]], list[Prompt]],
    tokens: TokenForecast | None,
    *,
    method: str,
) -> Timing | None:
    """Score up to `MAX_PROMPTS` prompts, for at most about `MAX_SECONDS` after a first batch that is not counted.

    Args:
        model: loads its weights if it has not.
        missing: what is not stored yet.
        prompts_of: renders some of a cell's prompts.
        tokens: of all missing prompts. Time is extrapolated by computed tokens where these are known, else by prompts.
        method: of scoring.

    Returns:
        `None` where nothing is missing or the model scores no options.
    """
    if not missing or not isinstance(model, ScoresOptions):
        return None
    # Neighbouring cells in the plan share examples, so chunks go through one example's wordings as bundles do.
    step = max(1, len(missing) // _CELLS)
    cells = missing[::step][:_CELLS]
    prompts = [
        prompt
        for number in range(MAX_PROMPTS // len(cells) + 1)
        for cell in cells
        for prompt in prompts_of(cell, cell.task.examples[number : number + 1])
    ][: MAX_PROMPTS + _CHUNK]
    chunks = [prompts[start : start + _CHUNK] for start in range(0, len(prompts), _CHUNK)]
    model.score_options(chunks[0], method=method)
    timed: list[Prompt] = []
    spent = 0.0
    for chunk in chunks[1:] or chunks:
        began = time.perf_counter()
        model.score_options(chunk, method=method)
        spent += time.perf_counter() - began
        timed += chunk
        if spent > MAX_SECONDS:
            break
    total: float = sum(len(cell.task.examples) for cell in missing)
    part: float = len(timed)
    if tokens is not None and isinstance(model, ForecastsTokens):
        total = tokens.unique
        part = sum(model.forecast_tokens(timed[n : n + _CHUNK]).unique for n in range(0, len(timed), _CHUNK))
    return Timing(spent * total / part, len(timed), spent)
