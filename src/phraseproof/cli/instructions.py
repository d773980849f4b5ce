"""`phraseproof instructions`: list, show and validate collections of wordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from phraseproof.cli.instructions_import import import_wordings
from phraseproof.cli.instructions_validate import validate
from phraseproof.cli.perturb import perturb
from phraseproof.cli.wording_stats import stats
from phraseproof.errors import InstructionError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from phraseproof.core import Example, Instruction, Prompt, Task
    from phraseproof.instructions.collections import Collection

app = typer.Typer(help="List, show, check and import wordings.", no_args_is_help=True)
app.command("import", short_help="Import other programs' wordings.")(import_wordings)
app.command("validate", short_help="Check a collection, alone or on a task.")(validate)
app.command("stats", short_help="Count, measure and compare collections.")(stats)
app.command("perturb", short_help="Negate, garble or reformat wordings.")(perturb)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
TaskName = Annotated[
    str | None,
    typer.Option(
        "--task", help="A task's name or YAML file: take the wordings that serve it, and render its own examples."
    ),
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="A folder with the benchmarks' published files, instead of the hub.")
]


@app.command("list", short_help="List the collections of wordings.")
def list_collections(as_json: AsJson = False) -> None:
    """List the shipped collections, those of installed packages, and your own in ./instructions."""
    from rich.markup import escape
    from rich.table import Table

    from phraseproof.instructions.collections import own_folder

    shipped, own, unreadable = _collections()
    if as_json:
        listed = [{"name": each.name, "wordings": len(each.instructions), **_summary(each)} for each in shipped]
        listed += [
            {"name": name, "wordings": len(each.instructions), **_summary(each), "path": str(each.path)}
            for name, each in own.items()
        ]
        _print_json(listed)
    else:
        table = Table(box=None, pad_edge=False)
        table.add_column("name", no_wrap=True)
        table.add_column("wordings", justify="right", no_wrap=True)
        table.add_column("serves")
        table.add_column("licence")
        for name, each in [*((each.name, each) for each in shipped), *own.items()]:
            summary = _summary(each)
            cells = (_in_short(summary["serves"]), ", ".join(summary["licences"]) or "-")
            table.add_row(escape(name), f"{len(each.instructions):,}", *map(escape, cells))
        _console().print(table)
        if own:
            typer.echo(f"Your own, in {own_folder()}/: {', '.join(own)}")
    for problem in unreadable:
        typer.echo(f"warning: left out: {problem}", err=True)


def _collections() -> tuple[list[Collection], dict[str, Collection], list[str]]:
    """The shipped collections, the user's own by the name they are called by, and why others cannot be read."""
    from phraseproof.errors import PhraseproofError
    from phraseproof.instructions.collections import load_collection, own_collections, shipped_collections

    shipped = shipped_collections()
    own: dict[str, Collection] = {}
    unreadable: list[str] = []
    for name, path in own_collections().items():
        if name in shipped:
            unreadable.append(f"{path}: the name {name!r} is a shipped collection's; name yours by its path")
            continue
        try:
            own[name] = load_collection(str(path))
        except PhraseproofError as error:
            unreadable.append(str(error))
    return [load_collection(name) for name in shipped], own, unreadable


def _in_short(serves: list[str], most: int = 3) -> str:
    """Kinds by their names, and so are tasks where they are few."""
    from phraseproof.core import Kind

    kinds = [kind.value for kind in Kind if kind.value in serves]
    others = [name for name in serves if name not in kinds]
    told = others if len(others) <= most else [f"{len(others)} tasks"]
    return ", ".join([*kinds, *told]) or "any task"


