"""Grids of scores for the tests of statistics: made by hand, or drawn from a model whose truth is known."""

from collections.abc import Sequence

import numpy as np

from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.score_table import ScoreTable


def grid(
    scores: Sequence[Sequence[float]] | np.ndarray,
    *,
    groups: Sequence[str] | None = None,
    answers: Sequence[Sequence[int]] | np.ndarray | None = None,
    task: str = "t",
    category: str = "c",
    shots: int = 0,
    own_wordings: bool = False,
) -> TaskGrid:
    """A task with these scores [wordings, examples]; wordings are shared with other tasks unless `own_wordings`."""
    values = np.asarray(scores, dtype=float)
    of = tuple(groups) if groups is not None else ("g",) * len(values)
    names = tuple(f"{group}/{row:03}" for row, group in enumerate(of))
    return TaskGrid(
        task, category, shots, of, names, tuple(f"{task}{name}" if own_wordings else name for name in names),
        values.mean(axis=1), tuple(f"e{column}" for column in range(values.shape[1])), ScoreTable(values),
        None if answers is None else np.asarray(answers, dtype=np.intp),
    )  # fmt: skip


def means_only(means: Sequence[float], *, groups: Sequence[str] | None = None, task: str = "t") -> TaskGrid:
    """A task of which only the wordings' accuracies are known."""
    of = tuple(groups) if groups is not None else ("g",) * len(means)
    names = tuple(f"{group}/{row:03}" for row, group in enumerate(of))
    return TaskGrid(task, "c", 0, of, names, names, np.asarray(means, dtype=float))


def draw(
    random: np.random.Generator,
    wordings: int,
    examples: int,
    *,
    between_wordings: float = 0.6,
    between_examples: float = 1.5,
    interaction: float = 0.5,
    centre: float = 0.3,
    skewed: bool = False,
) -> np.ndarray:
    """Right and wrong answers [wordings, examples] of a crossed logistic model; Stds in log-odds."""
    of_wording = (
        between_wordings * (1 - random.exponential(1.0, wordings))
        if skewed
        else random.normal(0, between_wordings, wordings)
    )
    of_example = random.normal(0, between_examples, examples)
    odds = centre + of_wording[:, None] + of_example + random.normal(0, interaction, (wordings, examples))
    return (random.random((wordings, examples)) < 1 / (1 + np.exp(-odds))).astype(float)
