"""Outcomes of chosen examples: under all wordings but controls, sorted by task."""

from __future__ import annotations

from pathlib import Path

from phraseproof.core import Cell, Outcome
from phraseproof.reports.html.chosen_examples import num_wordings, rows_of_examples
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage


def write(folder: Path) -> Run:
    store = RunStore(folder, {"model": {"name": "m"}})
    for number, (task, wording, group) in enumerate(
        (task, wording, group) for task in ("b", "a") for wording, group in (("w/1", "g"), ("w/0", "g"), ("w/2", "off"))
    ):
        cell = Cell(f"{number:032x}", task, "C", wording, group, 0, 0, 2)
        store.register([cell], {"groups": {group: {}}, "instructions": {wording: {"text": wording}}})
        store.write(cell, [Outcome(f"e{place}", float(place), text=f"{task}{place}") for place in range(2)], Usage())
    return load_run(folder)


def test_each_example_comes_with_its_outcomes(tmp_path: Path) -> None:
    run = write(tmp_path / "run")
    chosen = [{"task": "b", "example_id": "e1"}, {"task": "a", "example_id": "e0"}, {"task": "b", "example_id": "e0"}]
    found = rows_of_examples(run, chosen, "instruction, score, text", 0, ["off"])
    assert [num_wordings(rows) for _, rows in found] == [2, 2, 2]
    assert num_wordings([*found[0][1], *found[1][1]]) == 2, "of draws and repeats each wording counts once"
    assert [(row["task"], row["example_id"]) for row, _ in found] == [("a", "e0"), ("b", "e1"), ("b", "e0")]
    assert [[(row["instruction"], row["score"], row["text"]) for row in rows] for _, rows in found] == [
        [("w/0", 0.0, "a0"), ("w/1", 0.0, "a0")],
        [("w/0", 1.0, "b1"), ("w/1", 1.0, "b1")],
        [("w/0", 0.0, "b0"), ("w/1", 0.0, "b0")],
    ]
    assert rows_of_examples(run, [], "score", 0, []) == []
