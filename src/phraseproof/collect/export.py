"""From accepted wordings to a collection that `evaluate` takes, with who wrote each wording and under which licence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from phraseproof.collect.composition import compose
from phraseproof.collect.records import SHOTS, CollectedWording, Invitation, Shots, Status
from phraseproof.collect.store import CollectStore
from phraseproof.core import Instruction, Relation, Task
from phraseproof.errors import CollectError, InstructionError
from phraseproof.files import write_json
from phraseproof.instructions.duplicates import repeated_wordings
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import check_against, compile_instruction
from phraseproof.instructions.writing import write_collection

RENDERED_EXAMPLES = 100
"""The number of examples that a wording is rendered for before it is exported; an evaluation renders all."""

MAX_PASSED = 100_000
"""The number of checks that are remembered; then they begin again."""

_NOT_IN_ID = re.compile(r"[^\w.+-]+")
_MAX_ID = 60


class PassedChecks:
    """Which revisions of wordings can be rendered on their tasks, as earlier exports of this process found.

    It holds ids, no texts, and counts for the same tasks only.
    """

    def __init__(self) -> None:
        self._passed: set[tuple[str, int]] = set()

    def __contains__(self, wording: CollectedWording) -> bool:
        """Whether this revision of a wording has passed."""
        return (wording.id, wording.revision) in self._passed

    def add(self, wording: CollectedWording) -> None:
        """Note that this revision of a wording has passed."""
        if len(self._passed) >= MAX_PASSED:
            self._passed.clear()
        self._passed.add((wording.id, wording.revision))


class LeftOut(NamedTuple):
    """A wording that an export leaves out, and why, as a clause."""

    wording: CollectedWording
    author: str
    reason: str


class Exported(NamedTuple):
    """Collected wordings as wordings of a collection.

    Attributes:
        instructions: the wordings, by task, table, author and row.
        sources: of each of them the collected wording.
        left_out: the others that were asked for.
    """

    instructions: tuple[Instruction, ...]
    sources: tuple[CollectedWording, ...]
    left_out: tuple[LeftOut, ...]


def collected_instructions(
    store: CollectStore,
    tasks: Mapping[str, Task],
    *,
    name: str,
    kinds: Sequence[Shots],
    statuses: Sequence[Status] = ("accepted",),
    passed: PassedChecks | None = None,
) -> Exported:
    """A project's wordings as instructions, each checked on its task.

    Left out are wordings that cannot be rendered for their task, those whose author has agreed to no licence, and those
    that equal another one up to white space and letter case: a collection holds every wording once.

    Args:
        store: the project.
        tasks: its tasks by name, with their examples.
        name: the collection's name.
        kinds: the tables.
        statuses: the states of wordings that are exported.
        passed: wordings that are not checked again; those that pass now are added.
    """
    wordings = store.wordings()  # first, so that what else is read misses a wording only if it was deleted meanwhile
    written = store.written()
    people = {each.id: each for each in store.invitations()}
    title = " ".join(store.project.title.split())
    found: dict[str, tuple[CollectedWording, Instruction]] = {}
    left_out: list[LeftOut] = []
    for wording in wordings:
        if wording.kind not in kinds or wording.status not in statuses or not wording.text:
            continue
        author = people.get(wording.invitation_id)
        if author is None or wording.id not in written:
            continue
        try:
            instruction = replace(
                instruction_of(wording, author, tasks[wording.task], collection=name, passed=passed),
                source=f"{title}, {written[wording.id]:%Y-%m-%dT%H:%M:%SZ}",
            )
        except (CollectError, InstructionError) as error:
            left_out.append(LeftOut(wording, author.pseudonym, _clause(error)))
            continue
        number = 2
        while instruction.id in found:  # two pseudonyms that differ in characters which ids do not have
            instruction = replace(instruction, id=f"{wording_id_of(wording, author)}-{number}")
            number += 1
        found[instruction.id] = wording, instruction
    problems = repeated_wordings([instruction for _, instruction in found.values()])
    for problem in problems:
        if problem.kind == "duplicate":
            wording, instruction = found.pop(problem.wording.removeprefix(f"{name}/"))
            left_out.append(LeftOut(wording, str(instruction.author), problem.message))
    return Exported(
        tuple(instruction for _, instruction in found.values()),
        tuple(wording for wording, _ in found.values()),
        tuple(left_out),
    )


def instruction_of(
    wording: CollectedWording, author: Invitation, task: Task, *, collection: str, passed: PassedChecks | None = None
) -> Instruction:
    """One collected wording with its author and licence, checked on its task unless it has `passed` already.

    Raises:
        InstructionError: it cannot be rendered for one of the first 100 examples, or names what an example lacks.
        CollectError: the author has agreed to no licence.
    """
    if not author.licence:
        raise CollectError(f"{author.pseudonym} has agreed to no licence")
    instruction = replace(
        compose(
            task,
            wording.text,
            wording.form,
            answer=wording.answer,
            name=wording_id_of(wording, author),
            collection=collection,
        ),
        relation=Relation.UNOBSERVED,
        author=author.pseudonym,
        licence=author.licence,
    )
    if passed is not None and wording in passed:
        return instruction
    check_against(instruction, task)
    compiled = compile_instruction(instruction)
    for example in task.examples[:RENDERED_EXAMPLES]:
        build_prompt(compiled, example, demonstrations=(), prompt_format="plain")
    if passed is not None:
        passed.add(wording)
    return instruction


def wording_id_of(wording: CollectedWording, author: Invitation) -> str:
    """The id of a wording in a collection: task, table, author and row, the same in every export."""
    parts = (_in_id(wording.task), wording.kind, _in_id(author.pseudonym) or author.id, str(wording.row))
    return "-".join(parts)


def export_collection(
    store: CollectStore,
    tasks: Mapping[str, Task],
    path: Path,
    *,
    name: str,
    kinds: Sequence[Shots],
    statuses: Sequence[Status] = ("accepted",),
    passed: PassedChecks | None = None,
) -> Exported:
    """Write a project's wordings as a collection's file; see `collected_instructions`.

    Raises:
        CollectError: there is nothing to export; says what was left out.
        FileError: the file cannot be written.
    """
    exported = collected_instructions(store, tasks, name=name, kinds=kinds, statuses=statuses, passed=passed)
    if not exported.instructions:
        first = f": {exported.left_out[0].reason}" if exported.left_out else ""
        raise CollectError(
            f"no wording can be exported ({len(exported.left_out)} left out{first})",
            expected=f"{' or '.join(statuses)} {' or '.join(kinds)} wordings",
            where=str(store.folder),
        )
    write_collection(path, name, exported.instructions, remark=_remark(store.project.title, exported))
    store.note("exported", detail=f"{len(exported.instructions)} wordings")
    return exported


def export_everything(store: CollectStore, path: Path, *, of: str | None = None) -> None:
    """Write all that the project holds as JSON, or holds of one person (`of`), except what links are made of.

    Raises:
        CollectError: no such invitation.
        FileError: the file cannot be written.
    """
    write_json(path, store.everything(of=of))


def _remark(title: str, exported: Exported) -> str:
    """What a collection's file says about itself."""
    counts = {kind: sum(each.kind == kind for each in exported.sources) for kind in SHOTS}
    listed = " and ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    authors = len({each.author for each in exported.instructions})
    wordings = "wording" if len(exported.sources) == 1 else "wordings"
    annotators = "1 annotator" if authors == 1 else f"{authors} annotators"
    lines = [title, f"{listed} {wordings} by {annotators}, collected with phraseproof"]
    if counts["few-shot"]:
        lines.append("Few-shot wordings were written for prompts with solved examples: evaluate with --num-fewshot.")
        if counts["zero-shot"]:
            lines.append("Zero-shot wordings were written for prompts without; export each table into its own file.")
    return "\n".join(lines)


def _in_id(text: str) -> str:
    return _NOT_IN_ID.sub("-", text).strip("-")[:_MAX_ID].strip("-")


def _clause(error: CollectError | InstructionError) -> str:
    return error.problem + (f". {error.hint}" if error.hint else "")
