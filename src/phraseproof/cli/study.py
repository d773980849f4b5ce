"""`phraseproof study`: a table or figure of the paper, for any model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.option_values import model_options, read_groups, read_names, read_pairs, with_base_url
from phraseproof.cli.output_format import FormatName, OutputFormat, print_rendered, read_format
from phraseproof.cli.run_folders import read_size
from phraseproof.cli.stored_study import changed, spec_file
from phraseproof.cli.without_effect import options_given, refuse_options_of_a_model
from phraseproof.cli.worker_options import WorkerArg, Workers, worker_options
from phraseproof.errors import PhraseproofError, UsageError

if TYPE_CHECKING:
    from phraseproof.evaluation.distributed.pooled import WorkerSet
    from phraseproof.studies.study import StepForecast, Study, StudyRequest

LIST = "list"
ALL = "all"


def study(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="The study; `list` shows all of them, with --model also their costs; `all` makes them one after the "
            "other. The study.json of an exhibit, or its folder, makes that exhibit again, changed by the options.",
        ),
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="A model, as for `evaluate`. Repeatable, for studies of several models.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(
            "--run",
            metavar="RUN",
            help="A run folder to use as it is, in place of a model: of `evaluate` or `import-results`. Repeatable.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            "--tasks",
            "-t",
            metavar="TASK,...",
            help="Other tasks than the study's own, separated by commas. Repeatable.",
            rich_help_panel=options.DATA,
            autocompletion=options.complete_tasks,
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Instructions and answers, such as Alpaca's (docs/tune.md), for studies that tune models. Repeatable.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    paraphraser: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A model that paraphrases the observed wordings, as for `paraphrase --with`: a source of "
            "`paraphrase-sources`. Repeatable.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    paraphraser_arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="An option of the paraphrasers' provider, as --model-arg. Repeatable.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            help="A file of training pairs (docs/align.md) for studies that align a model, instead of their own pairs.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    data_dir: options.DataDir = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=1,
            help="The maximum number of examples per task, sampled by --seed. Default: all; for pocket 25.",
            show_default=False,
            rich_help_panel=options.DATA,
        ),
    ] = None,
    max_steps: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="The maximum number of steps of every training. Default: the study's own (docs/studies.md).",
            show_default=False,
            rich_help_panel=options.TRAINING,
        ),
    ] = None,
    gradient_accumulation: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="The number of batches per step of an alignment. A batch is one example under up to four wordings. "
            "Default: 4.",
            show_default=False,
            rich_help_panel=options.TRAINING,
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How often what is random is repeated, such as draws of demonstrations and trainings.",
            show_default=False,
            rich_help_panel=options.DATA,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="The seed of samples and intervals.", rich_help_panel=options.DATA)
    ] = 0,
    instructions: options.Groups = None,
    observed: options.Observed = None,
    unobserved: options.Unobserved = None,
    prompt_format: options.PromptFormat = "auto",
    adapter: options.Adapter = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    batch_size: options.BatchSize = "auto",
    max_length: options.MaxLength = None,
    revision: options.Revision = None,
    model_arg: options.ModelArg = None,
    base_url: options.BaseUrl = None,
    workers: Workers = None,
    worker_arg: WorkerArg = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL=NUMBER",
            help="The number of a model's parameters, as in 3e9, if it is not known. Repeatable.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="The folder of all studies' runs and exhibits.", rich_help_panel=options.OUTPUT
        ),
    ] = Path("studies"),
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print the runs, and what they would cost. Nothing is computed.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    output_format: OutputFormat = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a table or figure of arXiv 2306.11270 for any model. What was computed before is used again."""
    chosen = read_format(output_format, as_json=as_json)
    loading = model_options(
        adapter=adapter,
        dtype=dtype,
        device=device,
        batch_size=batch_size,
        max_length=max_length,
        revision=revision,
        model_arg=with_base_url(model_arg, base_url),
    )
    divided = worker_options(workers, worker_arg)
    groups = read_groups(instructions or [], observed, unobserved) if instructions or observed or unobserved else {}

    from phraseproof.evaluation.distributed.ray_pool import kept
    from phraseproof.store.urls import require_no_url
    from phraseproof.studies.command import option_of
    from phraseproof.studies.fitting import concerning, given
    from phraseproof.studies.record import read_study
    from phraseproof.studies.registry import STUDIES, study_named
    from phraseproof.studies.study import StudyRequest

    require_no_url(out)
    request = StudyRequest(
        models=tuple(model or ()),
        runs=tuple(run or ()),
        tasks=read_names(tasks),
        instructions={group: read_names([members]) for group, members in groups.items()},
        data=tuple(data or ()),
        paraphrasers=tuple(paraphraser or ()),
        paraphraser_args=read_pairs(paraphraser_arg or (), "--paraphraser-arg"),
        pairs=pairs,
        data_dir=data_dir,
        limit=limit,
        max_steps=max_steps,
        gradient_accumulation=gradient_accumulation,
        seeds=seeds,
        seed=seed,
        out=out,
        model_options=loading,
        prompt_format=prompt_format,
        parameters=dict(read_size(entry, "MODEL") for entry in parameters or ()),
    )
    if stored := spec_file(name):
        found = read_study(stored)
        # An earlier version recorded options that had no effect, too.
        own = concerning(found.study, found.request).request
        name, request = found.study.name, changed(own, request, options_given(ctx))
    if not request.models:
        # A paraphraser is loaded with these two as well.
        of_paraphrasers = ["device", "dtype"] if request.paraphrasers else []
        refuse_options_of_a_model(ctx, keep=["model", "run", "parameters", *of_paraphrasers])
    if (name == LIST or dry_run) and chosen not in {"text", "json"}:
        raise UsageError("a plan is text or JSON", got=chosen, where="--format")
    if name == LIST and not (request.models or request.runs):
        if useless := next(given(request), None):
            raise UsageError(f"{option_of(useless)} requires --model or --run", where=LIST)
        _print_list(STUDIES, chosen)
    elif name == LIST:
        _print_plans(STUDIES, request, chosen, is_list=True)
    elif dry_run:
        named = STUDIES if name == ALL else [study_named(name)]
        _print_plans(named, request, chosen, is_list=name == ALL)
    else:
        of = None if name == ALL else study_named(name)
        with kept(divided) as all_workers:
            making = _Making(chosen, all_workers, quiet)
            missing = _make_all(STUDIES, request, making) if of is None else _make(of, request, making)
        if missing:
            raise typer.Exit(4)


