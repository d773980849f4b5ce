"""What `align --dry-run` prints: steps, tokens, time and memory."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from phraseproof.cli import terminal
from phraseproof.cli.progress import duration

if TYPE_CHECKING:
    from phraseproof.alignment.loop.forecast import TrainingForecast


def print_training_forecast(forecast: TrainingForecast, *, as_json: bool) -> None:
    """Print the size of a training, and its expected time and memory if some steps were timed."""
    if as_json:
        terminal.print_json({**asdict(forecast), "seconds": forecast.seconds} | _named_tuples(forecast))
        return
    exact = forecast.counted_steps == forecast.steps
    basis = "all steps" if exact else f"the first {forecast.counted_steps} steps"
    _line(
        "steps",
        f"{forecast.steps:,}",
        f"{forecast.batches_per_step} batches each; every pair {forecast.epochs:.3g} times",
    )
    _line("pairs", f"{forecast.pairs:,}", "to train on")
    if forecast.evaluations:
        count = forecast.held_out_wordings
        wordings = f", under {count} wording{'' if count == 1 else 's'} that training does not use" if count else ""
        _line("held-out pairs", f"{forecast.held_out_pairs:,}", f"{forecast.evaluations} evaluations{wordings}")
    _line("learning rate", f"{forecast.learning_rate:g}", forecast.method)
    trained = f"{forecast.tokens.trained:,} of them targets"
    _line("tokens per step", f"{forecast.tokens.read:,}", f"{trained}; at most {forecast.longest.read:,}; {basis}")
    _line("tokens", f"{forecast.steps * forecast.tokens.read:,}", "of all steps, before common beginnings are shared")
    timing, there = forecast.timing, forecast.memory_there
    of_there = "" if there is None else f"; {there / 1e9:.2f} GB are there"
    if timing is None or forecast.seconds is None:
        _line("time", "unknown", "--timing does a few steps")
        _line("memory", "unknown", f"--timing does the longest step{of_there}")
        return
    evaluations = forecast.evaluations * timing.evaluation_seconds
    share = f", evaluations {duration(evaluations)} of it" if forecast.evaluations else ""
    _line("time", duration(forecast.seconds), f"{timing.steps} steps were timed{share}; without loading the model")
    if timing.peak_memory is not None:
        _line("memory", f"{timing.peak_memory / 1e9:.2f} GB", f"with the longest step and a checkpoint{of_there}")


def _line(name: str, value: str, note: str) -> None:
    typer.echo(f"{name:<16}{value:>13}  ({note})")


def _named_tuples(forecast: TrainingForecast) -> dict[str, object]:
    return {
        "tokens": forecast.tokens._asdict(),
        "longest": forecast.longest._asdict(),
        "timing": None if forecast.timing is None else forecast.timing._asdict(),
    }
