"""`phraseproof reduce`: try what reduces the spread over wordings, and recommend one way, or none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli.output_format import OutputFormat, print_results, read_format
from phraseproof.cli.run_folders import open_runs
from phraseproof.cli.without_effect import refuse_options_of_a_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from phraseproof.hardening import HardenResult
    from phraseproof.models import ModelOptions
    from phraseproof.store.queries import Run


def reduce(
    ctx: typer.Context,
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="A run folder. With --model, it is evaluated first, or continued."),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="The model to evaluate first, as in `evaluate`. Without it, RUN is read as it is.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    base_url: options.BaseUrl = None,
    model_arg: options.ModelArg = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--tasks",
            "-t",
            metavar="TASK,...",
            help="With --model: tasks and task files, separated by commas. Repeatable.",
            rich_help_panel=options.DATA,
            autocompletion=options.complete_tasks,
        ),
    ] = None,
    data_dir: options.DataDir = None,
    limit: options.Limit = None,
    instructions: options.Groups = None,
    access: Annotated[
        Literal["text", "logprobs"] | None,
        typer.Option(
            help="What you have of the model's answers: text, for the ways that need the chosen options only, or "
            "logprobs. Default: what the run holds.",
            show_default=False,
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            metavar="FOLDER",
            help="Also train an adapter, as `harden` does, into this folder. Needs the model's weights, and minutes.",
            rich_help_panel=options.TRAINING,
        ),
    ] = None,
    max_steps: Annotated[
        int | None,
        typer.Option(help="The maximum number of training steps, with --train.", rich_help_panel=options.TRAINING),
    ] = None,
    calibration: Annotated[
        str,
        typer.Option(
            help="How the calibrated ways calibrate (docs/calibration.md).", rich_help_panel=options.STATISTICS
        ),
    ] = "prior-matching",
    set_aside: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Set this share of the examples aside, such as 0.3. What is recommended is scored on them once.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = 0.0,
    seed: options.Seed = 0,
    scoring: options.ScoringOfRun = None,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Try what reduces the spread over wordings: a chosen wording, calibration, ensembles, training.

    Every way is judged on examples that it was not fitted on. The recommendation may be to do nothing.
    """
    from phraseproof.errors import UsageError

    chosen = read_format(output_format, as_json=as_json)
    if max_steps is not None and train is None:
        raise UsageError("--max-steps requires --train", where="--max-steps")
    if model is not None:
        loading = option_values.model_options(model_arg=option_values.with_base_url(model_arg, base_url))
        _evaluate(run, model, tasks, instructions, data_dir=data_dir, limit=limit, loading=loading, quiet=quiet)
    else:
        refuse_options_of_a_model(ctx, "tasks", "instructions", "data_dir", "limit", keep=["access"])
    (opened,) = open_runs([run], scoring)

    from phraseproof.reduction.reduce import reduce as reduce_run
    from phraseproof.reduction.results import reduction_json, reduction_table, reduction_text

    trainer = None if train is None else _trainer(train, max_steps, quiet=quiet)
    found = reduce_run(opened, access=access, calibration=calibration, seed=seed, aside=set_aside, train=trainer)
    match chosen:
        case "text":
            terminal.print_result(reduction_text(found, terminal.screen()))
        case "json":
            terminal.print_file(reduction_json(found))
        case _:
            print_results(reduction_table(found), chosen)


def _evaluate(
    run: Path,
    model: str,
    tasks: list[str] | None,
    instructions: list[str] | None,
    *,
    data_dir: Path | None,
    limit: int | None,
    loading: ModelOptions,
    quiet: bool,
) -> None:
    """Evaluate into the run folder, as `phraseproof evaluate` does."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.errors import UsageError
    from phraseproof.evaluation.evaluate import evaluate

    groups = option_values.read_groups(instructions or [], None, None)
    if not tasks or not groups:
        lacking = "--instructions" if tasks else "--tasks"
        raise UsageError(f"--model requires {lacking}", hint="RUN is evaluated first: say on which tasks and wordings")
    with stoppable(), ProgressBar(quiet=quiet) as progress:
        evaluate(
            model,
            option_values.joined(tasks),
            groups,
            run,
            data_dir=data_dir,
            limit=limit,
            model_options=loading,
            observer=progress,
        )


def _trainer(folder: Path, max_steps: int | None, *, quiet: bool) -> Callable[[Run], HardenResult]:
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.cli.training_progress import TrainingBar
    from phraseproof.reduction.training import train_for

    def train(run: Run) -> HardenResult:
        with stoppable(), ProgressBar(quiet=quiet) as progress, TrainingBar(quiet=quiet) as bar:
            return train_for(run, folder, max_steps=max_steps, observers=(progress, bar))

    return train