@app.command(short_help="Show a collection's wordings, rendered.")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME_OR_FILE", help="A collection's name, or its YAML file.")],
    task: TaskName = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show every wording of a collection, and one example rendered with it (a made-up one without --task)."""
    from phraseproof.instructions.collections import TASK_DESIGNER, load_collection

    if name == TASK_DESIGNER and task is None:
        raise UsageError(f"the wordings of {TASK_DESIGNER} belong to tasks", hint="Name one with --task")
    collection = load_collection(name)
    tasks = [] if task is None else _load_tasks(task, data_dir)
    shown = list(_shown(collection, tasks))
    if as_json:
        _print_json([_as_json(each) for each in shown])
        return
    console = _console()
    for each in shown:
        _print_wording(console, each)


class _Shown(NamedTuple):
    """A wording with one example rendered; `problem` says why there is none."""

    wording: Instruction
    task: str | None
    prompt: Prompt | None
    problem: str | None


def _shown(collection: Collection, tasks: list[Task]) -> Iterator[_Shown]:
    from phraseproof.instructions.collections import instructions_for
    from phraseproof.instructions.template import check_against, compile_instruction
    from phraseproof.instructions.validation_example import validation_example

    if not tasks:
        for wording in collection.instructions:
            compiled = compile_instruction(wording)
            try:
                yield _Shown(wording, None, _plain_prompt(compiled, validation_example(compiled)), None)
            except InstructionError as error:
                yield _Shown(wording, None, None, error.problem)
    for task in tasks:
        wordings = instructions_for(collection, task)
        _some(wordings, collection, task)
        for wording in wordings:
            check_against(wording, task)
            yield _Shown(wording, task.name, _plain_prompt(compile_instruction(wording), task.examples[0]), None)


def _plain_prompt(compiled: Any, example: Example) -> Prompt:
    from phraseproof.instructions.render import build_prompt

    return build_prompt(compiled, example, demonstrations=(), prompt_format="plain")


def _load_tasks(name: str, data_dir: Path | None) -> list[Task]:
    from phraseproof.tasks import load_tasks

    return load_tasks([name], data_dir=data_dir, warn=lambda line: typer.echo(f"warning: {line}", err=True))


def _some(wordings: tuple[Instruction, ...], collection: Collection, task: Task) -> None:
    if not wordings:
        served = ", ".join(_summary(collection)["serves"])
        raise UsageError(
            f"no wording of {collection.name!r} serves task {task.name!r} (kind {task.kind.value})",
            hint=f"Its wordings are for: {served}" if served else None,
        )


def _summary(collection: Collection) -> dict[str, list[str]]:
    wordings = collection.instructions
    return {
        "serves": sorted({name for each in wordings for name in each.serves}),
        "authors": sorted({each.author for each in wordings if each.author}),
        "licences": sorted({each.licence for each in wordings if each.licence}),
    }


def _provenance(wording: Instruction) -> Mapping[str, str]:
    values = {
        "for": ", ".join(wording.serves),
        "relation": wording.relation,
        "author": wording.author,
        "source": wording.source,
        "licence": wording.licence,
        "origin": wording.origin,
    }
    return {name: value for name, value in values.items() if value}


def _as_json(shown: _Shown) -> dict[str, Any]:
    from dataclasses import asdict

    wording = {name: value for name, value in asdict(shown.wording).items() if value is not None}
    prompt = asdict(shown.prompt) if shown.prompt else None
    for each in (wording, prompt):
        if each and "target_delimiter" in each:
            each["joint"] = each["target_delimiter"]  # its former name, which programs may read
    return {"name": shown.wording.name, **wording, "task": shown.task, "prompt": prompt, "problem": shown.problem}


def _print_wording(console: Console, shown: _Shown) -> None:
    from rich.rule import Rule
    from rich.text import Text

    wording = shown.wording
    console.print(Rule(Text(wording.name, style="bold"), align="left", style="dim"))
    for name, value in _provenance(wording).items():
        console.print(Text(f"{name}: {value}", style="dim"))
    for name in ("ask", "layout", "template", "answer"):
        value = getattr(wording, name)
        if value is not None:
            console.print(Text(f"{name}:", style="bold"))
            console.print(Text(_indented(value)))
    rendered = f"rendered with the first example of {shown.task}:" if shown.task else "rendered with a made-up example:"
    console.print(Text(rendered, style="bold"))
    if shown.prompt is None:
        console.print(Text(f"  cannot be rendered with one; name a task with --task ({shown.problem})", style="yellow"))
    else:
        console.print(Text(_indented(shown.prompt.text)))
        delimiter = "" if shown.prompt.target_delimiter == " " else f" (after {shown.prompt.target_delimiter!r})"
        console.print(
            Text(f"scored{delimiter}: ", style="bold").append(" | ".join(shown.prompt.options), style="not bold")
        )
    console.print()


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
