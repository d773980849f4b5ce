"""Arrays of option values with known causes: skill, answer priors and noise are put in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phraseproof.analysis.option_values import OptionValues
from phraseproof.core import Cell, Outcome
from phraseproof.identity import content_hash
from phraseproof.store.writer import RunStore, Usage

LETTERS = ("A", "B", "C", "D", "E", "F", "G")


def option_values(values: NDArray[np.float64], targets: NDArray[Any], *, task: str = "t") -> OptionValues:
    """Values [W, E, C] of wordings that score the same C letters, with one right option [E] per example."""
    wordings, examples, options = values.shape
    return OptionValues(
        task,
        "C",
        0,
        ("g",) * wordings,
        tuple(f"c/w{number}" for number in range(wordings)),
        (0,) * wordings,
        tuple(f"identity {number}" for number in range(wordings)),
        tuple(f"e{number}" for number in range(examples)),
        values,
        np.ones((examples, options), dtype=bool),
        np.eye(options)[targets],
        np.broadcast_to(np.arange(options), values.shape),
        (LETTERS[:options],) * wordings,
        (False,) * wordings,
        "loglikelihood",
    )


def simulated(
    random: np.random.Generator,
    *,
    wordings: int,
    examples: int,
    options: int,
    skill: float,
    prior: float,
    shares: Sequence[float] | None = None,
    skill_varies: float = 0.0,
) -> OptionValues:
    """A model that knows the answer to some extent, and prefers some letters under each wording.

    Args:
        skill: by how much the right option's evidence is higher, in its own Std; 0 for a model that knows nothing.
        prior: the Std of each wording's preference for each letter.
        shares: how often each letter is right; equally often by default.
        skill_varies: the Std of the log of the weight that each wording gives the evidence.
    """
    targets = random.choice(options, size=examples, p=shares)
    evidence = random.normal(size=(examples, options))
    evidence[np.arange(examples), targets] += skill
    weights = np.exp(random.normal(0, skill_varies, wordings))
    preferences = random.normal(0, prior, (wordings, 1, options))
    noise = 0.5 * random.normal(size=(wordings, examples, options))
    return option_values(0.7 * weights[:, None, None] * evidence + preferences + noise, targets)


def store_values(path: Path, *tasks: OptionValues, scoring: str = "loglikelihood") -> Path:
    """A run folder that holds these values, as `evaluate` stores them; generated texts for `generate`."""
    settings = {"model": {"name": "made-up"}, "scoring": scoring, "prompt_format": "plain", "limit": None, "seed": 0}
    store = RunStore(path, settings)
    cells: list[tuple[Cell, OptionValues, int]] = []
    for of in tasks:
        for row, wording in enumerate(of.wordings):
            identity = content_hash([of.task, wording, scoring])
            cell = Cell(identity, of.task, of.category, wording, of.groups[row], 0, 0, len(of.examples), None, scoring)
            cells.append((cell, of, row))
    store.register([cell for cell, _, _ in cells], {"groups": {"g": {}}, "tasks": {}, "instructions": {}})
    for cell, of, row in cells:
        store.write(cell, list(_outcomes(of, row, is_text=scoring == "generate")), Usage(1.0, 1.0, 1, 1))
    store.finish(1)
    return path


def _outcomes(of: OptionValues, row: int, *, is_text: bool) -> Iterator[Outcome]:
    logprobs = of.logprobs[row]
    for place, example in enumerate(of.examples):
        predicted = int(logprobs[place].argmax())
        credit = tuple(map(float, of.credits[place]))
        options = of.class_names[row]
        yield Outcome(
            example,
            credit[predicted],
            options,
            () if is_text else tuple(map(float, logprobs[place])),
            option_credits=credit,
            predicted=predicted,
            target=int(of.targets[place]),
            text=options[predicted] if is_text else None,
        )
