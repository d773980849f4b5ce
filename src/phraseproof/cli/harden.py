"""`phraseproof harden`: measure a model, train it on some wordings, and measure it again on others.

With `--methods` several methods are compared on validation, and the best one is reported on a test set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import option_values, options, search_options, terminal
from phraseproof.cli import training_options as training
from phraseproof.cli.harden_search import SearchNames, print_search_forecast, search_methods
from phraseproof.cli.output_format import OutputFormat, read_format
from phraseproof.cli.training_options import DEFAULTS
from phraseproof.cli.worker_options import WorkerArg, Workers, worker_options
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.hardening import HardenResult, HardenSettings

_HELD_OUT = 0.5
_TRAINING_SHARE = 0.5
_INSTEAD = {
    "--method": "Name it among --methods",
    "--learning-rate": "Give learning rates with --rates",
    "--held-out": "Give three shares with --split-wordings",
    "--training-share": "Give three shares with --split-examples",
}


def harden(
    ctx: typer.Context,
    model: options.TrainableModel,
    tasks: options.Tasks,
    instructions: Annotated[
        list[str],
        typer.Option(
            "--instructions",
            "-i",
            metavar="WORDINGS",
            help="Collections of wordings, separated by commas, to split into training and held-out ones. Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
            autocompletion=options.complete_instructions,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The folder for the runs and the adapter. The same command resumes a stopped run.",
            rich_help_panel=options.OUTPUT,
        ),
    ],
    data_dir: options.DataDir = None,
    held_out: Annotated[
        float,
        typer.Option(help="The share of wordings that training never sees.", rich_help_panel=options.INSTRUCTIONS),
    ] = _HELD_OUT,
    training_share: Annotated[
        float,
        typer.Option(
            help="The share of a task's examples to train on, if it has no demonstrations.",
            rich_help_panel=options.DATA,
        ),
    ] = _TRAINING_SHARE,
    max_pairs: Annotated[
        int, typer.Option(help="The maximum number of training pairs per task.", rich_help_panel=options.DATA)
    ] = 1000,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", help="The maximum number of test examples per task.", rich_help_panel=options.DATA
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="The seed of the splits, the training and the interval.", rich_help_panel=options.DATA)
    ] = 0,
    method: Annotated[
        str | None,
        typer.Option(
            help="The alignment method, as of align. Default: lora+paft+choice, which helped a real model; lora+paft "
            "where a task has no options.",
            show_default=False,
            rich_help_panel=options.TRAINING,
        ),
    ] = None,
    methods: search_options.Methods = None,
    rates: search_options.Rates = None,
    seeds: search_options.Seeds = None,
    search_seeds: search_options.SearchSeeds = None,
    refit: search_options.Refit = None,
    report: search_options.Reported = None,
    unseen_tasks: search_options.UnseenTasks = None,
    check: search_options.CheckTasks = None,
    further_instructions: search_options.FurtherInstructions = None,
    split_wordings: search_options.SplitWordings = None,
    split_examples: search_options.SplitExamples = None,
    validation_limit: search_options.ValidationLimit = None,
    calibration: search_options.Calibration = None,
    num_tokens: training.NumTokens = DEFAULTS.num_tokens,
    placement: training.Placement = DEFAULTS.placement,
    init: training.Init = DEFAULTS.init,
    rank: training.Rank = DEFAULTS.rank,
    lora_alpha: training.LoraAlpha = DEFAULTS.lora_alpha,
    lora_dropout: training.LoraDropout = DEFAULTS.lora_dropout,
    target_modules: training.TargetModules = DEFAULTS.target_modules,
    lambda_: training.Lambda = DEFAULTS.lambda_,
    learning_rate: training.LearningRate = DEFAULTS.learning_rate,
    paraphrases_per_batch: training.ParaphrasesPerBatch = DEFAULTS.paraphrases_per_batch,
    gradient_accumulation: training.GradientAccumulation = DEFAULTS.gradient_accumulation,
    max_steps: training.MaxSteps = DEFAULTS.max_steps,
    epochs: training.Epochs = DEFAULTS.epochs,
    early_stopping_patience: training.EarlyStoppingPatience = DEFAULTS.early_stopping_patience,
    prompt_format: options.PromptFormat = DEFAULTS.prompt_format,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    max_length: options.MaxLength = None,
    revision: options.Revision = None,
    trust_remote_code: options.RemoteCode = False,
    model_arg: options.ModelArg = None,
    chat_template: options.ChatTemplate = None,
    chat_template_arg: options.ChatTemplateArg = None,
    chat_date: options.ChatDate = None,
    workers: Workers = None,
    worker_arg: WorkerArg = None,
    dry_run: search_options.DryRun = False,
    timing: search_options.Timing = None,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Train an adapter on some wordings, and measure the gain on the other wordings, with an interval.

    With --methods, several methods are compared on validation, and the best one is reported on a test set, next to
    what costs no training.
    """
    from phraseproof.alignment.settings import RECOMMENDED, AlignmentSettings
    from phraseproof.hardening.candidates import named_methods
    from phraseproof.hardening.settings import HardenSettings
    from phraseproof.store.urls import require_no_url

    require_no_url(out)
    alignment = AlignmentSettings(
        method=method or RECOMMENDED,
        num_tokens=num_tokens,
        placement=placement,
        init=init,
        rank=rank,
        lora_alpha=lora_alpha,
        lora_dropout=lora_dropout,
        target_modules=target_modules,
        lambda_=lambda_,
        learning_rate=learning_rate,
        paraphrases_per_batch=paraphrases_per_batch,
        gradient_accumulation=gradient_accumulation,
        max_steps=max_steps,
        epochs=epochs,
        early_stopping_patience=early_stopping_patience,
        prompt_format=prompt_format,
        seed=seed,
    )
    loading = option_values.model_options(
        adapter=None,
        dtype=dtype,
        device=device,
        batch_size="auto",
        max_length=max_length,
        revision=revision,
        trust_remote_code=trust_remote_code,
        model_arg=model_arg or [],
        chat_template=chat_template,
        chat_template_arg=chat_template_arg,
        chat_date=chat_date,
    )
    names = SearchNames(
        model,
        option_values.joined(tasks),
        option_values.joined(unseen_tasks),
        option_values.joined(check),
        option_values.joined(instructions),
        option_values.joined(further_instructions),
        data_dir,
        loading,
    )
    if timing is not None and not dry_run:
        raise UsageError("--timing requires --dry-run")
    search = search_options.SearchOptions(
        rates, seeds, search_seeds, refit, report, split_wordings, split_examples, validation_limit, calibration
    )
    if methods is None:
        training.refuse_unused(ctx, [method or RECOMMENDED])
        divided = {"--workers": workers, "--worker-arg": worker_arg}
        untrained = {"--unseen-tasks": unseen_tasks, "--check": check, "--further-instructions": further_instructions}
        others = {"--dry-run": dry_run or None, "--format": output_format}
        _refuse({**search.given, **untrained, **divided, **others}, "requires --methods")
        settings = HardenSettings(alignment, held_out, training_share, max_pairs, limit, seed)
        _print(_hardened(names, out, settings, is_chosen=method is not None, quiet=quiet), as_json=as_json)
        return
    single = {
        "--method": method,
        "--learning-rate": None if learning_rate == DEFAULTS.learning_rate else learning_rate,
        "--held-out": None if held_out == _HELD_OUT else held_out,
        "--training-share": None if training_share == _TRAINING_SHARE else training_share,
    }
    _refuse(single, "does not apply to a search with --methods", _INSTEAD)
    # A search has validation examples of its own. Early stopping alone needs held-out pairs.
    common = alignment if early_stopping_patience is not None else replace(alignment, held_out_fraction=0.0)
    of_search = search.settings(methods, common, max_pairs=max_pairs, limit=limit, seed=seed)
    training.refuse_unused(ctx, named_methods(of_search.methods))
    form = read_format(output_format, as_json=as_json)
    if dry_run:
        print_search_forecast(names, of_search, form, timing=timing)
    else:
        divided = worker_options(workers, worker_arg)
        search_methods(names, out, of_search, form, quiet=quiet, workers=divided)


