"""Which options two scorers of a run choose on the same prompts: how often the same, and how often none can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.store.columns import column_values

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

UNREAD = -1

Draw: TypeAlias = tuple[int, int]
"""The seed of the demonstrations and the order of the options."""


class ChoiceAgreement(NamedTuple):
    """Two scorers on the same prompts of one task; W wordings.

    Attributes:
        prompts: [W] how many both scorers answered.
        read: [W] of how many of these both answers could be read.
        same: [W] for how many of the read ones both choose the same option.
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


class _Answers(NamedTuple):
    ids: tuple[str, ...]
    chosen: Ints


class Choices:
    """The options that one scorer chose for a task at one number of demonstrations, by wording, draw and repeat."""

    def __init__(self) -> None:
        self._cells: dict[str, dict[Draw, list[_Answers]]] = {}

    def add(self, wording: str, draw: Draw, ids: tuple[str, ...], chosen: Ints) -> None:
        """The answers of one cell."""
        self._cells.setdefault(wording, {}).setdefault(draw, []).append(_Answers(ids, chosen))

    def unread(self, wordings: Sequence[str], examples: Sequence[str]) -> Floats:
        """[W, E] the share of the answers that could not be read, over draws and repeats."""
        found = np.zeros((len(wordings), len(examples)))
        for row, wording in enumerate(wordings):
            cells = [each for of_draw in self._cells.get(wording, {}).values() for each in of_draw]
            found[row] = np.mean([_picked(each, examples) == UNREAD for each in cells], axis=0) if cells else 0.0
        return found

    def pairs(self, other: Choices, wording: str, examples: Sequence[str]) -> tuple[Ints, Ints]:
        """What both chose for the same prompts of a wording: every repeat of one with every repeat of the other."""
        mine, theirs = self._cells.get(wording, {}), other._cells.get(wording, {})
        found = [
            (_picked(one, examples), _picked(two, examples))
            for draw in mine
            if draw in theirs
            for one in mine[draw]
            for two in theirs[draw]
        ]
        empty = np.zeros(0, dtype=np.intp)
        return (
            np.concatenate([empty, *(one for one, _ in found)]),
            np.concatenate([empty, *(two for _, two in found)]),
        )


def load_choices(run: Run) -> dict[tuple[int, str], Choices]:
    """The choices of a run's scorer, by number of demonstrations and task. Of a wording of two groups the first.

    Raises:
        RunError: no cell is done, or a cell is damaged.
    """
    found: dict[tuple[int, str], Choices] = {}
    groups: dict[tuple[int, str, str], str] = {}
    for cell, table in run.read_cells(("example_id", "predicted")):
        place = cell.num_fewshot, cell.task
        if groups.setdefault((*place, cell.instruction), cell.group) != cell.group:
            continue
        chosen = np.asarray(column_values(table["predicted"].fill_null(UNREAD)), dtype=np.intp)
        draw = cell.fewshot_seed, cell.option_order
        found.setdefault(place, Choices()).add(cell.instruction, draw, tuple(table["example_id"].to_pylist()), chosen)
    return found


def choice_agreement(
    first: Choices, second: Choices, wordings: Sequence[str], examples: Sequence[str]
) -> ChoiceAgreement:
    """Compare two scorers' choices on some wordings and examples."""
    pairs = [first.pairs(second, wording, examples) for wording in wordings]
    is_read = [(one != UNREAD) & (two != UNREAD) for one, two in pairs]
    both = [np.concatenate([of[side] for of in pairs]) for side in (0, 1)]
    known = np.concatenate(is_read) if is_read else np.zeros(0, dtype=bool)
    return ChoiceAgreement(
        np.array([len(one) for one, _ in pairs], dtype=np.intp),
        np.array([int(each.sum()) for each in is_read], dtype=np.intp),
        np.array([int((one[at] == two[at]).sum()) for (one, two), at in zip(pairs, is_read, strict=True)],
                 dtype=np.intp),
        np.array([float(np.mean(side == UNREAD)) if len(side) else 0.0 for side in both]),
        _kappa(both[0][known], both[1][known]),
    )  # fmt: skip


def _kappa(one: Ints, two: Ints) -> float:
    """Cohen's kappa of two readers (Cohen 1960)."""
    if not len(one):
        return float("nan")
    count = int(max(one.max(), two.max())) + 1
    shares: Mapping[int, Floats] = {
        side: np.bincount(each, minlength=count) / len(each) for side, each in enumerate((one, two))
    }
    expected = float(shares[0] @ shares[1])
    return float("nan") if expected == 1 else (float(np.mean(one == two)) - expected) / (1 - expected)


def _picked(of: _Answers, examples: Sequence[str]) -> Ints:
    if of.ids == tuple(examples):
        return of.chosen
    place = {name: position for position, name in enumerate(of.ids)}
    return of.chosen[[place[name] for name in examples]]
