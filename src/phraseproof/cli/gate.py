"""`phraseproof gate`: pass or fail, for continuous integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from phraseproof.analysis.aggregation import Level
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.reports.gate.limits import Check
    from phraseproof.store.queries import Run

OnName = Literal["estimate", "bound"]
AtName = Literal["task", "category", "overall"]

_BROKEN = 3
_SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


def gate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that `evaluate` wrote.")],
    max_spread: Annotated[
        float | None, typer.Option(metavar="POINTS", help="Std over a group's wordings at most, in points.")
    ] = None,
    min_worst: Annotated[
        float | None, typer.Option(metavar="PERCENT", help="Accuracy of the worst wording at least.")
    ] = None,
    min_mean: Annotated[
        float | None, typer.Option(metavar="PERCENT", help="Mean accuracy over a group's wordings at least.")
    ] = None,
    max_gap: Annotated[
        float | None,
        typer.Option(metavar="POINTS", help="Points that a group may lie below the first group at most."),
    ] = None,
    no_worse_than: Annotated[
        Path | None, typer.Option(metavar="OTHER", help="A run that this one may not be worse than by --margin.")
    ] = None,
    margin: Annotated[
        float | None, typer.Option(metavar="POINTS", help="How much worse than OTHER is allowed; 0 unless said.")
    ] = None,
    on: Annotated[
        OnName, typer.Option(help="Hold estimates against the limits, or the worse end of their 95% intervals.")
    ] = "estimate",
    at: Annotated[
        AtName, typer.Option(help="Where limits must be kept: by every task, every category, or overall.")
    ] = ("task"),
    junit: Annotated[Path | None, typer.Option(help="Write the checks to this file as JUnit XML.")] = None,
    summary: Annotated[Path | None, typer.Option(help="Write a summary to this file, in GitHub's Markdown.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Hold a run against limits; a broken one ends in exit code 3 and a line that names it."""
    if margin is not None and no_worse_than is None:
        raise UsageError("a margin needs another run", hint="Name it with --no-worse-than", where="--margin")

    from phraseproof.files import write_text
    from phraseproof.reports.build.runs import half_precision_notes, model_name
    from phraseproof.reports.gate import junit as junit_form
    from phraseproof.reports.gate import summary as summary_form
    from phraseproof.reports.gate.limits import Limits, On, check_run
    from phraseproof.store.half_precision import half_precision
    from phraseproof.store.queries import load_run

    opened = load_run(run)
    other = None if no_worse_than is None else load_run(no_worse_than)
    allowed = None if other is None else margin or 0.0
    if other is not None:
        _warn_of_left_out(opened, other)
    limits = Limits(max_spread, min_worst, min_mean, max_gap, allowed)
    checks = check_run(opened, limits, on=On(on), at=Level(at), other=other)
    name = f"{model_name(opened)}, {opened.path}"
    runs = [opened] if other is None else [opened, other]
    notes = half_precision_notes({str(each.path): half_precision(each) for each in runs})
    text = summary_form.render(checks, name=name, notes=notes)
    if junit is not None:
        write_text(junit, junit_form.render(checks, name=name))
    if summary is not None:
        write_text(summary, text)
    if job := os.environ.get(_SUMMARY_VARIABLE):
        _append(Path(job), text)
    _print(checks, notes, as_json=as_json)
    if any(not check.is_kept for check in checks):
        raise typer.Exit(_BROKEN)


def _warn_of_left_out(run: Run, other: Run) -> None:
    """A task that only the other run has is compared with nothing, and would otherwise go missing without a word."""
    from phraseproof.reports.build.run_tables import printable

    left_out = sorted({cell.task for cell in other.cells} - {cell.task for cell in run.cells})
    if left_out:
        names = printable(", ".join(left_out[:5])) + (", ..." if len(left_out) > 5 else "")
        plural = "tasks" if len(left_out) > 1 else "task"
        typer.echo(f"warning: {run.path}: {len(left_out)} {plural} of {other.path} not compared: {names}", err=True)


def _print(checks: list[Check], notes: list[str], *, as_json: bool) -> None:
    broken = [check for check in checks if not check.is_kept]
    if as_json:
        import json

        names = ("option", "place", "value", "is_kept", "line")
        rows = [{name: getattr(check, name) for name in names} for check in checks]
        document = {"passed": not broken, "checks": rows, "notes": notes}
        typer.echo(json.dumps(document, allow_nan=False))
        return
    for option in dict.fromkeys(check.option for check in checks):
        of_option = [check for check in checks if check.option == option]
        kept = sum(check.is_kept for check in of_option)
        word = "kept  " if kept == len(of_option) else "broken"
        places = (
            f"in all {kept} places" if kept == len(of_option) else f"in {len(of_option) - kept} of {len(of_option)}"
        )
        typer.echo(f"{word}  {option}  ({places if len(of_option) > 1 else of_option[0].line})")
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    for check in broken:
        typer.echo(f"broken: {check.option}: {check.line}", err=True)


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")
    except OSError as error:
        typer.echo(f"warning: {path}: the summary was not written: {error.strerror}", err=True)
