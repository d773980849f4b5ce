"""What `evaluate --dry-run` prints: cells, prompts, tokens, time and money."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import typer

from phraseproof.cli.progress import duration

if TYPE_CHECKING:
    from phraseproof.evaluation.forecast import Forecast
    from phraseproof.evaluation.prices import Price

CHARACTERS_PER_TOKEN = 4
"""Of English text. Used if the model's tokenizer is not on this machine."""


def print_forecast(forecast: Forecast, price: Price | None, *, as_json: bool) -> None:
    """Print the size and the expected time of an evaluation, and its cost if prices are given."""
    cost = None if price is None else price.of(_input_tokens(forecast), forecast.requests)
    if as_json:
        _print_json(forecast, cost)
        return
    tokens, timing = forecast.tokens, forecast.timing
    typer.echo(f"cells          {forecast.cells:>15,}  ({forecast.cells_missing:,} to compute)")
    typer.echo(f"prompts        {forecast.prompts:>15,}  ({forecast.prompts_missing:,} to compute)")
    exact = forecast.sampled_prompts == forecast.prompts_missing
    note = "counted" if exact else f"extrapolated from {forecast.sampled_prompts:,} prompts"
    if tokens is not None:
        typer.echo(f"tokens asked   {tokens.asked:>15,}  (one pass per option; {note})")
        saved = f"{tokens.asked / tokens.unique:.1f} times fewer" if tokens.unique else "nothing to compute"
        typer.echo(f"tokens unique  {tokens.unique:>15,}  (shared parts once: {saved})")
    if timing is not None:
        basis = f"{timing.prompts} prompts took {timing.sampled_seconds:.1f} s; without loading the model"
        typer.echo(f"time           {duration(timing.seconds):>15}  ({basis})")
    if cost is not None:
        counted = note if tokens is not None else f"assuming {CHARACTERS_PER_TOKEN} characters per token; {note}"
        basis = f"{_input_tokens(forecast):,} input and {forecast.requests:,} output tokens, one per option; {counted}"
        # Small evaluations cost less than a hundredth: two digits of the price, whatever its size.
        digits = 2 if cost >= 1 or cost == 0 else 1 - math.floor(math.log10(cost))
        typer.echo(f"price          {cost:>15,.{digits}f}  ({basis})")


def _print_json(forecast: Forecast, cost: float | None) -> None:
    names = ("cells", "prompts", "cells_missing", "prompts_missing")
    fields: dict[str, float] = {name: getattr(forecast, name) for name in names}
    if forecast.tokens is not None:
        fields |= {"tokens_asked": forecast.tokens.asked, "tokens_unique": forecast.tokens.unique}
    fields["sampled_prompts"] = forecast.sampled_prompts
    if forecast.timing is not None:
        fields |= {"seconds": forecast.timing.seconds, "timed_prompts": forecast.timing.prompts}
    if cost is not None:
        fields |= {"price": cost, "input_tokens": _input_tokens(forecast), "output_tokens": forecast.requests}
    typer.echo(json.dumps(fields))


def _input_tokens(forecast: Forecast) -> int:
    """A served model reads the prompt once per option."""
    if forecast.tokens is not None:
        return forecast.tokens.asked
    return round(forecast.characters / CHARACTERS_PER_TOKEN)
