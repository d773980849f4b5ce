"""Prompts that a run does not store, rendered again from the task's data and the wordings that the run holds."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from phraseproof.core import Cell, ChatMessage, Example, Instruction, Prompt, Relation, Task
from phraseproof.errors import NotEnoughDataError, PhraseproofError, RunError
from phraseproof.evaluation.stored_spec import spec_of_run
from phraseproof.identity import content_hash
from phraseproof.instructions.option_order import in_order, in_own_order
from phraseproof.instructions.render import build_prompt, draw_demonstrations
from phraseproof.instructions.template import CompiledInstruction, compile_instruction
from phraseproof.scoring.registry import reads_text
from phraseproof.store.queries import Run, load_run
from phraseproof.store.run_file import CALIBRATION, DERIVED_FROM, GENERATION, IMPORTED, RUN_FILE, wording_keys
from phraseproof.tasks import load_tasks

_WITHOUT_NETWORK = ("everyday", "pocket")
"""First parts of names of tasks whose data is in the package."""

_TASKS_KEPT = 8
_FOLDERS_ABOVE = 3
"""So many folders above a run are searched for a task file whose path is relative: a project's runs are below it."""

_FIELDS = {field.name for field in fields(Instruction)} - {"id", "collection", "origin"}


class _LoadedTask(NamedTuple):
    task: Task
    by_id: Mapping[str, Example]


class _Turns:
    """Shows the turns of a chat in place of a model's chat template, which would need the model."""

    has_chat_template = True

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        """The turns, each under its role."""
        return "\n\n".join(f"[{message.role}]\n{message.content}" for message in messages)


def rebuilt_prompts(run: Run, cell: Cell, example_ids: Sequence[str]) -> list[Prompt]:
    """The prompts of some examples of a cell.

    Of chats they hold the turns under their roles, without the marks of the model's chat template.

    Raises:
        NotEnoughDataError: the run does not say what is needed, or the data would have to be downloaded.
        PhraseproofError: the task cannot be loaded, or the wording not be rendered.
        RunError: the task's data has changed since the run.
    """
    task, by_id = _task_of(run, cell.task)
    if missing := [name for name in example_ids if name not in by_id]:
        raise RunError(f"the task's data has no example {missing[0]!r}", where=cell.task)
    wording = _wording_of(run, cell)
    prompt_format = run.settings.get("prompt_format") or "plain"
    reasoning = run.settings.get(GENERATION, {}).get("reasoning") if reads_text(cell.scoring) else None
    order = cell.option_order
    found: list[Prompt] = []
    for name in example_ids:
        example = by_id[name]
        drawn = draw_demonstrations(task, example, cell.num_fewshot, cell.fewshot_seed)
        prompt = build_prompt(
            wording,
            in_order(example, order),
            demonstrations=[in_order(each, order) for each in drawn],
            prompt_format=prompt_format,
            chat_model=_Turns(),
            reasoning=reasoning,
        )
        found.append(in_own_order(prompt, order))
    return found


def has_prompt_per_option(run: Run, cell: Cell) -> bool:
    """Whether a cell's wording has the options in its prompt, of which only the longest is stored or rendered."""
    return _entry_of(run, cell).get("continuation") is not None


def _entry_of(run: Run, cell: Cell) -> Mapping[str, Any]:
    entries: Mapping[str, Mapping[str, Any]] = run.content.get("instructions", {})
    return next((entries[key] for key in wording_keys(cell.task, cell.instruction) if key in entries), {})


def _wording_of(run: Run, cell: Cell) -> CompiledInstruction:
    given = {name: value for name, value in _entry_of(run, cell).items() if name in _FIELDS}
    if not given.keys() & {"ask", "template"}:
        raise NotEnoughDataError("the run does not hold the wording's template")
    if given.get("relation"):
        given["relation"] = Relation(given["relation"])
    if "serves" in given:
        given["serves"] = tuple(given["serves"])
    collection, _, name = cell.instruction.rpartition("/")
    return _compiled(Instruction(id=name, collection=collection, **given))


@lru_cache(1024)
def _compiled(instruction: Instruction) -> CompiledInstruction:
    return compile_instruction(instruction)


def _task_of(run: Run, name: str) -> _LoadedTask:
    evaluated = _evaluated(run)
    stored: str | None = run.content.get("tasks", {}).get(name, {}).get("data")
    if stored is None:
        raise NotEnoughDataError("the run does not say on which data it was made")
    spec = spec_of_run(evaluated.content).data
    members = [_existing(evaluated, str(member)) for member in spec.get("tasks", ())]  # type: ignore[attr-defined] - JSON data
    folder = spec.get("data_dir")
    return _loaded(name, tuple(members), None if folder is None else _existing(evaluated, str(folder)), stored)


def _evaluated(run: Run) -> Run:
    """The run itself, or the one that it was derived from."""
    if IMPORTED in run.settings:
        raise NotEnoughDataError("the run was imported from another program")
    if CALIBRATION not in run.settings:
        return run
    source = str(run.content.get(DERIVED_FROM, {}).get("run", ""))
    if not (Path(source) / RUN_FILE).is_file():
        raise NotEnoughDataError(f"the run that it was derived from is not there: {source}")
    return load_run(Path(source))


def _existing(run: Run, path: str) -> str:
    """A path as the evaluation was given it, or the same below a folder above the run; else as it is."""
    folders = [Path(), *run.path.resolve().parents[:_FOLDERS_ABOVE]]
    return next((str(folder / path) for folder in folders if (folder / path).exists()), path)


@lru_cache(_TASKS_KEPT)
def _loaded(name: str, members: tuple[str, ...], data_dir: str | None, stored: str) -> _LoadedTask:
    files = [member for member in members if member.endswith((".yaml", ".yml")) or Path(member).is_file()]
    if gone := [file for file in files if not Path(file).is_file()]:
        raise NotEnoughDataError(f"the task file {gone[0]} is neither in the current folder nor above the run")
    error: PhraseproofError | None = None
    for member in (*files, name):
        is_local = member in files or data_dir is not None or member.split("/", 1)[0] in _WITHOUT_NETWORK
        if not is_local and os.environ.get("HF_HUB_OFFLINE", "0").lower() in ("", "0", "false", "no"):
            raise NotEnoughDataError(
                "the task's data may have to be downloaded, and the viewer loads nothing from a network",
                hint="phraseproof view, or HF_HUB_OFFLINE=1, reads what was downloaded before",
            )
        try:
            tasks = load_tasks([member], data_dir=None if data_dir is None else Path(data_dir))
        except PhraseproofError as found:
            error = found
            continue
        for task in tasks:
            if task.name == name:
                if (task.data or content_hash(task.examples)) != stored:
                    raise RunError("the task's data has changed since the run", where=name)
                return _LoadedTask(task, {example.id: example for example in task.examples})
    raise error or NotEnoughDataError(f"none of the run's task files holds the task {name!r}")
