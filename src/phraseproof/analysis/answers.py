"""Which answers a model gives under each wording, as confusion matrices, and the scores of guessing.

**What a class is.** Every outcome stores its options in the order of the example's choices, so an answer is a position.
Where the options of a task are the same texts in every example (yes and no, six labels, the letters A to D), a class is
such a text, also where its position differs between examples. Under other wordings of the task, which score letters, an
answer counts as the text at the chosen position; where wordings have different words for it, a class has both names
("yes/true"). Where the texts differ between examples (four endings of a sentence),
no text recurs, and a class is the position: "option 1", and so on. Examples may then have different numbers of options.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.score_table import Codes, smallest
from phraseproof.core.classes import shared_options
from phraseproof.errors import NotEnoughDataError
from phraseproof.store.columns import column_values

if TYPE_CHECKING:
    import pyarrow as pa

    from phraseproof.core import Cell
    from phraseproof.store.queries import Run

_COLUMNS = ("example_id", "options", "predicted", "target", "option_credits")

Order = tuple[int, ...]
"""The class of each position of one example."""


@dataclass(frozen=True, slots=True, eq=False)
class TaskAnswers:
    """The answers to one task at one number of demonstrations: W wordings, C classes.

    Attributes:
        classes: names of the classes, in the order of the first example's options.
        by_position: classes are positions, because no text is an option of every example.
        groups, wordings: of each wording its group and its name `collection/id`.
        confusion: [W, C, C] answers, by the right class and the chosen class, over examples and demonstration seeds.
            Where several options are right and one of them is chosen, the chosen one counts as the right class.
        chance: the mean score of blind guessing: the mean credit of an example's options, over examples.
        majority: the mean score of always giving the class that does best so: the best constant answer.
        majority_class: that class, an index into `classes`.
        draws: how often a wording answered every example: under draws of demonstrations, or orders of options.
    """

    task: str
    category: str
    num_fewshot: int
    classes: tuple[str, ...]
    by_position: bool
    groups: tuple[str, ...]
    wordings: tuple[str, ...]
    confusion: Ints
    chance: float
    majority: float
    majority_class: int
    draws: int = 1

    def rows(self, group: str) -> Ints:
        """The indices of a group's wordings."""
        return np.flatnonzero(np.array(self.groups) == group)

    def take(self, rows: Sequence[int]) -> TaskAnswers:
        """The same with some of its wordings only, in the order given."""
        return replace(
            self,
            groups=tuple(self.groups[row] for row in rows),
            wordings=tuple(self.wordings[row] for row in rows),
            confusion=self.confusion[list(rows)],
        )


def load_answers(run: Run) -> tuple[TaskAnswers, ...]:
    """Every task of a run that has options, at every number of demonstrations, in the run's order.

    A run with a budget is accepted: each wording is counted on the examples that it was scored on.

    Raises:
        NotEnoughDataError: the run was imported, or no task has options.
        RunError: no cell is done, or a cell is damaged.
    """
    found: dict[tuple[str, int], _Gathering] = {}
    for cell, table in run.read_cells(_COLUMNS):
        # Unread answers chose no class.
        read = table.filter(table["predicted"].is_valid()) if table["predicted"].null_count else table
        if len(read):
            found.setdefault((cell.task, cell.num_fewshot), _Gathering(cell)).add(cell, read)
    if not found:
        raise NotEnoughDataError("no task has answers that were chosen from options", where=run.name)
    return tuple(sorted((each.finished() for each in found.values()), key=lambda task: task.num_fewshot))


class _Answers(NamedTuple):
    """One cell: positions that were chosen and that are right, and where its examples are described."""

    group: str
    wording: str
    predicted: Codes
    target: Codes
    form: int


class _Form(NamedTuple):
    """The examples of a cell and their options: cells of one task nearly always share one of a few."""

    ids: pa.ChunkedArray
    options: pa.ChunkedArray
    credits: pa.ChunkedArray
    target: Ints


