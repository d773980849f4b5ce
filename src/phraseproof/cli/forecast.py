"""What `evaluate --dry-run` prints: cells, prompts, tokens, time and money."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import typer

from phraseproof.cli.progress import duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from phraseproof.evaluation.forecast import Forecast, RequestLoad
    from phraseproof.evaluation.prices import Price

CHARACTERS_PER_TOKEN = 4
"""Of English text. Used if the model's tokenizer is not on this machine."""


def print_forecast(forecast: Forecast, price: Price | None, *, as_json: bool) -> None:
    """Print the size and the expected time of an evaluation, and its cost if prices are given."""
    if as_json:
        _print_json(forecast, price)
        return
    tokens, timing = forecast.tokens, forecast.timing
    typer.echo(f"cells          {forecast.cells:>15,}  ({forecast.cells_missing:,} to compute)")
    typer.echo(f"prompts        {forecast.prompts:>15,}  ({forecast.prompts_missing:,} to compute)")
    exact = forecast.sampled_prompts == forecast.prompts_missing
    note = "counted" if exact else f"extrapolated from {forecast.sampled_prompts:,} prompts"
    if forecast.is_free_text:
        _print_text_tokens(forecast, note)
    elif tokens is not None:
        typer.echo(f"tokens asked   {tokens.asked:>15,}  (one pass per option; {note})")
        saved = f"{tokens.asked / tokens.unique:.1f} times fewer" if tokens.unique else "nothing to compute"
        typer.echo(f"tokens unique  {tokens.unique:>15,}  (shared parts once: {saved})")
    if forecast.is_served:
        typer.echo(f"requests       {_bounds(forecast, _requests):>15}  ({note})")
    if forecast.judge_questions:
        typer.echo(f"judge asked    {forecast.judge_questions:>15,}  (at most; what it answered before is kept)")
    if timing is not None:
        where = "at the server" if forecast.is_served else "without loading the model"
        basis = f"{timing.prompts} prompts took {timing.sampled_seconds:.1f} s; {where}"
        typer.echo(f"time           {duration(timing.seconds):>15}  ({basis})")
    elif forecast.untimed:
        typer.echo(f"time           {'unknown':>15}  ({forecast.untimed})")
    if price is not None:
        counted = note if tokens is not None else f"assuming {CHARACTERS_PER_TOKEN} characters per token; {note}"
        read = _bounds(forecast, lambda load: f"{_input_tokens(forecast, load):,}")
        written = _bounds(forecast, lambda load: f"{load.output_tokens:,}")
        cost = _bounds(forecast, lambda load: _amount(_cost(forecast, load, price)))
        less = ", without the judge" if forecast.judge_questions else ""
        typer.echo(f"price          {cost:>15}  ({read} input and at most {written} output tokens{less}; {counted})")


def _print_text_tokens(forecast: Forecast, note: str) -> None:
    if forecast.tokens is not None:
        typer.echo(f"tokens read    {forecast.tokens.unique:>15,}  ({note})")
    typer.echo(f"tokens written {forecast.most.output_tokens:>15,}  (at most)")


def _bounds(forecast: Forecast, show: Callable[[RequestLoad], str]) -> str:
    """A number; or the least and the most, where the way to read answers is not known."""
    return " to ".join(dict.fromkeys((show(forecast.least), show(forecast.most))))


def _requests(load: RequestLoad) -> str:
    return f"{load.requests:,}"


def _cost(forecast: Forecast, load: RequestLoad, price: Price) -> float:
    return price.of(_input_tokens(forecast, load), load.output_tokens)


def _amount(cost: float) -> str:
    # Small evaluations cost less than a hundredth: two digits of the price, whatever its size.
    digits = 2 if cost >= 1 or cost == 0 else 1 - math.floor(math.log10(cost))
    return f"{cost:,.{digits}f}"


def _print_json(forecast: Forecast, price: Price | None) -> None:
    names = ("cells", "prompts", "cells_missing", "prompts_missing")
    fields: dict[str, float] = {name: getattr(forecast, name) for name in names}
    if forecast.tokens is not None:
        fields |= {"tokens_asked": forecast.tokens.asked, "tokens_unique": forecast.tokens.unique}
    if forecast.is_free_text:
        fields["output_tokens"] = forecast.most.output_tokens
    if forecast.judge_questions:
        fields["judge_questions"] = forecast.judge_questions
    fields["sampled_prompts"] = forecast.sampled_prompts
    if forecast.timing is not None:
        fields |= {"seconds": forecast.timing.seconds, "timed_prompts": forecast.timing.prompts}
    loads = {"": forecast.most} | ({"least_": forecast.least} if forecast.least != forecast.most else {})
    for prefix, load in loads.items():
        if forecast.is_served:
            fields[f"{prefix}requests"] = load.requests
        if price is not None:
            fields |= {
                f"{prefix}price": _cost(forecast, load, price),
                f"{prefix}input_tokens": _input_tokens(forecast, load),
                f"{prefix}output_tokens": load.output_tokens,
            }
    typer.echo(json.dumps(fields))


def _input_tokens(forecast: Forecast, load: RequestLoad) -> int:
    """The tokens that are read; a model that scores options reads the prompt once per option."""
    if forecast.tokens is not None:
        return forecast.tokens.asked
    return round(load.characters / CHARACTERS_PER_TOKEN)
