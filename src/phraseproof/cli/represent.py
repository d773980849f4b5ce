"""`phraseproof represent`: distances between wordings inside a model, and how they relate to accuracy."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import terminal
from phraseproof.cli.lock_options import BreakLock, LockTimeout, lock_options
from phraseproof.cli.option_values import (
    joined,
    model_options,
    read_groups,
    read_system,
)
from phraseproof.cli.options import (
    DATA,
    INSTRUCTIONS,
    MODEL,
    OUTPUT,
    Adapter,
    AsJson,
    BatchSize,
    ChatDate,
    ChatTemplate,
    ChatTemplateArg,
    DataDir,
    Device,
    Dtype,
    Groups,
    MaxLength,
    ModelArg,
    PromptFormat,
    Quiet,
    RemoteCode,
    Revision,
    System,
    Tasks,
)
from phraseproof.cli.output_format import OutputFormat, print_results, read_format
from phraseproof.cli.stopping import stoppable
from phraseproof.errors import UsageError
from phraseproof.store.urls import require_no_url

if TYPE_CHECKING:
    from phraseproof.store.queries import Run
    from phraseproof.store.vectors import StoredVectors

_METHODS = ("tsne", "pca")


def represent(
    model: Annotated[
        str,
        typer.Option("--model", "-m", help="A Hugging Face hub id, a model folder, or pocket.", rich_help_panel=MODEL),
    ],
    tasks: Tasks,
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The run folder to store the vectors in. Accuracies are read from the run in this folder.",
            rich_help_panel=OUTPUT,
        ),
    ],
    instructions: Groups = None,
    observed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDINGS",
            help="The wordings that distances are measured to: short for --instructions observed=...",
            rich_help_panel=INSTRUCTIONS,
        ),
    ] = None,
    unobserved: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDINGS",
            help="The wordings to measure: short for --instructions unobserved=...",
            rich_help_panel=INSTRUCTIONS,
        ),
    ] = None,
    data_dir: DataDir = None,
    layer: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="The layer to read: 0 for the embeddings, 1 for the output of the first block; negative numbers count "
            "from the last one. -2 is the penultimate.",
            rich_help_panel=MODEL,
        ),
    ] = -2,
    num_fewshot: Annotated[
        int, typer.Option("--num-fewshot", "-k", help="The number of demonstrations per prompt.", rich_help_panel=DATA)
    ] = 0,
    fewshot_seed: Annotated[
        int, typer.Option(help="The seed of the draw of demonstrations.", rich_help_panel=DATA)
    ] = 0,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", "-n", help="The maximum number of examples per task, sampled by --seed.", rich_help_panel=DATA
        ),
    ] = 300,
    seed: Annotated[
        int, typer.Option(help="The seed of the sample of examples, and of the maps.", rich_help_panel=DATA)
    ] = 0,
    prompt_format: PromptFormat = "auto",
    system: System = None,
    adapter: Adapter = None,
    before: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="A folder with the representations of the same model without the adapter, to compare.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    maps: Annotated[
        str,
        typer.Option("--map", help="The maps to compute: tsne, pca, tsne,pca or none.", rich_help_panel=OUTPUT),
    ] = "tsne,pca",
    map_points: Annotated[
        int, typer.Option(min=4, help="The maximum number of points in the map of a task.", rich_help_panel=OUTPUT)
    ] = 1000,
    dtype: Dtype = "auto",
    device: Device = "auto",
    batch_size: BatchSize = "auto",
    max_length: MaxLength = None,
    revision: Revision = None,
    trust_remote_code: RemoteCode = False,
    model_arg: ModelArg = None,
    output_format: OutputFormat = None,
    chat_template: ChatTemplate = None,
    chat_template_arg: ChatTemplateArg = None,
    chat_date: ChatDate = None,
    lock_timeout: LockTimeout = None,
    break_lock: BreakLock = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure distances between wordings inside the model. A stopped run continues where it was."""
    groups = read_groups(instructions or [], observed, unobserved)
    methods = _read_methods(maps)
    chosen = read_format(output_format, as_json=as_json)
    _require_two(groups)
    options = model_options(
        adapter=adapter,
        dtype=dtype,
        device=device,
        batch_size=batch_size,
        max_length=max_length,
        revision=revision,
        trust_remote_code=trust_remote_code,
        model_arg=model_arg or [],
        chat_template=chat_template,
        chat_template_arg=chat_template_arg,
        chat_date=chat_date,
    )

    from phraseproof.analysis.grids import metric_of
    from phraseproof.analysis.representations import MapSettings, describe
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.evaluation.represent import cells_of, layer_in, represent
    from phraseproof.evaluation.request import EvaluationRequest
    from phraseproof.evaluation.resolve import resolve
    from phraseproof.reports.build.representations import representation_results
    from phraseproof.reports.build.runs import scores_or_estimates
    from phraseproof.reports.format.representations import as_json as to_json
    from phraseproof.reports.format.representations import as_text
    from phraseproof.scoring.accuracy import METRIC as ACCURACY
    from phraseproof.store.representations import run_state, write_map

    require_no_url(out)
    with stoppable(), ProgressBar(quiet=quiet, reading=True) as progress:
        request = EvaluationRequest.of(
            model,
            joined(tasks),
            groups,
            data_dir=data_dir,
            num_fewshot=num_fewshot,
            fewshot_seeds=fewshot_seed,
            limit=limit,
            seed=seed,
            prompt_format=prompt_format,
            system=read_system(system),
            model_options=options,
        )
        evaluation = resolve(request, out=out, observer=progress, locking=lock_options(lock_timeout, breaks=break_lock))
        earlier = None if before is None else _earlier(before, layer_in(evaluation.model, layer))
        vectors = represent(evaluation, out, layer=layer, observer=progress)
        _check_comparable(vectors, earlier, before)
        progress.noted("measuring distances" + (f" and drawing {' and '.join(methods)}" if methods else ""))
        settings = MapSettings("observed" if "observed" in groups else next(iter(groups)), methods, map_points, seed)
        run = _evaluated(out)
        scores = [] if run is None else scores_or_estimates(run)
        metric = ACCURACY if run is None else metric_of(run)
        found = describe(vectors, settings, scores=scores, before=earlier, metric=metric)
        found = replace(found, run_state=None if run is None else run_state(run))
        write_map(out, found)
    results = representation_results(found, run=str(out), scoring="" if run is None else run.scoring)
    match chosen:
        case "text":
            terminal.print_result(as_text(found, terminal.screen()))
        case "json":
            terminal.print_file(to_json(found, results))
        case _:
            print_results(results, chosen)
    if chosen in {"text", "json"}:  # the others print or hold the notes with their rows
        for note in found.notes:
            terminal.note(note)
    missing = set(vectors.missing) & cells_of(evaluation, vectors.layer)
    if missing:
        count = f"{len(missing)} of {len(evaluation.planned)} cells"
        typer.echo(
            f"{count} are missing (see {vectors.path / 'failures'}); the same command tries them again", err=True
        )
    typer.echo(f"vectors and coordinates: {vectors.path}", err=True)
    if missing:
        raise typer.Exit(4)


