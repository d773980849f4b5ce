"""Cells with known outcomes, stored as `evaluate` stores them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from phraseproof.core import Cell, Outcome
from phraseproof.store.writer import RunStore, Usage

SETTINGS = {"model": {"name": "m"}, "limit": None}


def make_cell(identity: str = "a" * 32, **changes: Any) -> Cell:
    fields: dict[str, Any] = {
        "task": "t",
        "category": "c",
        "instruction": "mine/one",
        "group": "observed",
        "num_fewshot": 0,
        "fewshot_seed": 0,
        "num_examples": 2,
    }
    return Cell(identity=identity, **{**fields, **changes})


def make_outcomes(right: int = 1) -> list[Outcome]:
    return [
        Outcome(
            example_id=str(n),
            options=("A", "B"),
            option_logprobs=(-0.5, -1.5),
            predicted=0,
            target=0 if n < right else 1,
            score=1.0 if n < right else 0.0,
            prompt_tokens=7,
            computed_tokens=7,
        )
        for n in range(2)
    ]


def finished_run(path: Path, *cells: Cell) -> RunStore:
    store = RunStore(path, SETTINGS)
    store.register(cells, {"instructions": {cell.instruction: {"text": "Say A."} for cell in cells}})
    for cell in cells:
        store.write(cell, make_outcomes(), Usage(1.0, 2.0, 30, 10))
    store.finish(123)
    return store
