"""Run folders of free-text tasks, from texts that lose words of their reference."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import nan
from pathlib import Path

import numpy as np

from phraseproof.core import Cell, Outcome
from phraseproof.scoring.registry import metric
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage

_SENTENCE = (
    "the museum opens at nine and closes late on friday while its garden stays open all night for guests who "
    "bring a lamp and some bread to share with old friends from other towns near the river"
)
_WORDS = _SENTENCE.split()


def reference(example: int) -> str:
    """A sentence of 8 to 15 words."""
    draw = np.random.default_rng(example)
    start = int(draw.integers(0, len(_WORDS) - 16))
    return " ".join(_WORDS[start : start + 8 + example % 8]).capitalize() + "."


def texts_of(wording: int, examples: int, *, skill: float = 0.0) -> list[Outcome]:
    """What a model writes under a wording: the first wordings lose more words than the later ones."""
    found: list[Outcome] = []
    for example in range(examples):
        draw = np.random.default_rng([wording, example])
        words = reference(example).split()
        kept = [word for word in words if draw.random() < 0.55 + 0.05 * wording + skill]
        others = (reference(example).replace(" and ", ", "),) if example % 3 == 0 else ()
        found.append(
            Outcome(
                f"e{example}",
                nan,
                text=" ".join(kept),
                reference=reference(example),
                other_references=others,
                is_cut=example == 1,
                prompt_tokens=20,
                computed_tokens=20,
            )
        )
    return found


def write_text_run(
    path: Path,
    metric_name: str = "bleu",
    *,
    tasks: Sequence[str] = ("news", "letters"),
    groups: Sequence[str] = ("observed", "unobserved"),
    wordings: int = 4,
    examples: int = 24,
    skill: float = 0.0,
) -> Run:
    """A run of free-text tasks, each group with its wordings; `skill` moves all texts towards their references."""
    judge = metric(metric_name)
    cells: dict[Cell, list[Outcome]] = {}
    for place, task in enumerate(tasks):
        for side, group in enumerate(groups):
            for number in range(wordings):
                wording = place + side + number
                key = f"{path.name}/{metric_name}/{task}/{group}/{number}"
                cell = Cell(
                    hashlib.blake2b(key.encode(), digest_size=16).hexdigest(),
                    task,
                    "Texts",
                    f"{group}/w{number}",
                    group,
                    0,
                    0,
                    examples,
                    scoring="generate",
                    metric=metric_name,
                )
                cells[cell] = judge.judge(texts_of(wording, examples, skill=skill))
    names = {cell.instruction: {"text": f"Write as {cell.instruction}: {{{{ text }}}}"} for cell in cells}
    store = RunStore(path, {"model": {"name": "writer"}, "scoring": "generate"})
    metrics = {"metrics": {metric_name: {"signature": judge.signature}}} if judge.signature else {}
    store.register(list(cells), {"groups": {group: {} for group in groups}, "instructions": names, **metrics})
    for cell, outcomes in cells.items():
        store.write(cell, outcomes, Usage())
    return load_run(path)
