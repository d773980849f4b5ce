"""Small runs whose every answer is written down here, for the tests of the viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from phraseproof.core import Cell, Outcome
from phraseproof.identity import content_hash
from phraseproof.store.queries import load_run
from phraseproof.store.writer import RunStore, Usage
from phraseproof.viewer.index import RunIndex, index_run

RIGHT: Mapping[str, Sequence[int]] = {"w/a": (1, 1, 1, 0), "w/b": (1, 0, 1, 0), "w/c": (0, 0, 1, 1)}
"""By wording, whether each of four examples is answered right. The right option is A for odd examples, else B."""

GROUPS: Mapping[str, str] = {"w/a": "observed", "w/b": "unobserved", "w/c": "unobserved"}
NEGATED = "w/c"
"""The wording that declares a relation."""


def write_options_run(
    path: Path,
    right: Mapping[str, Sequence[int]] = RIGHT,
    *,
    task: str = "t",
    more: Mapping[str, Mapping[str, Sequence[int]]] | None = None,
    prompts: bool = False,
    repeats: Mapping[str, Sequence[Sequence[int]]] | None = None,
    unfinished: Sequence[str] = (),
    texts: Mapping[str, str] | None = None,
) -> Path:
    """A run of a task with the options `yes` (A) and `no` (B).

    Args:
        right: by wording, as `RIGHT`.
        more: other tasks with their `right`.
        prompts: prompts are stored.
        repeats: by wording, more answers of its repeats 1, 2 and so on.
        unfinished: wordings whose cells are not complete.
        texts: of wordings, in place of `Wording w/a: {{ question }}`.
    """
    store = RunStore(path, {"model": {"name": "m"}, "scoring": "loglikelihood", "limit": None})
    cells: dict[Cell, Sequence[int]] = {}
    for name, of_task in {task: right, **(more or {})}.items():
        for wording, marks in of_task.items():
            for repeat, each in enumerate([marks, *((repeats or {}).get(wording, ()))]):
                cells[_cell(path.name, name, wording, repeat, len(each))] = each
    store.register(
        list(cells),
        {
            "groups": {group: {} for group in dict.fromkeys(GROUPS.get(each, "observed") for each in right)},
            "tasks": {name: {"kind": "binary", "category": "c"} for name in {cell.task for cell in cells}},
            "instructions": {
                wording: {
                    "text": (texts or {}).get(wording, f"Wording {wording}: {{{{ question }}}}"),
                    **({"relation": "negated"} if wording == NEGATED else {}),
                }
                for wording in right
            },
        },
    )
    for cell, marks in cells.items():
        if cell.instruction not in unfinished:
            store.write(cell, _outcomes(cell, marks, prompts=prompts), Usage(0.1, 0.1, 1, 1))
    store.finish(1)
    return path


def write_texts_run(path: Path, texts: Mapping[str, Sequence[str]], reference: str = "the cat sat") -> Path:
    """A run of a free-text task: by wording its texts, scored 1 where they are the reference."""
    store = RunStore(path, {"model": {"name": "m"}, "scoring": "generate", "limit": None})
    cells = {
        Cell(content_hash([path.name, wording]), "texts", "c", wording, "observed", 0, 0, len(written), None,
             "generate", "exact_match"): written
        for wording, written in texts.items()
    }  # fmt: skip
    store.register(
        list(cells), {"groups": {"observed": {}}, "instructions": {each: {"text": f"Say {each}"} for each in texts}}
    )
    for cell, written in cells.items():
        outcomes = [
            Outcome(
                f"e{number}", float(text == reference), text=text, reference=reference, is_cut=number == 1,
                prompt=f"Prompt {number} of {cell.instruction}",
            )
            for number, text in enumerate(written)
        ]  # fmt: skip
        store.write(cell, outcomes, Usage(0.1, 0.1, 1, 1))
    store.finish(1)
    return path


def opened(path: Path) -> RunIndex:
    """The index of a run."""
    return index_run(load_run(path))


def _cell(run: str, task: str, wording: str, repeat: int, count: int) -> Cell:
    identity = content_hash([run, task, wording, repeat])
    group = GROUPS.get(wording, "observed")
    return Cell(identity, task, "c", wording, group, 0, 0, count, repeat=repeat)


def _outcomes(cell: Cell, marks: Sequence[int], *, prompts: bool) -> list[Outcome]:
    found: list[Outcome] = []
    for number, mark in enumerate(marks, 1):
        target = (number + 1) % 2
        predicted = target if mark else 1 - target
        logprobs = (-0.25, -1.5) if predicted == 0 else (-1.5, -0.25)
        found.append(
            Outcome(
                f"e{number}", float(mark), ("yes", "no"), logprobs, predicted=predicted, target=target,
                prompt_tokens=7, prompt=f"Is {number} odd? {cell.instruction}" if prompts else None,
            )
        )  # fmt: skip
    return found
