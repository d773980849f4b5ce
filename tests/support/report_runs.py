"""Run folders for the tests of reports: made up, but stored as `evaluate` stores them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from phraseproof.core import Cell, Outcome
from phraseproof.identity import content_hash
from phraseproof.store.writer import RunStore, Usage

GROUPS: Mapping[str, int] = {"observed": 4, "unobserved": 3}
TASKS: Mapping[str, str] = {"kb/colours": "KB", "kb/shapes": "KB", "tone/polite": "Tone"}

# What somebody might hide in a wording, an option or an answer; every piece must be seen and none must act.
HOSTILE = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 2</script>",
    '"><img src=x onerror="window.hacked = 3">',
    "<!-- <b>bold</b> & &amp; -->",
    "javascript:window.hacked=4",
    "{{ 7 * 7 }} {% raw %} ${window.hacked=5}",
    "w" * 300,
    "\u202egnittirw sdrawkcab\u202c",
    "שלום עולם مرحبا بالعالم",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301",
    "nul \x00 bell \x07 escape \x1b[31m",
    "constructor",
    "__proto__",
)


def write_run(
    path: Path,
    *,
    tasks: Mapping[str, str] = TASKS,
    groups: Mapping[str, int] = GROUPS,
    examples: int = 12,
    bonus: float = 0.0,
    adapter: str | None = None,
    prompts: bool = False,
    shots: Sequence[int] = (0,),
    missing: int = 0,
    names: Sequence[str] = (),
    relations: Mapping[str, str] | None = None,
    wording_text: str = "which is it?",
    dtype: str = "",
) -> Path:
    """Outcomes that depend on task, wording and example by a fixed rule.

    Args:
        tasks: category by name.
        groups: number of wordings by name.
        bonus: added to every wording's chance of a right answer.
        names: pieces of text that take the place of plain names, texts and options.
        relations: by group, what its wordings are said to be.
        dtype: of the model; in half precision, 64 prompts were scored in float32 as well, with errors up to 1 nat, so
            that every choice, 1.8 nats from a tie, lies within the bound.
    """
    settings: dict[str, Any] = {
        "model": {"name": "org/model", "revision": "r1", "architecture": "A", "dtype": dtype, "adapter": adapter},
        "scoring": "loglikelihood",
        "prompt_format": "plain",
        "limit": examples,
        "seed": 0,
        "log_samples": prompts,
    }
    store = RunStore(path, settings)
    texts: dict[str, dict[str, Any]] = {}
    cells: list[Cell] = []
    for task, category in tasks.items():
        for group, count in groups.items():
            for number in range(count):
                wording = f"{group}/{_piece(names, number, f'w{number}')}"
                text = f"Wording {number} of {group}: {_piece(names, number, wording_text)}\n\n{{{{ question }}}}"
                texts[wording] = {"text": text}
                if relations and group in relations:
                    texts[wording]["relation"] = relations[group]
                for k in shots:
                    identity = content_hash([task, group, number, k, bonus])
                    cells.append(Cell(identity, task, category, wording, group, k, 0, examples))
    record: dict[str, Any] = {
        "groups": {group: {"num_wordings": count} for group, count in groups.items()},
        "tasks": {
            task: {"kind": "binary", "category": category, "source": "made up", "num_examples": examples}
            for task, category in tasks.items()
        },
        "instructions": texts,
        "environment": {"command": "phraseproof evaluate --model org/model", "python": "3.11.0"},
    }
    if dtype:
        record["half_precision"] = {"plan": {"sampled_prompts": 64, "largest_error": 1.0, "changed_choices": 2}}
    store.register(cells, record)
    for number, cell in enumerate(cells[: len(cells) - missing]):
        store.write(cell, _outcomes(cell, number, bonus, prompts, names), Usage(1.5, 2.0, 100, 50))
    store.finish(10_000_000)
    return path


def _outcomes(cell: Cell, number: int, bonus: float, prompts: bool, names: Sequence[str]) -> list[Outcome]:
    options = (f"yes {_piece(names, number, '')}".strip(), f"no {_piece(names, number + 1, '')}".strip())
    found: list[Outcome] = []
    for example in range(cell.num_examples):
        draw = random.Random(f"{cell.task} {cell.instruction} {example}").random()
        hardness = random.Random(f"{cell.task} {example}").random()
        right = draw * 0.6 + hardness * 0.4 < 0.45 + 0.06 * (number % 5) + bonus
        target = example % 2
        predicted = target if right else 1 - target
        found.append(
            Outcome(
                f"e{example:03}",
                float(right),
                options,
                (-0.2, -2.0) if predicted == 0 else (-2.0, -0.2),
                predicted=predicted,
                target=target,
                prompt_tokens=9,
                computed_tokens=9,
                prompt=f"The prompt of example {example}.\n{_piece(names, example, '')}" if prompts else None,
            )
        )
    return found


def _piece(names: Sequence[str], number: int, plain: str) -> str:
    return names[number % len(names)] if names else plain
