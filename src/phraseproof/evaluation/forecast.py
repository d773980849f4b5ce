"""What an evaluation would cost, without doing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from phraseproof.core import ChoosesMethod, CountsTokens, Example, ForecastsTokens, Model, Prompt, TokenForecast
from phraseproof.evaluation.plan import PlannedCell, sample_task
from phraseproof.evaluation.timing import Timing
from phraseproof.evaluation.work import count_prompts
from phraseproof.scoring.registry import scorer
from phraseproof.scoring.scorer import Reading

FORECAST_EXAMPLES = 100
"""Tokens are counted on at most this number of examples per task, and extrapolated."""


class RequestLoad(NamedTuple):
    """What a server would get and give.

    Attributes:
        requests: one for each option that is scored, or one for each answer.
        characters: of the prompts of all requests, options included.
        output_tokens: of all answers, at most.
    """

    requests: int
    characters: int
    output_tokens: int


NO_REQUESTS = RequestLoad(0, 0, 0)


@dataclass(frozen=True)
class Forecast:
    """What an evaluation would cost.

    Attributes:
        cells, prompts: in the whole plan.
        cells_missing, prompts_missing: what is not stored yet.
        tokens: for the missing prompts, without generated texts; `None` when the model cannot count tokens.
        sampled_prompts: how many prompts the token counts were extrapolated from.
        timing: how long it would take; `None` where nothing was timed.
        most: the requests of a served model, extrapolated like tokens.
        least: the smallest numbers that are possible; equal to `most` where it is known how answers are read.
        is_served: whether the model is behind a server.
        untimed: why the time is not known, where it was to be estimated.
        is_free_text: whether the tasks have no options, so that texts are generated.
        judge_questions: what metrics that ask a model would ask it, at most: equal questions and those whose answers
            are kept are not asked again.
    """

    cells: int
    prompts: int
    cells_missing: int
    prompts_missing: int
    tokens: TokenForecast | None
    sampled_prompts: int
    timing: Timing | None = None
    most: RequestLoad = NO_REQUESTS
    least: RequestLoad = NO_REQUESTS
    is_served: bool = False
    untimed: str = ""
    is_free_text: bool = False
    judge_questions: int = 0


def forecast_of(
    model: Model,
    planned: Sequence[PlannedCell],
    missing: Sequence[PlannedCell],
    prompts_of: Callable[[PlannedCell, Sequence[Example]], list[Prompt]],
    *,
    max_new_tokens: int = 0,
    readings: Sequence[Reading] = (),
) -> Forecast:
    """The cost of an evaluation.

    Args:
        model: what is evaluated.
        planned: the whole plan.
        missing: what is not stored yet; of a cell that is stored in part, with the missing examples only.
        prompts_of: renders some of a cell's prompts.
        max_new_tokens: of a generated answer.
        readings: the ways in which answers may be read, where that is not known; else each cell's scorer decides.
    """
    sampled = 0
    counted = isinstance(model, ForecastsTokens) and not missing
    asked = unique = 0.0
    least: list[RequestLoad] = []
    most: list[RequestLoad] = []
    for task, scoring in dict.fromkeys((each.task.name, each.cell.scoring) for each in missing):
        of_task = [each for each in missing if (each.task.name, each.cell.scoring) == (task, scoring)]
        few = [sample_task(each.task, FORECAST_EXAMPLES, 0).examples for each in of_task]
        prompts = [prompt for each, some in zip(of_task, few, strict=True) for prompt in prompts_of(each, some)]
        scale = sum(len(each.task.examples) for each in of_task) / len(prompts)
        loads = [_load(prompts, reading, scale, max_new_tokens) for reading in readings or (scorer(scoring).reading,)]
        least.append(RequestLoad(*map(min, zip(*loads, strict=True))))
        most.append(RequestLoad(*map(max, zip(*loads, strict=True))))
        sampled += len(prompts)
        if (part := _tokens(model, prompts)) is not None:
            asked += part.asked * scale
            unique += part.unique * scale
            counted = True
    return Forecast(
        cells=len(planned),
        prompts=count_prompts(planned),
        cells_missing=len(missing),
        prompts_missing=sum(len(each.task.examples) for each in missing),
        tokens=TokenForecast(round(asked), round(unique)) if counted else None,
        sampled_prompts=sampled,
        most=_sum(most),
        least=_sum(least),
        is_served=isinstance(model, ChoosesMethod),
        is_free_text=not any(each.task.kind.has_options for each in planned),
    )


def _tokens(model: Model, prompts: Sequence[Prompt]) -> TokenForecast | None:
    """The tokens of prompts with their options; `None` where the model cannot count them."""
    if any(prompt.options for prompt in prompts):
        return model.forecast_tokens(prompts) if isinstance(model, ForecastsTokens) else None
    if not isinstance(model, CountsTokens):
        return None
    read = sum(model.count_tokens(prompts))
    return TokenForecast(read, read)


def _load(prompts: Sequence[Prompt], reading: Reading, scale: float, max_new_tokens: int) -> RequestLoad:
    """The requests for prompts, times `scale`. An echo and a first token take one token of output."""
    texts = [
        prompt.text + option
        for prompt in prompts
        for option in (prompt.options if reading is Reading.OPTIONS else ("",))
    ]
    requests = round(scale * len(texts))
    output = max_new_tokens if reading is Reading.TEXT else 1
    return RequestLoad(requests, round(scale * sum(map(len, texts))), requests * output)


def _sum(loads: Sequence[RequestLoad]) -> RequestLoad:
    return RequestLoad(*map(sum, zip(*loads, strict=True))) if loads else NO_REQUESTS
