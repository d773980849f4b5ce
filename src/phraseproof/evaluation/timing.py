"""How long an evaluation would take: a few of its prompts are scored, and the rest is extrapolated."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from phraseproof.core import (
    Example,
    ForecastsTokens,
    Model,
    OptionScores,
    Prompt,
    ScoresOptions,
    TokenForecast,
)
from phraseproof.errors import ModelError
from phraseproof.evaluation.plan import PlannedCell

MAX_SECONDS = 5.0
MAX_PROMPTS = 64
_CHUNK = 8
SERVED_CHUNKS = (2, 4, 8, 16)
"""How many prompts a server gets at once in a dry run: few, because they may cost money."""

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
    prompts = _spread(missing, prompts_of, MAX_PROMPTS + _CHUNK)
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


def time_requests(
    ask: Callable[[Sequence[Prompt], Sequence[int], Callable[[int, OptionScores | ModelError], None]], None],
    missing: Sequence[PlannedCell],
    prompts_of: Callable[[PlannedCell, Sequence[Example]], list[Prompt]],
) -> Timing | None:
    """Request a few answers of a server, each time more of them at once, and extrapolate from the last ones.

    Args:
        ask: requests answers, as `AskedModel.stream`.
        missing: what is not stored yet.
        prompts_of: renders some of a cell's prompts.

    Returns:
        `None` where nothing is missing.

    Raises:
        ModelError: the server does not answer, or an answer cannot be used.
    """
    prompts = _spread(missing, prompts_of, sum(SERVED_CHUNKS))
    total = sum(len(cell.task.examples) for cell in missing)
    timing: Timing | None = None
    start = spent = 0

    def keep(_: int, scores: OptionScores | ModelError) -> None:
        if isinstance(scores, ModelError):
            raise scores

    for size in SERVED_CHUNKS:
        chunk = prompts[start : start + size]
        if not chunk or (timing is not None and len(chunk) < timing.prompts) or spent > MAX_SECONDS:
            break
        began = time.perf_counter()
        ask(chunk, [0] * len(chunk), keep)
        took = time.perf_counter() - began
        timing = Timing(took * total / len(chunk), len(chunk), took)
        start, spent = start + size, spent + took
    return timing


def _spread(
    missing: Sequence[PlannedCell],
    prompts_of: Callable[[PlannedCell, Sequence[Example]], list[Prompt]],
    count: int,
) -> list[Prompt]:
    """At most this number of prompts, from cells that are spread over the plan."""
    # Neighbouring cells in the plan share examples, so chunks go through one example's wordings as bundles do.
    step = max(1, len(missing) // _CELLS)
    cells = missing[::step][:_CELLS]
    if not cells:
        return []
    return [
        prompt
        for number in range(count // len(cells) + 1)
        for cell in cells
        for prompt in prompts_of(cell, cell.task.examples[number : number + 1])
    ][:count]
