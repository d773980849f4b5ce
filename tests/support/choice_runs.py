"""Runs for choices of a wording: wordings with known scores, of one or two models, on tasks with known answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from phraseproof.core import Cell, Outcome
from phraseproof.store.writer import RunStore, Usage


def write_choice_run(
    path: Path,
    tasks: Mapping[str, np.ndarray],
    *,
    model: str = "org/model",
    targets: Mapping[str, np.ndarray] | None = None,
    tokens: tuple[int, ...] = (),
    category: str = "tickets",
) -> Path:
    """Write a run of right and wrong answers.

    Args:
        tasks: by name the scores [wordings, examples], 0 or 1. Wordings are `ours/0`, `ours/1`, ...
        targets: by name the right option of each example, 0 (yes) or 1 (no). Default: every other one.
        tokens: the length of each wording's prompts. Default: 10 each.
    """
    identity = {"name": model, "revision": "r", "architecture": "A", "adapter": None}
    store = RunStore(path, {"model": identity, "scoring": "loglikelihood"})
    cells: list[tuple[Cell, np.ndarray, np.ndarray, int]] = []
    for task, scores in tasks.items():
        right = np.arange(scores.shape[1]) % 2 if targets is None else targets[task]
        for row, of_wording in enumerate(scores):
            cell = Cell(f"{len(cells):032x}", task, category, f"ours/{row}", "ours", 0, 0, num_examples=scores.shape[1])
            cells.append((cell, of_wording, right, tokens[row] if tokens else 10))
    texts = {cell.instruction: {"text": f"Say {cell.instruction}."} for cell, *_ in cells}
    store.register([cell for cell, *_ in cells], {"instructions": texts})
    for cell, of_wording, right, length in cells:
        store.write(cell, _outcomes(of_wording, right, length), Usage())
    return path


def _outcomes(scores: np.ndarray, right: np.ndarray, length: int) -> list[Outcome]:
    return [
        Outcome(
            str(number), float(score), ("yes", "no"), (-1.0, -1.0), option_credits=(1.0 - target, float(target)),
            predicted=int(target if score else 1 - target), target=int(target),
            prompt_tokens=length, computed_tokens=length,
        )
        for number, (score, target) in enumerate(zip(scores, right, strict=True))
    ]  # fmt: skip
