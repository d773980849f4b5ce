"""The record of a run, stored with its outcomes: everything that is needed to repeat it."""

from __future__ import annotations

import platform
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TypeAlias

from phraseproof.core import Instruction, Task
from phraseproof.evaluation.plan import PlannedCell, what_is_said, wording_text
from phraseproof.identity import content_hash
from phraseproof.installed import versions
from phraseproof.scoring.registry import metric
from phraseproof.store.run_file import METRICS, RunContent, wording_keys

Record: TypeAlias = dict[str, RunContent]
"""Sections of `run.json` by name."""

LONGEST_EXAMPLE = 4000
"""Characters of a prompt that `run.json` keeps as an example."""


def describe(
    planned: Sequence[PlannedCell],
    tasks: Sequence[Task],
    groups: Sequence[str],
    prompt_of: Callable[[PlannedCell], str] | None = None,
) -> Record:
    """The sections of `run.json` that an evaluation adds to: groups, tasks, wordings, and the software's versions.

    Args:
        prompt_of: a prompt of a cell as the model reads it; one is kept per wording, so that reports can show it.
    """
    wordings = {_key(each): each.wording.instruction for each in planned}
    first = {_key(each): each for each in reversed(planned)}
    shown = {} if prompt_of is None else {key: _example(each, prompt_of(each)) for key, each in first.items()}
    members = {group: {each.cell.instruction for each in planned if each.cell.group == group} for group in groups}
    return {
        "groups": {group: {"num_wordings": len(names)} for group, names in members.items()},
        "tasks": {
            task.name: {
                "kind": task.kind,
                "category": task.category,
                "source": task.source,
                "num_examples": len(task.examples),
                "content": content_hash([task.kind, task.examples, task.demonstrations]),
                **({"data": task.data} if task.data else {}),
            }
            for task in tasks
        },
        "instructions": {
            key: {
                "text": wording_text(item),
                **_parts(item),
                "content": content_hash(what_is_said(item)),
                **shown.get(key, {}),
            }
            for key, item in wordings.items()
        },
        "environment": _environment(),
        **_metrics({each.cell.metric for each in planned}),
    }


def _metrics(names: Iterable[str]) -> Record:
    """The signatures of metrics that have one."""
    known = {name: signature for name in sorted(names) if (signature := metric(name).signature) is not None}
    return {METRICS: {name: {"signature": signature} for name, signature in known.items()}} if known else {}


def _example(planned: PlannedCell, prompt: str) -> dict[str, object]:
    text = prompt if len(prompt) <= LONGEST_EXAMPLE else f"{prompt[:LONGEST_EXAMPLE]}…"
    return {"example": {"task": planned.task.name, "num_fewshot": planned.cell.num_fewshot, "prompt": text}}


def _key(planned: PlannedCell) -> str:
    instruction = planned.wording.instruction
    by_task, by_name = wording_keys(planned.task.name, instruction.name)
    return by_task if instruction in planned.task.instructions else by_name


def _parts(instruction: Instruction) -> dict[str, object]:
    """The fields of a wording that differ from their defaults."""
    return {
        item.name: value
        for item in fields(instruction)
        if item.name not in {"id", "collection", "origin"}
        and (value := getattr(instruction, item.name)) != item.default
    }


def _environment() -> dict[str, str]:
    found = {
        "command": shlex.join(sys.argv),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    packages = ("phraseproof", "torch", "transformers", "tokenizers", "peft", "datasets", "numpy", "pyarrow")
    return found | versions(packages)


def peak_rss_bytes() -> int:
    """The process's peak resident memory in bytes; 0 where the system does not report it."""
    # First choice: on Linux the other figure is never below that of the program that started this one.
    status = Path("/proc/self/status")
    text = status.read_text(encoding="utf-8") if status.is_file() else ""
    if found := re.search(r"^VmHWM:\s*(\d+) kB$", text, re.MULTILINE):
        return 1024 * int(found[1])
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
