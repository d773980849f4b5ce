"""Runs for ensembles: wordings with known log-probabilities of two options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from phraseproof.analysis.grids import Floats
from phraseproof.core import Cell, Outcome
from phraseproof.store.writer import RunStore, Usage

LABELS = ("yes", "no", "maybe")


def skilled(seed: int, wordings: int = 6, examples: int = 60, *, skill: float = 1.0) -> Floats:
    """[W, E, 3] log-probabilities of wordings with priors of their own; the right option is `right_options`."""
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(wordings, 1, 3)) + draw.normal(size=(wordings, examples, 3))
    values += skill * np.eye(3)[right_options(examples)]
    return np.asarray(log_softmax(values, axis=-1))


def right_options(examples: int) -> np.ndarray:
    """Every label in turn."""
    return np.arange(examples) % 3


def write_ensemble_run(path: Path, tasks: Mapping[str, Floats], *, tokens: int = 10) -> Path:
    """Write a run of two groups: `ours/0`, `ours/1` and so on in `a`, the second half in `b`.

    Args:
        tasks: by name the log-probabilities [W, E, 3].
        tokens: of a prompt of the first wording; each next one has one more. 0 stores none.
    """
    identity = {"name": "org/model", "revision": "r", "architecture": "A", "adapter": None}
    store = RunStore(path, {"model": identity, "scoring": "loglikelihood"})
    cells: list[tuple[Cell, Floats, int]] = []
    for task, logprobs in tasks.items():
        for row, of_wording in enumerate(logprobs):
            group = "a" if row < len(logprobs) / 2 else "b"
            cell = Cell(
                f"{len(cells):032x}", task, "tickets", f"ours/{row}", group, 0, 0, num_examples=len(of_wording)
            )  # fmt: skip
            cells.append((cell, of_wording, tokens + row if tokens else 0))
    texts = {cell.instruction: {"text": f"Say {cell.instruction}."} for cell, *_ in cells}
    store.register([cell for cell, *_ in cells], {"instructions": texts})
    for cell, of_wording, length in cells:
        store.write(cell, _outcomes(of_wording, length), Usage())
    return path


def _outcomes(logprobs: Floats, length: int) -> list[Outcome]:
    right = right_options(len(logprobs))
    return [
        Outcome(
            str(number), float(values.argmax() == target), LABELS, tuple(values.tolist()),
            option_credits=tuple(np.eye(3)[target].tolist()), predicted=int(values.argmax()), target=int(target),
            prompt_tokens=length, computed_tokens=length,
        )
        for number, (values, target) in enumerate(zip(logprobs, right, strict=True))
    ]  # fmt: skip
