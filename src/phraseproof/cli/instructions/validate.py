"""`phraseproof instructions validate`: errors and warnings of a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.completion import complete_instructions
from phraseproof.cli.instructions.serving import load_task, wordings_for

if TYPE_CHECKING:
    from phraseproof.instructions.collections import Collection
    from phraseproof.instructions.problems import Problem


class _CheckedTask(NamedTuple):
    task: str
    wordings: int
    prompts: int
    kind: str


def validate(
    name: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A collection's YAML file or folder (or its name).",
            autocompletion=complete_instructions,
        ),
    ],
    task: options.TaskName = None,
    data_dir: options.DataDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Check a collection: its fields and templates, and with --task every prompt and answer of that task.

    Exits with 2 if there are errors. Warnings do not change the exit code.
    """
    from phraseproof.instructions.collections import load_collection
    from phraseproof.instructions.validate import validate as find_problems

    collection = load_collection(name)
    tasks = load_task(task, data_dir)
    problems: list[Problem] = [] if tasks else find_problems(collection.instructions)
    checked: list[_CheckedTask] = []
    for each in tasks:
        wordings = wordings_for(collection, each)
        problems += [problem for problem in find_problems(wordings, [each]) if problem not in problems]
        checked.append(_CheckedTask(each.name, len(wordings), len(wordings) * len(each.examples), each.kind.value))
    errors = sum(problem.level == "error" for problem in problems)
    if as_json:
        value = {
            "name": collection.name,
            "wordings": len(collection.instructions),
            "tasks": [each._asdict() for each in checked],
            "errors": errors,
            "warnings": len(problems) - errors,
            "problems": [problem._asdict() for problem in problems],
        }
        terminal.print_json(value, indent=2)
    else:
        _print(collection, checked, problems, errors)
    if errors:
        raise typer.Exit(2)


def _print(collection: Collection, checked: list[_CheckedTask], problems: list[Problem], errors: int) -> None:
    for problem in problems:
        typer.echo(f"{problem.level}: {problem.where}: {problem.message} [{problem.kind}]")
    count = terminal.counted(len(collection.instructions), "wording")
    if errors:
        found = f"{terminal.counted(errors, 'error')}, {terminal.counted(len(problems) - errors, 'warning')}"
        typer.echo(f"{collection.name}: {count}, {found}")
        return
    warnings = f", {terminal.counted(len(problems), 'warning')}" if problems else ""
    typer.echo(f"{collection.name}: {count}, fields and templates are valid{warnings}")
    from phraseproof.core import Kind

    for each in checked:
        answers = " with distinct answers" if Kind(each.kind).has_options else ""
        rendered = f"{terminal.counted(each.prompts, 'prompt')} rendered{answers}"
        typer.echo(f"{each.task}: {terminal.counted(each.wordings, 'wording')} for it, {rendered}")
    if not checked:
        typer.echo("Names of fields are checked against a task: add --task")
