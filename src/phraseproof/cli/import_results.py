"""`phraseproof import-results`: import the results of other programs as a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.logs import LogRequest

_NAMED = 3
_PAPER = "paper"
_LOGS = "What the logs say"


def import_results(
    files: Annotated[list[Path], typer.Argument(metavar="PATH", help="Logs: files, or folders of them.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="The run folder. More files can be added to it later.", rich_help_panel=options.OUTPUT
        ),
    ],
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="What wrote the files: lm-eval, inspect, promptfoo, helm, csv for a table, or paper for the paper's "
            "release format; auto recognizes it.",
            rich_help_panel=_LOGS,
        ),
    ] = "auto",
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="The model that is read, if the files hold several, or that a table without such a column is of.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    parameters: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="The number of the model's parameters, as in 3e9, for `analyze --scaling`.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    wordings: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            help="What names a wording: folder, file, field:NAME, or a pattern of the logs' task names, as in "
            "'tickets_{wording}', '{task}_{wording}' or 'TASK=PATTERN'. Patterns can be repeated.",
            rich_help_panel=_LOGS,
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="The name of the one task that all logs have, instead of the name in the logs.", rich_help_panel=_LOGS
        ),
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="The field that identifies an example, in place of its number.",
            rich_help_panel=_LOGS,
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The one score to read, if the logs hold several.", rich_help_panel=_LOGS),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="The lowest and the highest possible score, if they are not 0 and 1.",
            rich_help_panel=_LOGS,
        ),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATTERN",
            help="A group of wordings, as in --group observed='old*' --group unobserved='*'; the first that fits "
            "counts. Without it, all wordings are in one group.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = None,
    designers_apart: Annotated[
        bool,
        typer.Option(
            "--designers-apart",
            help="Of the paper's files: put the task designers' prompts into a separate group, as in Table 9.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = False,
) -> None:
    """Import results of other programs as a run that tables and statistics read like any other.

    Logs of lm-evaluation-harness, Inspect, promptfoo and HELM, and tables with
    one outcome per row, become outcomes of examples. The paper's release format
    has accuracies of wordings only: statistics of single examples (flips,
    McNemar's test, ...) then report that there is not enough data.
    """
    if parameters is not None and not 1 <= parameters < 1e18:
        raise UsageError(
            "not a number of parameters", expected="at least 1", got=f"{parameters:g}", where="--parameters"
        )
    size = None if parameters is None else round(parameters)

    from phraseproof.evaluation.published import is_published
    from phraseproof.logs import LogRequest, find_source

    request = LogRequest(model, task, tuple(wordings or ()), example, metric, _scale(scale))
    if source == _PAPER or (source == "auto" and all(map(is_published, files))):
        if request != LogRequest(model) or group:
            raise UsageError("the paper's files say themselves what they hold", hint="Leave out all but --model")
        _import_published(files, out, model, size, designers_apart=designers_apart)
        return
    if designers_apart:
        raise UsageError("only for files in the paper's release format", where="--designers-apart")
    name = find_source(files) if source == "auto" else source
    _import_logs(name, files, out, request, _groups(group or []), size)


def _import_published(
    files: list[Path], out: Path, model: str | None, parameters: int | None, *, designers_apart: bool
) -> None:
    from phraseproof.evaluation.published import import_published, read_published

    published = read_published(files, model=model, designers_apart=designers_apart)
    run = import_published(published, out, parameters=parameters)
    if published.excluded:
        typer.echo(f"note: left out, because `Include?` is not true: {published.excluded} rows", err=True)
    if published.repeated:
        count = len(published.repeated)
        named = ", ".join(published.repeated[:_NAMED]) + (", ..." if count > _NAMED else "")
        typer.echo(f"note: {count} wordings occur more than once and count once, with their mean: {named}", err=True)
    count, tasks = len(published.scores), len({score.task for score in published.scores})
    read = "1 accuracy of a wording" if count == 1 else f"{count} accuracies of wordings"
    typer.echo(
        f"{published.model}: {read} on {_counted(tasks, 'task')}, in {', '.join(run.groups)}."
        f" See: phraseproof table {out}"
    )


def _import_logs(
    source: str, files: list[Path], out: Path, request: LogRequest, groups: dict[str, str], parameters: int | None
) -> None:
    from phraseproof.logs import read_logs
    from phraseproof.logs.assemble import assemble
    from phraseproof.logs.write import write_imported

    log = read_logs(source, files, request)
    found = assemble(log, request, groups)
    written = write_imported(found, log, source, out, parameters=parameters)
    for note in log.notes:
        typer.echo(f"note: {note}", err=True)
    failed = sum(each.logged.failed for each in found.cells)
    if failed:
        typer.echo(f"warning: no score for {_counted(failed, 'outcome')}: the program failed or was stopped", err=True)
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if written.replaced:
        typer.echo(
            f"warning: {_counted(written.replaced, 'cell')} of {out} replaced: the outcomes are others", err=True
        )
    cells = [each.cell for each in found.cells]
    outcomes = sum(cell.num_examples for cell in cells)
    wordings = len({(cell.task, cell.instruction) for cell in cells})
    tasks = len({cell.task for cell in cells})
    typer.echo(
        f"{found.model}: {_counted(outcomes, 'outcome')} of {_counted(wordings, 'wording')} on "
        f"{_counted(tasks, 'task')}, from {log.tool}"
    )
    for scoring, name in dict.fromkeys((cell.scoring, cell.metric) for cell in cells):
        same = [each for each in found.cells if (each.cell.scoring, each.cell.metric) == (scoring, name)]
        scores = ", ".join(dict.fromkeys(each.logged.place.score for each in same))
        typer.echo(f"  {scores}: {_counted(len(same), 'cell')} under the scoring {scoring} and the metric {name}")
    if found.met:
        typer.echo(f"  {_counted(found.met, 'mean')} that the logs report equal those of the outcomes")
    typer.echo(f"See: phraseproof table {out}")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _scale(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not -1e9 <= low < high <= 1e9:
        raise UsageError("not a scale", expected="LOW,HIGH, as in 1,5", got=text, where="--scale")
    return low, high


def _groups(given: list[str]) -> dict[str, str]:
    groups: dict[str, str] = {}
    for each in given:
        name, equals, pattern = each.partition("=")
        if not (name and equals and pattern) or name in groups:
            raise UsageError("not a group", expected="NAME=PATTERN, each name once", got=each, where="--group")
        groups[name] = pattern
    return groups