def _require_two(groups: Collection[str]) -> None:
    if len(groups) < 2:
        raise UsageError(
            "distances need two groups of wordings",
            expected="--observed and --unobserved",
            got=", ".join(groups),
            where="--observed",
        )


def _read_methods(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if names == ("none",):
        return ()
    for name in names:
        if name not in _METHODS:
            raise UsageError(f"no map is called {name!r}", expected=f"{', '.join(_METHODS)}, or none", where="--map")
    return names


def _earlier(run: Path, layer: int | None) -> StoredVectors:
    from phraseproof.store.vectors import load_vectors

    return load_vectors(run, layer)


def _check_comparable(vectors: StoredVectors, earlier: StoredVectors | None, before: Path | None) -> None:
    from phraseproof.evaluation.represent import same_but_for_adapter

    if earlier is not None and not same_but_for_adapter(vectors, earlier):
        raise UsageError(
            f"the representations in {before} are not of the same model, sample and prompt format",
            where="--before",
            hint="Extract both with the same --model, --limit and --seed; only --adapter may differ",
        )


def _evaluated(run: Path) -> Run | None:
    """The run in the same folder, if it has finished cells."""
    from phraseproof.store.queries import load_run
    from phraseproof.store.run_file import RUN_FILE

    if not (run / RUN_FILE).exists():
        return None
    opened = load_run(run)
    return None if len(opened.missing) == len(opened.cells) else opened
