"""Scores of several scorers whose shares of the spread over wordings are known, because they were put in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.causes.scorers import SpreadOf
from phraseproof.analysis.grids import Floats
from phraseproof.core import Cell, Outcome
from phraseproof.identity import content_hash
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage


class KnownScorers(NamedTuple):
    """Scores of 0 and 1, and the true shares: of these wordings, at this number of examples.

    Attributes:
        scores: [S, W, E]
        shares: [1 + S + 1] in common, of each scorer alone, noise of the examples.
        correlation: between the first two scorers, with any number of examples; NaN where wordings are equal.
        covariance: [S, S] over wordings, of scores with any number of examples.
    """

    scores: Floats
    shares: Floats
    correlation: float
    covariance: Floats


def known_scorers(
    rng: np.random.Generator, *, common: float, alone: tuple[float, ...], wordings: int = 12, examples: int = 150
) -> KnownScorers:
    """Draw the accuracy of every wording under every scorer, and answers with these probabilities.

    Args:
        common: the standard deviation of what a wording adds under every scorer.
        alone: [S] that of what it adds under one scorer.
    """
    added = common * rng.normal(size=wordings) + np.array(alone)[:, None] * rng.normal(size=(len(alone), wordings))
    # Easy and hard examples are so under all wordings and scorers.
    chance = np.clip(0.5 + added[:, :, None] + rng.uniform(-0.3, 0.3, examples), 0.0, 1.0)
    # Half of the answers are drawn with one number for all scorers, so their noise is correlated, as in real runs.
    one = rng.random((wordings, examples))
    drawn = np.where(rng.random((len(alone), wordings, examples)) < 0.5, one, rng.random(chance.shape))
    covariance = np.cov(chance.mean(axis=2))
    variances = np.diag(covariance)
    with_others = (covariance.sum(axis=1) - variances) / (len(alone) - 1)
    parts = np.array([
        with_others.mean(), *(variances - with_others) / len(alone), np.mean(chance * (1 - chance)) / examples
    ])  # fmt: skip
    size = np.sqrt(variances[0] * variances[1])
    correlation = covariance[0, 1] / size if size > 0 else np.nan
    return KnownScorers((drawn < chance).astype(float), parts / parts.sum(), float(correlation), covariance)


def names_of(known: KnownScorers) -> SpreadOf:
    """The task `t` with made-up names of scorers and wordings."""
    scorers, wordings, _ = known.scores.shape
    return SpreadOf(
        "t", "C", 0, tuple(f"s{number}" for number in range(scorers)), tuple(f"c/w{row}" for row in range(wordings))
    )


def scorers_run(path: Path, tasks: Mapping[str, Mapping[str, Floats]], *, metric: str = "accuracy") -> Run:
    """A run with these scores [W, E] by task and scorer; each is of an answer in text, without options.

    Every wording and example is named by its place, and a scorer that has fewer of them lacks the last ones.
    """
    store = RunStore(path, {"model": {"name": "org/model", "revision": "r"}})
    cells = {
        Cell(content_hash([task, scorer, row]), task, "C", f"c/w{row}", "g", 0, 0, len(scored), scoring=scorer,
             metric=metric): scored
        for task, scorers in tasks.items()
        for scorer, scores in scorers.items()
        for row, scored in enumerate(scores)
    }  # fmt: skip
    store.register(list(cells), {"instructions": {cell.instruction: {"text": cell.instruction} for cell in cells}})
    for cell, scored in cells.items():
        outcomes = [
            Outcome(f"e{place}", float(score), text="an answer", reference="another")
            for place, score in enumerate(scored)
        ]
        store.write(cell, outcomes, Usage())
    return load_run(path)


def one_task(path: Path, task: str = "t") -> Run:
    """A run whose two scorers, `generate` and `loglikelihood`, have most of a task's spread in common."""
    known = known_scorers(np.random.default_rng(1), common=0.15, alone=(0.05, 0.05), examples=200)
    return scorers_run(path, {task: dict(zip(("generate", "loglikelihood"), known.scores, strict=True))})
