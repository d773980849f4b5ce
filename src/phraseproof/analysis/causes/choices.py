"""Which options two scorers of a run choose on the same prompts: how often the same, and how often none can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import Draw, Floats, Ints, TaskGrid

UNREAD = -1


class ChosenOptions(NamedTuple):
    """What one scorer chose for a task; W wordings, D draws, E examples.

    Attributes:
        draws: the D draws of demonstrations, orders of options and repeats.
        options: [W, D, E] the index of the chosen option; `UNREAD` where a text names none.
    """

    draws: tuple[Draw, ...]
    options: Ints

    @property
    def unread(self) -> Floats:
        """[W, E] the share of the answers that could not be read, over draws."""
        return np.mean(self.options == UNREAD, axis=1)


class ChoiceAgreement(NamedTuple):
    """Two scorers on the same prompts of one task; W wordings.

    Attributes:
        prompts: [W] how many pairs of answers there are: every repeat of one scorer with every repeat of the other.
        read: [W] in how many of these both answers could be read.
        same: [W] in how many of the read ones both choose the same option.
        unread: [2] the share of each scorer's answers that could not be read.
        kappa: Cohen's, over all read answers; NaN where both always choose the same single option.
    """

    prompts: Ints
    read: Ints
    same: Ints
    unread: Floats
    kappa: float

    @property
    def share(self) -> float:
        """The share of the read answers with the same option; NaN where none was read."""
        read = self.read.sum()
        return float(self.same.sum() / read) if read else float("nan")


def chosen_options(grid: TaskGrid, rows: Sequence[int], columns: Sequence[int]) -> ChosenOptions | None:
    """What was chosen under some wordings on some examples; `None` where the wordings share no draw.

    Args:
        grid: of one scorer.
        rows, columns: of wordings and examples.
    """
    is_read = grid.is_read
    if is_read is None:
        return None
    answers = 0 if grid.answers is None else grid.answers
    found = np.where(is_read, answers, UNREAD).reshape(len(grid.wordings), len(grid.draws), len(grid.examples))
    return ChosenOptions(grid.draws, found[list(rows)][:, :, list(columns)])


def choice_agreement(first: ChosenOptions, second: ChosenOptions) -> ChoiceAgreement:
    """Compare two scorers' choices on the same wordings and examples, under the same draws and orders."""
    pairs = [
        (place, other)
        for place, (order, seed, _) in enumerate(first.draws)
        for other, of_other in enumerate(second.draws)
        if of_other[:2] == (order, seed)
    ]
    one = first.options[:, [place for place, _ in pairs]]
    two = second.options[:, [other for _, other in pairs]]
    known = (one != UNREAD) & (two != UNREAD)
    return ChoiceAgreement(
        np.full(len(one), one[0].size, dtype=np.intp),
        known.sum(axis=(1, 2)),
        ((one == two) & known).sum(axis=(1, 2)),
        np.array([float(np.mean(side == UNREAD)) if side.size else 0.0 for side in (one, two)]),
        _kappa(one[known], two[known]),
    )


def _kappa(one: Ints, two: Ints) -> float:
    """Cohen's kappa of two readers (Cohen 1960)."""
    if not len(one):
        return float("nan")
    count = int(max(one.max(), two.max())) + 1
    shares = [np.bincount(each, minlength=count) / len(each) for each in (one, two)]
    expected = float(shares[0] @ shares[1])
    return float("nan") if expected == 1 else (float(np.mean(one == two)) - expected) / (1 - expected)
