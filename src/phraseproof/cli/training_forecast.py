"""What `align` and `tune` both print: a forecast of steps, tokens, time and memory, and losses per epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from phraseproof.cli import terminal
from phraseproof.cli.progress import duration

if TYPE_CHECKING:
    from phraseproof.alignment.loop.forecast import AlignmentForecast
    from phraseproof.training.forecast import TrainingForecast


def print_training_forecast(forecast: AlignmentForecast, *, as_json: bool) -> None:
    """Print the size of a training, and its expected time and memory if some steps were timed."""
    if as_json:
        terminal.print_json(forecast.as_record())
        return
    print_line(
        "steps",
        f"{forecast.steps:,}",
        f"{forecast.batches_per_step} batches each; every pair {forecast.epochs:.3g} times",
    )
    print_line("pairs", f"{forecast.pairs:,}", "to train on")
    if forecast.evaluations and forecast.held_out_pairs:
        count = forecast.held_out_wordings
        wordings = f", under {count} wording{'' if count == 1 else 's'} that training does not use" if count else ""
        print_line("held-out pairs", f"{forecast.held_out_pairs:,}", f"{forecast.evaluations} evaluations{wordings}")
    for name, pairs in forecast.validation.items():
        print_line(f"validation {name}", f"{pairs:,}", f"pairs, {forecast.evaluations} evaluations")
    print_line("learning rate", f"{forecast.learning_rate:g}", forecast.method)
    print_tokens(forecast, "targets")
    print_line(
        "tokens", f"{forecast.steps * forecast.tokens.read:,}", "of all steps, before common beginnings are shared"
    )
    print_time_and_memory(forecast)


def print_tokens(forecast: TrainingForecast, trained: str) -> None:
    """Print the tokens of a step; `trained` says where those are that the loss is computed on."""
    exact = forecast.counted_steps == forecast.steps
    basis = "all steps" if exact else f"the first {forecast.counted_steps} steps"
    note = f"{forecast.tokens.trained:,} of them {trained}; at most {forecast.longest.read:,}; {basis}"
    print_line("tokens per step", f"{forecast.tokens.read:,}", note)


def print_time_and_memory(forecast: TrainingForecast) -> None:
    """Print the last lines of a forecast."""
    timing, there = forecast.timing, forecast.memory_there
    of_there = "" if there is None else f"; {there / 1e9:.2f} GB are there"
    if timing is None or forecast.seconds is None:
        print_line("time", "unknown", "--timing does a few steps")
        print_line("memory", "unknown", f"--timing does the longest step{of_there}")
        return
    evaluations = forecast.evaluations * timing.evaluation_seconds
    share = f", evaluations {duration(evaluations)} of it" if forecast.evaluations else ""
    print_line("time", duration(forecast.seconds), f"{timing.steps} steps were timed{share}; without loading the model")
    if timing.peak_memory is not None:
        print_line("memory", f"{timing.peak_memory / 1e9:.2f} GB", f"with the longest step and a checkpoint{of_there}")


def print_line(name: str, value: str, note: str) -> None:
    """Print a line of a forecast."""
    typer.echo(f"{name:<16}{value:>13}  ({note})")


def print_losses(title: str, by_epoch: Mapping[float, Mapping[str, float]]) -> None:
    """Print a table of the losses on validation files, by epoch and name; nothing if there are none."""
    if not by_epoch:
        return
    names = list(next(iter(by_epoch.values())))
    widths = {name: max(10, len(name) + 2) for name in names}
    typer.echo(f"{title:<18}" + "".join(f"{name:>{widths[name]}}" for name in names))
    for epoch, losses in by_epoch.items():
        cells = "".join(f"{losses[name]:>{widths[name]}.4f}" for name in names)
        typer.echo(f"{epoch:<18.3g}{cells}")
