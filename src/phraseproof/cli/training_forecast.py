"""What `align --dry-run` and `tune --dry-run` print: steps, tokens, time and memory."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from phraseproof.cli import terminal
from phraseproof.cli.progress import duration

if TYPE_CHECKING:
    from phraseproof.alignment.loop.forecast import TrainingForecast
    from phraseproof.training.timing import TrainingTiming


def print_training_forecast(forecast: TrainingForecast, *, as_json: bool) -> None:
    """Print the size of a training, and its expected time and memory if some steps were timed."""
    if as_json:
        terminal.print_json({**asdict(forecast), "seconds": forecast.seconds} | _named_tuples(forecast))
        return
    exact = forecast.counted_steps == forecast.steps
    basis = "all steps" if exact else f"the first {forecast.counted_steps} steps"
    print_line(
        "steps",
        f"{forecast.steps:,}",
        f"{forecast.batches_per_step} batches each; every pair {forecast.epochs:.3g} times",
    )
    print_line("pairs", f"{forecast.pairs:,}", "to train on")
    if forecast.evaluations:
        count = forecast.held_out_wordings
        wordings = f", under {count} wording{'' if count == 1 else 's'} that training does not use" if count else ""
        print_line("held-out pairs", f"{forecast.held_out_pairs:,}", f"{forecast.evaluations} evaluations{wordings}")
    print_line("learning rate", f"{forecast.learning_rate:g}", forecast.method)
    trained = f"{forecast.tokens.trained:,} of them targets"
    print_line("tokens per step", f"{forecast.tokens.read:,}", f"{trained}; at most {forecast.longest.read:,}; {basis}")
    print_line(
        "tokens", f"{forecast.steps * forecast.tokens.read:,}", "of all steps, before common beginnings are shared"
    )
    timing = forecast.timing
    evaluations = forecast.evaluations * timing.evaluation_seconds if timing else 0.0
    share = f", evaluations {duration(evaluations)} of it" if forecast.evaluations else ""
    print_time_and_memory(timing, forecast.seconds, forecast.memory_there, share)


def print_time_and_memory(timing: TrainingTiming | None, seconds: float | None, there: int | None, share: str) -> None:
    """Print the last lines of a forecast.

    Args:
        timing: what was measured; `None` if nothing was.
        seconds: of the whole training.
        there: the memory of the machine, in bytes.
        share: the part of the time that evaluations take, as text.
    """
    of_there = "" if there is None else f"; {there / 1e9:.2f} GB are there"
    if timing is None or seconds is None:
        print_line("time", "unknown", "--timing does a few steps")
        print_line("memory", "unknown", f"--timing does the longest step{of_there}")
        return
    print_line("time", duration(seconds), f"{timing.steps} steps were timed{share}; without loading the model")
    if timing.peak_memory is not None:
        print_line("memory", f"{timing.peak_memory / 1e9:.2f} GB", f"with the longest step and a checkpoint{of_there}")


def print_line(name: str, value: str, note: str) -> None:
    """Print a line of a forecast."""
    typer.echo(f"{name:<16}{value:>13}  ({note})")


def _named_tuples(forecast: TrainingForecast) -> dict[str, object]:
    return {
        "tokens": forecast.tokens._asdict(),
        "longest": forecast.longest._asdict(),
        "timing": None if forecast.timing is None else forecast.timing._asdict(),
    }
