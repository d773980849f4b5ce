"""What an evaluation would cost, without doing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from phraseproof.core import Example, ForecastsTokens, Model, Prompt, TokenForecast
from phraseproof.evaluation.plan import PlannedCell, sample_task
from phraseproof.evaluation.timing import Timing
from phraseproof.evaluation.work import count_prompts

FORECAST_EXAMPLES = 100
"""Tokens are counted on at most this number of examples per task, and extrapolated."""


@dataclass(frozen=True)
class Forecast:
    """What an evaluation would cost.

    Attributes:
        cells, prompts: in the whole plan.
        cells_missing, prompts_missing: what is not stored yet.
        tokens: for the missing prompts; `None` when the model cannot count tokens.
        sampled_prompts: how many prompts the token counts were extrapolated from.
        timing: how long it would take; `None` where nothing was timed.
        requests: how many requests a served model would get: one for each option that is scored, or each answer.
        characters: of the prompts of all requests, options included; extrapolated like tokens.
    """

    cells: int
    prompts: int
    cells_missing: int
    prompts_missing: int
    tokens: TokenForecast | None
    sampled_prompts: int
    timing: Timing | None = None
    requests: int = 0
    characters: int = 0


def forecast_of(
    model: Model,
    planned: Sequence[PlannedCell],
    missing: Sequence[PlannedCell],
    prompts_of: Callable[[PlannedCell, Sequence[Example]], list[Prompt]],
    *,
    scores_options: bool = True,
) -> Forecast:
    """The cost of an evaluation.

    Args:
        model: what is evaluated.
        planned: the whole plan.
        missing: what is not stored yet; of a cell that is stored in part, with the missing examples only.
        prompts_of: renders some of a cell's prompts.
        scores_options: whether every option is scored; otherwise a prompt is answered once.
    """
    sampled = 0
    asked = unique = requests = characters = 0.0
    for task in dict.fromkeys(each.task.name for each in missing):
        of_task = [each for each in missing if each.task.name == task]
        few = [sample_task(each.task, FORECAST_EXAMPLES, 0).examples for each in of_task]
        prompts = [prompt for each, some in zip(of_task, few, strict=True) for prompt in prompts_of(each, some)]
        scale = sum(len(each.task.examples) for each in of_task) / len(prompts)
        texts = [prompt.text + option for prompt in prompts for option in (prompt.options if scores_options else ("",))]
        requests += scale * len(texts)
        characters += scale * sum(map(len, texts))
        sampled += len(prompts)
        if isinstance(model, ForecastsTokens):
            part = model.forecast_tokens(prompts)
            asked += part.asked * scale
            unique += part.unique * scale
    return Forecast(
        cells=len(planned),
        prompts=count_prompts(planned),
        cells_missing=len(missing),
        prompts_missing=sum(len(each.task.examples) for each in missing),
        tokens=TokenForecast(round(asked), round(unique)) if isinstance(model, ForecastsTokens) else None,
        sampled_prompts=sampled,
        requests=round(requests),
        characters=round(characters),
    )
