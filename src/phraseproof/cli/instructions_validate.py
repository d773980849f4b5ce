"""`phraseproof instructions validate`: what is wrong, or doubtful, with a collection."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.core import Task
    from phraseproof.instructions.collections import Collection
    from phraseproof.instructions.problems import Problem


def validate(
    name: Annotated[str, typer.Argument(metavar="FILE", help="A collection's YAML file or folder (or its name).")],
    task: Annotated[
        str | None,
        typer.Option(
            "--task", help="A task's name or YAML file: check the wordings that serve it on its own examples."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="A folder with the benchmarks' published files, instead of the hub."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Check a collection: its fields and templates, and with --task every prompt and answer of that task.

    Exits with 2 when there are errors; warnings may be meant.
    """
    from phraseproof.instructions.collections import instructions_for, load_collection
    from phraseproof.instructions.validate import validate as find_problems

    collection = load_collection(name)
    tasks = [] if task is None else _load_tasks(task, data_dir)
    problems: list[Problem] = [] if tasks else find_problems(collection.instructions)
    checked: list[dict[str, Any]] = []
    for each in tasks:
        wordings = instructions_for(collection, each)
        if not wordings:
            served = ", ".join(sorted({serves for wording in collection.instructions for serves in wording.serves}))
            raise UsageError(
                f"no wording of {collection.name!r} serves task {each.name!r} (kind {each.kind.value})",
                hint=f"Its wordings are for: {served}" if served else None,
            )
        problems += [problem for problem in find_problems(wordings, [each]) if problem not in problems]
        checked.append({"task": each.name, "wordings": len(wordings), "prompts": len(wordings) * len(each.examples)})
    errors = sum(problem.level == "error" for problem in problems)
    if as_json:
        _print_json(collection, checked, problems)
    else:
        _print(collection, checked, problems, errors)
    if errors:
        raise typer.Exit(2)


def _print(collection: Collection, checked: list[dict[str, Any]], problems: list[Problem], errors: int) -> None:
    for problem in problems:
        typer.echo(f"{problem.level}: {problem.where}: {problem.message} [{problem.kind}]")
    count = _count(len(collection.instructions), "wording")
    if errors:
        typer.echo(
            f"{collection.name}: {count}, {_count(errors, 'error')}, {_count(len(problems) - errors, 'warning')}"
        )
        return
    warnings = f", {_count(len(problems), 'warning')}" if problems else ""
    typer.echo(f"{collection.name}: {count}, fields and templates are right{warnings}")
    for each in checked:
        typer.echo(
            f"{each['task']}: {_count(each['wordings'], 'wording')} for it, "
            f"{_count(each['prompts'], 'prompt')} rendered with distinct answers"
        )
    if not checked:
        typer.echo("Names of fields are checked against a task: add --task")


def _print_json(collection: Collection, checked: list[dict[str, Any]], problems: list[Problem]) -> None:
    import json

    listed = [problem._asdict() for problem in problems]
    value = {
        "name": collection.name,
        "wordings": len(collection.instructions),
        "tasks": checked,
        "errors": sum(problem.level == "error" for problem in problems),
        "warnings": sum(problem.level == "warning" for problem in problems),
        "problems": listed,
    }
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _load_tasks(name: str, data_dir: Path | None) -> list[Task]:
    from phraseproof.tasks import load_tasks

    return load_tasks([name], data_dir=data_dir, warn=lambda line: typer.echo(f"warning: {line}", err=True))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
