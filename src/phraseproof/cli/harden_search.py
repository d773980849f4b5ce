"""`phraseproof harden --methods`: compare methods, report the best, and print it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from phraseproof.cli import terminal
from phraseproof.cli.output_format import FormatName, print_results
from phraseproof.cli.progress import duration

if TYPE_CHECKING:
    from phraseproof.evaluation.distributed.worker_options import WorkerOptions
    from phraseproof.hardening import SearchSettings
    from phraseproof.hardening.search_forecast import SearchForecast, SearchTiming
    from phraseproof.hardening.search_plan import SearchInput
    from phraseproof.models import ModelOptions


class SearchNames(NamedTuple):
    """What a search is about; lists of names are separated by commas.

    Attributes:
        model: a hub id or a folder.
        tasks, unseen, check: tasks to train on, and those that no training sees.
        instructions, further: collections.
        data_dir: a folder with the benchmarks' published files.
        model_options: how the model is loaded.
    """

    model: str
    tasks: str
    unseen: str
    check: str
    instructions: str
    further: str
    data_dir: Path | None
    model_options: ModelOptions

    def read(self, warn: Callable[[str], None]) -> SearchInput:
        """The tasks and collections."""
        from phraseproof.hardening.named import search_input

        return search_input(
            self.tasks,
            self.instructions,
            self.unseen,
            self.check,
            further=self.further,
            data_dir=self.data_dir,
            warn=warn,
        )


def search_methods(
    names: SearchNames,
    out: Path,
    settings: SearchSettings,
    form: FormatName,
    *,
    quiet: bool,
    workers: WorkerOptions | None = None,
) -> None:
    """Compare methods, and print the result, which is kept in the folder as `search.json`."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.cli.training_progress import TrainingBar
    from phraseproof.evaluation.distributed.ray_pool import kept
    from phraseproof.reduction.method_search import search_and_keep
    from phraseproof.reduction.search_results import search_table, search_text
    from phraseproof.reports.build.searches import SEARCH_FILE

    with (
        stoppable(),
        ProgressBar(quiet=quiet) as progress,
        TrainingBar(quiet=quiet) as bar,
        kept(workers) as all_workers,
    ):
        found = search_and_keep(
            names.model,
            names.read(progress.warned),
            out,
            settings,
            model_options=names.model_options,
            observers=(progress, bar),
            workers=all_workers,
        )
    match form:
        case "text":
            terminal.print_result(search_text(found, terminal.screen()))
        case "json":
            terminal.print_file((out / SEARCH_FILE).read_text(encoding="utf-8"))
        case _:
            print_results(search_table(found), form)
    typer.echo(f"{found.refitted[0].trainings[0].folder}; runs: {out}; for a page: phraseproof report {out}", err=True)


def print_search_forecast(
    names: SearchNames, settings: SearchSettings, form: FormatName, *, timing: bool | None
) -> None:
    """Print how much a search would compute, and how long it would take if some of it was timed."""
    from phraseproof.hardening.search_forecast import forecast_search

    found = forecast_search(
        names.model, names.read(terminal.warn), settings, model_options=names.model_options, is_timed=timing
    )
    if form == "json":
        terminal.print_json(_as_json(found))
        return
    for of in (found.plan.training, found.plan.validation, *found.plan.reported):
        wordings = {len(items) for items in of.wordings.values()}
        examples = {len(task.examples) if of.limit is None else min(of.limit, len(task.examples)) for task in of.tasks}
        tasks = terminal.counted(len(of.tasks), "task")
        typer.echo(f"{of.name:<16}{tasks}, {_range(wordings)} wordings, {_range(examples)} examples per task")
    tokens = "unknown" if found.tokens is None else f"{found.tokens:,}"
    typer.echo(
        f"trainings       {found.searched + found.refitted:>15,}  ({found.searched} to compare, then {found.refitted})"
    )
    typer.echo(f"training steps  {found.training.steps:>15,}")
    typer.echo(f"prompts trained {found.training.prompts:>15,}")
    typer.echo(f"tokens trained  {found.training.tokens:>15,}")
    typer.echo(f"evaluations     {found.evaluations:>15,}")
    typer.echo(f"prompts scored  {found.prompts:>15,}")
    typer.echo(f"tokens scored   {tokens:>15}  (shared parts once)")
    if found.timing is None:
        typer.echo(f"time            {'unknown':>15}  (--timing does a few steps and scores a few prompts)")
        return
    _print_timing(found, found.timing)


def _print_timing(found: SearchForecast, timing: SearchTiming) -> None:
    steps = terminal.counted(timing.steps, "step")
    methods = terminal.counted(len({each.name for each in found.candidates}), "method")
    loads = found.searched + found.refitted + found.evaluations
    was = "was" if timing.steps == 1 else "were"
    for name, seconds, note in (
        ("time trained", timing.training_seconds, f"{steps} {was} timed, of {methods}"),
        ("time scored", timing.scoring_seconds, f"{timing.prompts} prompts were timed, with the model as it is"),
        ("time", timing.seconds, f"without loading and testing the model, up to {loads} times"),
    ):
        typer.echo(f"{name:<16}{duration(seconds):>15}  ({note})")


def _range(counts: set[int]) -> str:
    return f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


def _as_json(found: SearchForecast) -> dict[str, object]:
    return {
        "candidates": [{"method": each.name, "learning_rate": each.rate} for each in found.candidates],
        "trainings": found.searched + found.refitted,
        "training_steps": found.training.steps,
        "training_prompts": found.training.prompts,
        "training_tokens": found.training.tokens,
        "evaluations": found.evaluations,
        "prompts": found.prompts,
        "tokens": found.tokens,
        **_timing_as_json(found),
    }


def _timing_as_json(found: SearchForecast) -> dict[str, object]:
    timing = found.timing
    return {
        "seconds": None if timing is None else timing.seconds,
        "training_seconds": None if timing is None else timing.training_seconds,
        "scoring_seconds": None if timing is None else timing.scoring_seconds,
        "timed_steps": 0 if timing is None else timing.steps,
        "timed_prompts": 0 if timing is None else timing.prompts,
    }