class _Making(NamedTuple):
    """How studies are made and printed."""

    chosen: FormatName
    workers: WorkerSet | None
    quiet: bool


def _make_all(studies: Sequence[Study], request: StudyRequest, making: _Making) -> int:
    """Make every study; one that cannot be made is named with the reason, and the others follow. As `_make`."""
    if making.chosen == "json":
        raise UsageError("several studies are several documents", got="--format json", where="--format")
    lacking: list[str] = []
    incomplete = 0
    for each, its_own in zip(studies, _parts(studies, request), strict=True):
        try:
            incomplete += _make(each, its_own, making)
        except PhraseproofError as error:
            terminal.warn(f"{each.name} is not made: {error}")
            lacking.append(each.name)
    if lacking:
        raise UsageError(f"{len(lacking)} of {len(studies)} studies are not made", got=", ".join(lacking))
    return incomplete


def _parts(studies: Sequence[Study], request: StudyRequest) -> list[StudyRequest]:
    """What of a request concerns each study. Which options are left out, and for which studies, is noted."""
    from phraseproof.studies.fitting import concerning_each

    concerns = concerning_each(studies, request)
    for option in dict.fromkeys(option for each in concerns for option in each.left_out):
        without = [of.name for of, each in zip(studies, concerns, strict=True) if option in each.left_out]
        terminal.note(f"{option} has no effect on {', '.join(without)}")
    return [each.request for each in concerns]


def _make(of: Study, request: StudyRequest, making: _Making) -> int:
    """Make and print one study; return the number of cells that are missing."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.reports.format.tables import TableFormat
    from phraseproof.studies.carry_out import carry_out, exhibit_folder
    from phraseproof.studies.fitting import fitting
    from phraseproof.studies.format import render

    with stoppable(), ProgressBar(quiet=making.quiet) as progress:
        exhibit = carry_out(of, request, observer=progress, workers=making.workers)
    rendered = render(exhibit, TableFormat(making.chosen), screen=terminal.screen())
    print_rendered(rendered.text, making.chosen)
    for remark in rendered.warnings:
        terminal.note(remark)
    typer.echo(f"exhibit: {exhibit_folder(of, fitting(of, request))}", err=True)
    return exhibit.incomplete


def _print_plans(studies: Sequence[Study], request: StudyRequest, chosen: FormatName, *, is_list: bool) -> None:
    """Print what studies show and need, and their steps with forecasts; in a list, why one cannot be planned."""
    from phraseproof.cli.study_plan import plans_json, plans_text
    from phraseproof.studies.carry_out import PlannedStep, forecasts

    known: dict[Path, StepForecast] = {}
    plans: list[tuple[Study, list[PlannedStep], str]] = []
    parts = _parts(studies, request) if is_list else [request]
    for each, its_own in zip(studies, parts, strict=True):
        try:
            plans.append((each, forecasts(each, its_own, timed=not is_list, known=known), ""))
        except PhraseproofError as error:
            if not is_list:
                raise
            plans.append((each, [], str(error)))
    if chosen == "json":
        terminal.print_file(plans_json(plans))
    else:
        terminal.print_result(plans_text(plans, request, terminal.screen()))


def _print_list(studies: Sequence[Study], chosen: FormatName) -> None:
    """Print what studies show and need. Nothing is planned: the tokens of all studies take minutes to count."""
    from phraseproof.cli.study_plan import list_json, list_text

    if chosen == "json":
        terminal.print_file(list_json(studies))
    else:
        terminal.print_result(list_text(studies, terminal.screen()))
