"""`phraseproof instructions show`: every wording of a collection, with an example rendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.cli import options, terminal
from phraseproof.cli.instructions.serving import load_task, wordings_for
from phraseproof.errors import InstructionError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from phraseproof.core import Example, Instruction, Prompt, Task
    from phraseproof.instructions.collections import Collection
    from phraseproof.instructions.template import CompiledInstruction


def show(
    name: options.CollectionName,
    task: options.TaskName = None,
    data_dir: options.DataDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Show every wording of a collection with one example rendered (a made-up one without --task)."""
    from phraseproof.instructions.collections import TASK_DESIGNER, load_collection

    if name == TASK_DESIGNER and task is None:
        raise UsageError(f"{TASK_DESIGNER} requires --task: its wordings belong to tasks")
    collection = load_collection(name)
    shown = list(_shown(collection, load_task(task, data_dir)))
    if as_json:
        terminal.print_json([_as_json(each) for each in shown], indent=2)
        return
    console = terminal.console()
    for each in shown:
        _print_wording(console, each)


class _Shown(NamedTuple):
    """A wording with one example rendered, or the `problem` that prevents it."""

    wording: Instruction
    task: str | None
    prompt: Prompt | None
    problem: str | None
    references: tuple[str, ...] = ()

    @property
    def is_free_text(self) -> bool:
        """Whether the example has no options, so that the wording's `answer` has no meaning."""
        return bool(self.references)


def _shown(collection: Collection, tasks: list[Task]) -> Iterator[_Shown]:
    from phraseproof.instructions.template import check_against, compile_instruction
    from phraseproof.instructions.validation_example import validation_example
    from phraseproof.tasks import catalogue

    if not tasks:
        kinds = {listing.name: listing.kind for listing in catalogue() if listing.kind is not None}
        for wording in collection.instructions:
            compiled = compile_instruction(wording)
            example = validation_example(compiled, kinds)
            try:
                yield _Shown(wording, None, _plain_prompt(compiled, example), None, example.references)
            except InstructionError as error:
                yield _Shown(wording, None, None, error.problem)
    for task in tasks:
        for wording in wordings_for(collection, task):
            check_against(wording, task)
            first = task.examples[0]
            yield _Shown(wording, task.name, _plain_prompt(compile_instruction(wording), first), None, first.references)


def _plain_prompt(compiled: CompiledInstruction, example: Example) -> Prompt:
    from phraseproof.instructions.render import build_prompt

    return build_prompt(compiled, example, demonstrations=(), prompt_format="plain")


def _as_json(shown: _Shown) -> dict[str, object]:
    from dataclasses import asdict

    wording: dict[str, object] = {name: value for name, value in asdict(shown.wording).items() if value is not None}
    prompt: dict[str, object] | None = asdict(shown.prompt) if shown.prompt else None
    for each in (wording, prompt):
        if each and "target_delimiter" in each:
            each["joint"] = each["target_delimiter"]  # the key's former name, for programs that read it
    return {"name": shown.wording.name, **wording, "task": shown.task, "prompt": prompt, "problem": shown.problem}


def _print_wording(console: Console, shown: _Shown) -> None:
    from rich.rule import Rule
    from rich.text import Text

    wording = shown.wording
    console.print(Rule(Text(wording.name, style="bold"), align="left", style="dim"))
    for name, value in _provenance(wording).items():
        console.print(Text(f"{name}: {value}", style="dim"))
    for name in ("ask", "layout", "template", "continuation", *(() if shown.is_free_text else ("answer",))):
        value = getattr(wording, name)
        if value is not None:
            console.print(Text(f"{name}:", style="bold"))
            console.print(Text(_indented(value)))
    rendered = f"rendered with the first example of {shown.task}:" if shown.task else "rendered with a made-up example:"
    console.print(Text(rendered, style="bold"))
    if shown.prompt is None:
        console.print(Text(f"  it cannot be; name a task with --task ({shown.problem})", style="yellow"))
    else:
        if alternatives := shown.prompt.alternatives:
            console.print(Text(f"  (the longest of {len(alternatives)} prompts, one per option)", style="dim"))
        console.print(Text(_indented(shown.prompt.text)))
        delimiter = shown.prompt.target_delimiter
        after = "" if delimiter == " " else f" (after {delimiter!r})"
        scored = alternatives[0].options if alternatives else shown.prompt.options
        head, texts = ("reference", shown.references) if shown.is_free_text else ("scored", scored)
        console.print(Text(f"{head}{after}: ", style="bold").append(" | ".join(texts), style="not bold"))
    console.print()


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


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))