def _refuse(given: Mapping[str, object], why: str, hints: Mapping[str, str] = {}) -> None:
    """Refuse the first option that was given."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{name} {why}", where=name, hint=hints.get(name))


def _hardened(names: SearchNames, out: Path, settings: HardenSettings, *, is_chosen: bool, quiet: bool) -> HardenResult:
    """Train and measure; a method that the user has not chosen is the one recommended for the tasks."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.cli.training_progress import TrainingBar
    from phraseproof.hardening import run_hardening
    from phraseproof.hardening.named import named_collections, named_tasks
    from phraseproof.hardening.settings import recommended_method

    with stoppable(), ProgressBar(quiet=quiet) as progress, TrainingBar(quiet=quiet) as bar:
        tasks = named_tasks(names.tasks, names.data_dir, progress.warned)
        if not is_chosen:
            alignment = replace(settings.alignment, method=recommended_method(tasks))
            settings = replace(settings, alignment=alignment)
        return run_hardening(
            names.model,
            tasks,
            named_collections(names.instructions),
            out,
            settings,
            model_options=names.model_options,
            observers=(progress, bar),
        )


def _print(result: HardenResult, *, as_json: bool) -> None:
    gain = result.gain
    assert gain.low is not None, "the gain has an interval"
    assert gain.high is not None, "the gain has an interval"
    if as_json:
        terminal.print_json(
            {
                "trained_method": result.method,
                "verdict": result.verdict,
                "before_percent": 100 * result.before,
                "after_percent": 100 * result.after,
                "gain_percentage_points": 100 * gain.estimate,
                "gain_low": 100 * gain.low,
                "gain_high": 100 * gain.high,
                "n": gain.n,
                "method": gain.method,
                "references": dict(result.references),
                "trained_wordings": list(result.trained),
                "held_out_wordings": list(result.held_out),
                "base_run": str(result.base.path),
                "hardened_run": str(result.hardened.path),
                "folder": str(result.folder),
            }
        )
        return
    typer.echo(
        f"{result.method}: trained on {len(result.trained)} wordings, measured on {len(result.held_out)} others\n"
    )
    typer.echo(f"base      {100 * result.before:6.1f}%")
    typer.echo(f"hardened  {100 * result.after:6.1f}%")
    typer.echo(
        f"gain      {100 * gain.estimate:+6.1f} points, 95% interval {100 * gain.low:+.1f} to {100 * gain.high:+.1f}"
    )
    conclusions = {
        "helped": "Training improved accuracy on unseen wordings.",
        "hurt": "Training reduced accuracy on unseen wordings.",
        "not shown": "The interval contains zero: no effect of training is shown.",
    }
    typer.echo(f"\n{conclusions[result.verdict]} ({gain.method}, n = {gain.n:,})")
    typer.echo(f"{result.folder}; runs: {result.base.path}, {result.hardened.path}", err=True)