class _Gathering:
    """The cells of one task and number of demonstrations, as they are read."""

    def __init__(self, first: Cell) -> None:
        self.first = first
        self.cells: list[_Answers] = []
        self.forms: list[_Form] = []

    def add(self, cell: Cell, table: pa.Table) -> None:
        predicted, target = (np.asarray(column_values(table[name]), dtype=np.intp) for name in ("predicted", "target"))
        form = self._form(table, target)
        is_right = _credit(table, predicted) >= _credit(table, target)
        self.cells.append(
            _Answers(
                cell.group,
                cell.instruction,
                smallest(predicted, int(predicted.max())),
                smallest(np.where(is_right, predicted, target), int(max(predicted.max(), target.max()))),
                form,
            )
        )

    def _form(self, table: pa.Table, target: Ints) -> int:
        for place, form in enumerate(self.forms):
            if form.options.equals(table["options"]) and form.ids.equals(table["example_id"]):
                return place
        self.forms.append(_Form(table["example_id"], table["options"], table["option_credits"], target))
        return len(self.forms) - 1

    def finished(self) -> TaskAnswers:
        ids = [form.ids.to_pylist() for form in self.forms]
        options: list[list[tuple[str, ...]]] = [list(map(tuple, form.options.to_pylist())) for form in self.forms]
        classes, orders, by_position = _classes(ids, options)
        rows = list(dict.fromkeys((cell.group, cell.wording) for cell in self.cells))
        row_of = {named: row for row, named in enumerate(rows)}
        count = len(classes)
        confusion = np.zeros((len(rows), count * count), dtype=np.intp)
        tables = [np.array([orders[id_] for id_ in of_form], dtype=np.intp) for of_form in ids] if orders else None
        for cell in self.cells:
            right, chosen = (each.astype(np.intp) for each in (cell.target, cell.predicted))
            if tables is not None:
                each = np.arange(len(chosen))
                right, chosen = tables[cell.form][each, right], tables[cell.form][each, chosen]
            counted = np.bincount(right * count + chosen, minlength=count * count)
            confusion[row_of[cell.group, cell.wording]] += counted
        credit = self._credits(ids, options, orders, count)
        constant = credit.sum(axis=0) / len(credit)
        sizes = self._sizes(ids, options)
        return TaskAnswers(
            self.first.task,
            self.first.category,
            self.first.num_fewshot,
            classes,
            by_position,
            tuple(group for group, _ in rows),
            tuple(wording for _, wording in rows),
            confusion.reshape(-1, count, count),
            chance=float(np.mean(credit.sum(axis=1) / sizes)),
            majority=float(constant.max()),
            majority_class=int(constant.argmax()),
            draws=max(Counter((cell.group, cell.wording) for cell in self.cells).values()),
        )

    def _sizes(self, ids: Sequence[Sequence[str]], options: Sequence[Sequence[tuple[str, ...]]]) -> Ints:
        """[E] how many options each different example has."""
        sizes: dict[str, int] = {}
        for of_form, of_options in zip(ids, options, strict=True):
            if not all(id_ in sizes for id_ in of_form):
                sizes = {id_: len(each) for id_, each in zip(of_form, of_options, strict=True)} | sizes
        return np.array(list(sizes.values()), dtype=np.intp)

    def _credits(
        self,
        ids: Sequence[Sequence[str]],
        options: Sequence[Sequence[tuple[str, ...]]],
        orders: Mapping[str, Order] | None,
        count: int,
    ) -> Floats:
        """[E, C] the credit for each class, of each different example, in the order of `_sizes`."""
        found: dict[str, Floats] = {}
        for form, of_form, of_options in zip(self.forms, ids, options, strict=True):
            if all(id_ in found for id_ in of_form):
                continue
            # Runs of the first versions did not store credits; one option was right.
            stored = form.credits.to_pylist()
            for id_, texts, target, credit in zip(of_form, of_options, form.target, stored, strict=True):
                row = np.zeros(count)
                places = orders[id_] if orders else tuple(range(len(texts)))
                given = credit or [float(place == target) for place in range(len(texts))]
                np.add.at(row, list(places), given)
                found.setdefault(id_, row)
        return np.stack(list(found.values()))


class _Classes(NamedTuple):
    """The classes' names, and the class of each position by example, where that is not the position itself."""

    names: tuple[str, ...]
    orders: Mapping[str, Order] | None
    by_position: bool


def _classes(ids: Sequence[Sequence[str]], options: Sequence[Sequence[tuple[str, ...]]]) -> _Classes:
    most = max(len(each) for of_form in options for each in of_form)
    positions = _Classes(tuple(f"option {number + 1}" for number in range(most)), None, True)
    texts = _texts(options)
    if texts is None:
        return positions
    place = {text: number for number, text in enumerate(texts)}
    orders: dict[str, Order] = {}
    for of_form, of_options in zip(ids, options, strict=True):
        if set(of_options[0]) == set(texts):
            orders |= {id_: tuple(place[text] for text in each) for id_, each in zip(of_form, of_options, strict=True)}
    if all(order == tuple(range(len(texts))) for order in orders.values()):
        return _Classes(texts, None, False)
    if not all(id_ in orders for of_form in ids for id_ in of_form):
        # Examples that were scored with letters only: the text of each letter is not known.
        return positions
    return _Classes(texts, orders, False)


def _texts(options: Sequence[Sequence[tuple[str, ...]]]) -> tuple[str, ...] | None:
    """The texts that are the options of every example (`shared_options`); `None` where there are none for all of them.

    Of several such sets (labels under one wording, letters under another) the one whose order differs between examples
    counts, since positions are not classes then; else all of them name the positions.
    """
    sets: dict[frozenset[str], tuple[str, ...]] = {}
    moving: set[frozenset[str]] = set()
    for of_form in options:
        shared = shared_options(of_form)
        if shared is None:
            return None
        name = frozenset(shared)
        first = sets.setdefault(name, shared)
        if any(each != first for each in of_form):
            moving.add(name)
    if len({len(each) for each in sets}) > 1:
        return None
    return next((texts for name, texts in sets.items() if name in moving), None) or _named(list(sets.values()))


def _named(sets: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """One name for each position, from the labels that wordings have there: letters and digits only if all have them.

    Two words for one position are both named: `yes/true`.
    """
    words = [texts for texts in sets if any(len(text.strip()) > 1 for text in texts)] or list(sets)
    named = [list(dict.fromkeys(texts)) for texts in zip(*words, strict=True)]
    return tuple("/".join(each[:2]) + ("/..." if len(each) > 2 else "") for each in named)


def _credit(table: pa.Table, places: Ints) -> Floats:
    """The credit for one position of each example; 1 for the target and 0 elsewhere where none was stored."""
    column = table["option_credits"].combine_chunks()
    starts = column_values(column.offsets)
    if column.null_count or starts[0] == starts[-1]:
        return (places == column_values(table["target"])).astype(np.float64)
    # `flatten` does the same and loads pyarrow.compute, which takes as long as all that a small table needs.
    return np.asarray(column_values(column.values), dtype=np.float64)[starts[:-1] + places]
