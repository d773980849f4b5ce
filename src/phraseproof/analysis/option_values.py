"""What a model gave every option under every wording, as arrays: the input of calibration, ensembles and causes.

**What a class is.** A wording scores letters (A to D) or texts (yes and no, six labels). Where the texts that it
scores are the same in every example, in any order, each of them is a class: a model may prefer it whatever the example.
Otherwise (four endings of a sentence) a class is the option's position. Two wordings of a task can differ in this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.calibration.bias import log_total, over_options
from phraseproof.core.classes import shared_options
from phraseproof.errors import NotEnoughDataError
from phraseproof.scoring.registry import scorer
from phraseproof.scoring.scorer import Reading, Scorer
from phraseproof.store.columns import column_values, flat_values, number_column

if TYPE_CHECKING:
    from phraseproof.core import Cell
    from phraseproof.store.queries import Run

Flags: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"

NO_CLASS = -1
MOST_VALUES = 4_000_000
"""Values of a task (rows * examples * options) from which statistics of log-probabilities use a sample of examples."""

_COLUMNS = ("example_id", "options", "option_credits", "target")


@dataclass(frozen=True, slots=True, eq=False)
class OptionValues:
    """One task at one number of demonstrations: R rows, E examples, C options at most.

    A row is one wording under one draw of demonstrations. Options are in the order of the example's choices,
    which is the same in all rows.

    Attributes:
        groups, wordings, seeds: of each row its group, its name `collection/id` and its demonstration seed.
        identities: of each row the identity of its cell.
        examples: the ids of the examples that every row was scored on.
        values: [R, E, C] what the scorer compares, such as natural logs of probabilities; minus infinity where an
            example has fewer options, or where the model rules an option out.
        has_option: [E, C] which options exist.
        credits: [E, C] the task's credit for each option; 0 where there is none.
        classes: [R, E, C] the class of each option, an index into the row's `class_names`; `NO_CLASS` where there is no
            option.
        class_names: of each row the names of its classes.
        by_position: of each row whether its classes are positions.
        scoring: the scorer that the values are of.
        left_out: the number of examples that were not scored in every row.
        sampled_from: of how many examples these are a sample, where only some were loaded; else 0.
    """

    task: str
    category: str
    num_fewshot: int
    groups: tuple[str, ...]
    wordings: tuple[str, ...]
    seeds: tuple[int, ...]
    identities: tuple[str, ...]
    examples: tuple[str, ...]
    values: Floats
    has_option: Flags
    credits: Floats
    classes: Ints
    class_names: tuple[tuple[str, ...], ...]
    by_position: tuple[bool, ...]
    scoring: str
    left_out: int = 0
    sampled_from: int = 0

    @property
    def logprobs(self) -> Floats:
        """[R, E, C] natural logs of the options' probabilities, which add up to 1 in every example.

        Where a model rules out every option, all are equally probable.
        """
        return log_shares(self.values, self.has_option)

    @property
    def targets(self) -> Ints:
        """[E] the best option of each example, the first one if several are equal."""
        return np.argmax(np.where(self.has_option, self.credits, -np.inf), axis=1)

    @property
    def chances(self) -> Floats:
        """[E] the credit of blind guessing."""
        return self.credits.sum(axis=1) / self.has_option.sum(axis=1)

    @property
    def chance(self) -> float:
        """The mean credit of blind guessing."""
        return float(np.mean(self.chances))

    def take(self, rows: Sequence[int] | Ints) -> OptionValues:
        """The same with some of its rows, in the order given."""
        chosen = [int(row) for row in rows]
        return replace(
            self,
            groups=tuple(self.groups[row] for row in chosen),
            wordings=tuple(self.wordings[row] for row in chosen),
            seeds=tuple(self.seeds[row] for row in chosen),
            identities=tuple(self.identities[row] for row in chosen),
            values=self.values[chosen],
            classes=_rows_of(self.classes, chosen),
            class_names=tuple(self.class_names[row] for row in chosen),
            by_position=tuple(self.by_position[row] for row in chosen),
        )

    def take_examples(self, places: Sequence[int] | Ints) -> OptionValues:
        """The same with some of its examples, in the order given."""
        chosen = np.asarray(places, dtype=np.intp)
        return replace(
            self,
            examples=tuple(self.examples[place] for place in chosen),
            values=self.values[:, chosen],
            has_option=self.has_option[chosen],
            credits=self.credits[chosen],
            classes=self.classes[:, chosen],
        )


def log_shares(values: Floats, has_option: Flags) -> Floats:
    """The values [..., E, C] less the log of the sum of their exponentials over an example's options [E, C].

    Where all values of an example are minus infinity, its options get equal shares.
    """
    known = np.where(has_option, values, -np.inf)
    is_empty = np.isneginf(over_options(np.maximum, known))
    if is_empty.any():
        known = np.where(is_empty & has_option, 0.0, known)
    return known - log_total(known)


def choices(values: Floats, has_option: Flags) -> Ints:
    """[...] the option with the largest value [..., C]; the first of equal ones."""
    return np.argmax(np.where(has_option, values, -np.inf), axis=-1)


def scores(values: Floats, of: OptionValues) -> Floats:
    """[..., E] the credit of the option with the largest value [..., E, C], as the metric `accuracy` gives it.

    An example whose values are all minus infinity was not read, and has no credit.
    """
    known = np.where(of.has_option, values, -np.inf)
    chosen = np.argmax(known, axis=-1)[..., None]
    credit = np.take_along_axis(np.broadcast_to(of.credits, values.shape), chosen, axis=-1)[..., 0]
    is_unread = np.isneginf(np.take_along_axis(known, chosen, axis=-1)[..., 0])
    return np.where(is_unread, 0.0, credit)


def sample_notes(what: str, loaded: Sequence[OptionValues]) -> tuple[str, ...]:
    """For each task of which only a sample was loaded, a line that says how much of it `what` is from."""
    return tuple(
        f"{what} on {of.task}: from {len(of.examples):,} of its {of.sampled_from:,} examples, drawn at random,"
        f" because it has {len(of.wordings):,} wordings."
        for of in loaded
        if of.sampled_from
    )


def load_option_values(run: Run, *, votes: bool = False, most: int | None = None) -> tuple[OptionValues, ...]:
    """What `read_option_values` yields, as a tuple."""
    return tuple(read_option_values(run, votes=votes, most=most))


def read_option_values(run: Run, *, votes: bool = False, most: int | None = None) -> Iterator[OptionValues]:
    """Every task of a run that has options, at every number of demonstrations, in the run's order.

    A task is read when it is asked for, so that one task is in memory at a time.

    Args:
        run: the run, under one of its scorers.
        most: of a task with more values, load a random sample of its examples, the same in all rows, with about this
            number of values. All by default.
        votes: read which option was chosen only: its value is 0, and minus infinity is that of every other option.

    Raises:
        NotEnoughDataError: the run was imported; its answers were read from generated texts, and `votes` is not set;
            or no task has options.
        RunError: the run has a budget, no cell is done, or a cell is damaged.
    """
    rule = scorer(run.scoring)
    if rule.reading is Reading.TEXT and not votes:
        raise NotEnoughDataError(
            f"the scoring method '{run.scoring}' stores no log-probabilities of options",
            expected="a run with --scoring loglikelihood or first_token",
            where=run.name,
        )
    run.require_whole()
    tasks: dict[tuple[str, int], list[Cell]] = {}
    for cell in run.done_cells():
        tasks.setdefault((cell.task, cell.num_fewshot), []).append(cell)
    is_empty = True
    for _, cells in sorted(tasks.items(), key=lambda each: each[0][1]):
        found = _Gathering(rule, None if most is None else most // len(cells))
        for cell, table in run.read_cells((*_COLUMNS, "predicted" if votes else "option_logprobs"), only=cells):
            column = table["options"]
            if len(table) and not column.null_count and len(column.chunk(0)[0]):
                found.add(cell, table)
        if found.has_rows:
            is_empty = False
            yield found.finished()
    if is_empty:
        raise NotEnoughDataError("no task has options to choose from", where=run.name)


class _Form(NamedTuple):
    """The examples of a cell with their options: cells of one task nearly always share one of a few."""

    id_column: pa.ChunkedArray
    option_column: pa.ChunkedArray
    ids: tuple[str, ...]
    options: list[tuple[str, ...]]
    credits: Floats
    has_option: Flags
    classes: Ints
    class_names: tuple[str, ...]
    by_position: bool
    kept: Ints | None = None

    def keep(self, names: Collection[str]) -> _Form:
        """The same with the examples of these names, whose places are `kept`."""
        kept = np.array([place for place, name in enumerate(self.ids) if name in names], dtype=np.intp)
        return self._replace(
            ids=tuple(self.ids[place] for place in kept),
            options=[self.options[place] for place in kept],
            credits=self.credits[kept],
            has_option=self.has_option[kept],
            classes=self.classes[kept],
            kept=kept,
        )


class _Row(NamedTuple):
    cell: Cell
    form: _Form
    values: Floats


class _Gathering:
    """The cells of one task and number of demonstrations, as they are read."""

    def __init__(self, rule: Scorer, most: int | None) -> None:
        self._rule, self._most = rule, most
        self._names: frozenset[str] | None = None
        self._sampled_from = 0
        self._forms: list[_Form] = []
        self._rows: list[_Row] = []

    def add(self, cell: Cell, table: pa.Table) -> None:
        form = self._form(table)
        if form.kept is not None:
            table = table.take(number_column(form.kept, pa.int32(), np.ones(len(form.kept), dtype=bool)))
        stored = np.full(form.has_option.shape, -np.inf)
        if "predicted" in table.column_names:
            chosen = np.asarray(column_values(table["predicted"].fill_null(NO_CLASS)), dtype=np.intp)
            stored[np.flatnonzero(chosen >= 0), chosen[chosen >= 0]] = 0.0
            self._rows.append(_Row(cell, form, stored))
            return
        stored[form.has_option] = flat_values(table["option_logprobs"])
        if not self._rule.compares_logprobs:
            for place, options in enumerate(form.options):
                stored[place, : len(options)] = self._rule.values(stored[place, : len(options)].tolist(), options)
        self._rows.append(_Row(cell, form, stored))

    @property
    def has_rows(self) -> bool:
        """Whether any cell was added."""
        return bool(self._rows)

    def _form(self, table: pa.Table) -> _Form:
        for form in self._forms:
            if form.option_column.equals(table["options"]) and form.id_column.equals(table["example_id"]):
                return form
        form = _describe(table)
        if not self._forms and self._most is not None and form.has_option.size > self._most:
            count = max(1, self._most // form.has_option.shape[1])
            # By their hashes, so that cells with other examples keep the same ones.
            self._names = frozenset(sorted(form.ids, key=_draw)[:count])
            self._sampled_from = len(form.ids)
        form = form if self._names is None else form.keep(self._names)
        self._forms.append(form)
        return form

    def finished(self) -> OptionValues:
        first = self._rows[0]
        shared = set(first.form.ids).intersection(*(row.form.ids for row in self._rows))
        examples = tuple(id_ for id_ in first.form.ids if id_ in shared)
        count = max(row.form.has_option.shape[1] for row in self._rows)
        places = {id(form): _places(form.ids, examples) for form in self._forms}
        picked = {id(form): _pad(form.classes[places[id(form)]], count, NO_CLASS) for form in self._forms}
        everyone = {id_ for form in self._forms for id_ in form.ids}
        return OptionValues(
            first.cell.task,
            first.cell.category,
            first.cell.num_fewshot,
            groups=tuple(row.cell.group for row in self._rows),
            wordings=tuple(row.cell.instruction for row in self._rows),
            seeds=tuple(row.cell.fewshot_seed for row in self._rows),
            identities=tuple(row.cell.identity for row in self._rows),
            examples=examples,
            values=np.stack([_pad(row.values[places[id(row.form)]], count, -np.inf) for row in self._rows]),
            has_option=_pad(first.form.has_option[places[id(first.form)]], count, False),
            credits=_pad(first.form.credits[places[id(first.form)]], count, 0.0),
            classes=_stacked([picked[id(row.form)] for row in self._rows]),
            class_names=tuple(row.form.class_names for row in self._rows),
            by_position=tuple(row.form.by_position for row in self._rows),
            scoring=self._rule.name,
            left_out=len(everyone) - len(examples),
            sampled_from=self._sampled_from,
        )


def _draw(name: str) -> bytes:
    return hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()


def _describe(table: pa.Table) -> _Form:
    options: list[tuple[str, ...]] = list(map(tuple, table["options"].to_pylist()))
    sizes = np.array([len(each) for each in options])
    count = int(sizes.max())
    has_option = np.arange(count) < sizes[:, None]
    names = shared_options(options)
    if names is None:
        classes = np.where(has_option, np.arange(count), NO_CLASS)
    elif all(each == names for each in options):
        classes = np.broadcast_to(np.arange(count), has_option.shape)
    else:
        place = {name: number for number, name in enumerate(names)}
        classes = np.array([[place[text] for text in each] for each in options], dtype=np.intp)
    return _Form(
        table["example_id"],
        table["options"],
        tuple(table["example_id"].to_pylist()),
        options,
        _credits(table, has_option),
        has_option,
        np.asarray(classes, dtype=np.intp),
        names or tuple(f"option {number + 1}" for number in range(count)),
        names is None,
    )


def _credits(table: pa.Table, has_option: Flags) -> Floats:
    column = table["option_credits"]
    given = np.zeros(has_option.shape)
    if column.null_count or len(flat_values(column)) != has_option.sum():
        # Runs of the first versions stored no credits; one option was right.
        given[np.arange(len(given)), np.asarray(column_values(table["target"]), dtype=np.intp)] = 1.0
    else:
        given[has_option] = flat_values(column)
    return given


def _places(ids: tuple[str, ...], wanted: tuple[str, ...]) -> Ints:
    if ids == wanted:
        return np.arange(len(ids))
    place = {name: number for number, name in enumerate(ids)}
    return np.array([place[name] for name in wanted], dtype=np.intp)


def _stacked(arrays: Sequence[Ints]) -> Ints:
    """[R, ...] the arrays of R rows; a view where all of them are one array."""
    first = arrays[0]
    if all(array is first for array in arrays):
        return np.broadcast_to(first, (len(arrays), *first.shape))
    return np.stack(arrays)


def _rows_of(classes: Ints, rows: Sequence[int]) -> Ints:
    """Some of the rows; a view where all rows are one array."""
    if len(rows) and classes.strides[0] == 0:
        return np.broadcast_to(classes[0], (len(rows), *classes.shape[1:]))
    return classes[list(rows)]


def _pad(array: Any, count: int, filler: float) -> Any:
    missing = count - array.shape[1]
    return array if not missing else np.pad(array, ((0, 0), (0, missing)), constant_values=filler)
