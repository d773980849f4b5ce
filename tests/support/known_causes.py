"""Values of options whose causes of spread are known: priors and skill that were put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.core import Cell, Outcome
from phraseproof.identity import content_hash
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage


def known_values(
    priors: Floats,
    skill: Sequence[float] | Floats,
    *,
    examples: int,
    seed: int = 0,
    labels: Sequence[float] | None = None,
    draws: Floats | None = None,
) -> OptionValues:
    """A task whose log-probabilities are prior + skill * (option is right) + noise of example and outcome.

    Args:
        priors: [W, C] of each wording.
        skill: [W]
        labels: [C] how often each option is right; all equally by default.
        draws: [W, D, C] what each draw of demonstrations adds to the prior.
    """
    rng = np.random.default_rng(seed)
    count = priors.shape[1]
    right = rng.permutation(np.arange(examples) % count) if labels is None else rng.choice(count, examples, p=labels)
    added = priors[:, None] if draws is None else priors[:, None] + draws
    wordings, per = added.shape[:2]
    rows = wordings * per
    values = rng.normal(size=(rows, examples, count)) + 0.5 * rng.normal(size=(examples, count))
    values += added.reshape(rows, 1, count)
    values[:, np.arange(examples), right] += np.repeat(np.asarray(skill), per)[:, None]
    names = tuple(f"label {number}" for number in range(count))
    return OptionValues(
        "t",
        "C",
        0,
        groups=("g",) * rows,
        wordings=tuple(f"c/w{row // per}" for row in range(rows)),
        seeds=tuple(row % per for row in range(rows)),
        identities=("",) * rows,
        examples=tuple(f"e{number}" for number in range(examples)),
        values=values,
        has_option=np.ones((examples, count), dtype=bool),
        credits=np.eye(count)[right],
        classes=np.broadcast_to(np.arange(count), values.shape),
        class_names=(names,) * rows,
        by_position=(False,) * rows,
        scoring="loglikelihood",
    )


def known_run(path: Path, tasks: Mapping[str, OptionValues]) -> Run:
    """A run folder with these values as its outcomes, by the name of the task."""
    store = RunStore(path, {"model": {"name": "org/model", "revision": "r"}, "scoring": "loglikelihood"})
    cells = {
        Cell(content_hash([task, row]), task, of.category, wording, of.groups[row], of.num_fewshot, of.seeds[row],
             len(of.examples)): (of, row)
        for task, of in tasks.items()
        for row, wording in enumerate(of.wordings)
    }  # fmt: skip
    names = {cell.instruction: {"text": f"Text of {cell.instruction}"} for cell in cells}
    store.register(list(cells), {"instructions": names})
    for cell, (of, row) in cells.items():
        store.write(cell, list(_outcomes(of, row)), Usage())
    return load_run(path)


def _outcomes(of: OptionValues, row: int) -> Iterator[Outcome]:
    scored, logprobs = scores(of.values, of), of.logprobs[row]
    for place, example in enumerate(of.examples):
        values = logprobs[place]
        yield Outcome(
            example,
            float(scored[row, place]),
            of.class_names[row],
            tuple(values.tolist()),
            predicted=int(values.argmax()),
            target=int(of.targets[place]),
            prompt_tokens=1,
            computed_tokens=1,
        )


def two_tasks(path: Path) -> Run:
    """`answers`, where only priors differ; `equal`, where nothing does."""
    priors = np.array([[1.5, -1.5], [0.7, -0.7], [0.0, 0.0], [-0.7, 0.7], [-1.5, 1.5]])
    moving = known_values(priors, [1.0] * 5, examples=100, labels=(0.8, 0.2), seed=1)
    equal = known_values(np.zeros((5, 2)), [1.0] * 5, examples=40, seed=2)
    return known_run(path, {"answers": moving, "equal": equal})
