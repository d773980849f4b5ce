"""How good collected wordings are, per author and task: counts, length and similarity, as the paper reports them.

Similarity is ROUGE-2, computed as `instructions stats` computes it. With a run of the wordings, also how a model's
answers under one author's wordings agree with those under the others', and which wordings to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import quantiles
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from phraseproof.analysis.estimators.agreement import agreement
from phraseproof.analysis.grids import Flags, Floats, TaskGrid, load_grids
from phraseproof.collect.export import Exported
from phraseproof.collect.records import SHOTS, CollectedWording, Shots
from phraseproof.core import Instruction, Task
from phraseproof.errors import NotEnoughDataError
from phraseproof.evaluation.plan import what_is_said
from phraseproof.identity import content_hash
from phraseproof.instructions.collections import Collection, instructions_for
from phraseproof.instructions.similarity import similar_pairs, words
from phraseproof.instructions.statistics import NEAR_DUPLICATE, Spread
from phraseproof.instructions.template_segments import own_words_of
from phraseproof.store.run_file import wording_keys

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

FEWEST_FOR_OUTLIERS = 5
"""Wordings of a task: with fewer, no value is called unusual."""

_ROUNDING = 1e-9
"""What equal values may differ by: sums of the same numbers in another order."""

What = Literal["length", "near-duplicate", "agreement", "score"]


@dataclass(frozen=True, slots=True)
class AuthorTexts:
    """The texts of one author, or of all of them, for one task.

    Attributes:
        task: its name.
        author: a pseudonym; `None` for all authors.
        counts: the number of wordings by table.
        length: words per wording; placeholders do not count.
        rouge2_seeds: the mean ROUGE-2, from 0 to 1, over all pairs of a wording and a seed; `None` without seeds.
        rouge2_own: the same over pairs of these wordings; `None` for a single one.
        rouge2_others: the same over pairs of a wording and one of another author; `None` without other authors.
        nearest: the mean over wordings of the highest ROUGE-2 with any wording of another author.
    """

    task: str
    author: str | None
    counts: Mapping[Shots, int]
    length: Spread
    rouge2_seeds: float | None
    rouge2_own: float | None
    rouge2_others: float | None
    nearest: float | None


@dataclass(frozen=True, slots=True)
class AuthorAnswers:
    """What a model did under the wordings of one author, or of all of them, on one task.

    Attributes:
        task, num_fewshot: the task, and the demonstrations in its prompts.
        author: a pseudonym; `None` for all authors.
        wordings: the number of wordings that the run has.
        score: the mean score, in the unit of the metric.
        agreement: the mean share of examples with the same answer, over pairs of a wording and one of another author
            (for all authors, over all pairs of wordings); `None` without such pairs, and for free text.
        kappa: of all authors, Fleiss' kappa with wordings as raters; `None` where it is not defined.
    """

    task: str
    num_fewshot: int
    author: str | None
    wordings: int
    score: float
    agreement: float | None
    kappa: float | None = None


class AuthorPair(NamedTuple):
    """The mean share of examples with the same answer, over pairs of a wording of each of two authors."""

    task: str
    num_fewshot: int
    first: str
    second: str
    agreement: float


class Unusual(NamedTuple):
    """A wording to look at; not necessarily a bad one.

    Attributes:
        wording_id: of the collected wording.
        instruction: its id in collections.
        what: what is unusual.
        value: the length in words, the ROUGE-2 with `other`, the mean agreement with other wordings, or the score.
        limit: the limit that it passes.
        other: of a near-duplicate, the id of the wording that it repeats; else empty.
    """

    wording_id: str
    instruction: str
    author: str
    task: str
    what: What
    value: float
    limit: float
    other: str = ""


class CollectQuality(NamedTuple):
    """The quality of collected wordings.

    Attributes:
        texts: by task, all authors first.
        answers: the same with a run; else empty.
        pairs: the agreement of every two authors, with a run of tasks with options.
        unusual: wordings to look at, by task.
        notes: what a reader must know.
    """

    texts: tuple[AuthorTexts, ...]
    answers: tuple[AuthorAnswers, ...]
    pairs: tuple[AuthorPair, ...]
    unusual: tuple[Unusual, ...]
    notes: tuple[str, ...]


def quality_of(
    exported: Exported, tasks: Mapping[str, Task], *, seeds: Sequence[Collection] = (), run: Run | None = None
) -> CollectQuality:
    """Describe collected wordings.

    Args:
        exported: the wordings, as `collected_instructions` gives them.
        tasks: the project's tasks by name.
        seeds: collections that the wordings are compared with.
        run: an evaluation of the exported wordings.

    Raises:
        NotEnoughDataError: no wordings, or the run has none of them.
        RunError: as `load_grids`.
    """
    if not exported.instructions:
        raise NotEnoughDataError("there are no wordings to describe")
    rows = [_Row(*each) for each in zip(exported.instructions, exported.sources, strict=True)]
    texts: list[AuthorTexts] = []
    unusual: list[Unusual] = []
    for name in dict.fromkeys(row.wording.task for row in rows):
        of_task = [row for row in rows if row.wording.task == name]
        theirs = [wording for each in seeds for wording in instructions_for(each, tasks[name])]
        described = _Texts(of_task, [own_words_of(each) for each in theirs])
        texts += described.by_author()
        unusual += described.unusual()
    answers: list[AuthorAnswers] = []
    pairs: list[AuthorPair] = []
    notes: list[str] = []
    if run is not None:
        grids = list(_grids(run, rows, notes))
        if not grids:
            raise NotEnoughDataError("the run has none of these wordings", where=str(run.path))
        for grid, of_grid in grids:
            compared = _Answers(grid, of_grid)
            answers += compared.by_author()
            pairs += compared.by_pair()
            unusual += compared.unusual()
    return CollectQuality(tuple(texts), tuple(answers), tuple(pairs), tuple(unusual), tuple(notes))


class _Row(NamedTuple):
    instruction: Instruction
    wording: CollectedWording

    @property
    def author(self) -> str:
        return str(self.instruction.author)

    def unusual(self, what: What, value: float, limit: float, other: str = "") -> Unusual:
        name = self.instruction.id
        return Unusual(self.wording.id, name, self.author, self.wording.task, what, value, limit, other)


# ---------------------------------------------------------------------------------------------------------------- texts


class _Texts:
    """The texts of one task, compared once: wordings first, then seeds."""

    def __init__(self, rows: Sequence[_Row], seeds: Sequence[str]) -> None:
        self._rows = rows
        own = [own_words_of(row.instruction) for row in rows]
        self._lengths = [len(words(text)) for text in own]
        self._likeness = np.zeros((len(rows), len(rows) + len(seeds)))
        for pair in similar_pairs([*own, *seeds]):
            if pair.first < len(rows):
                self._likeness[pair.first, pair.second] = pair.rouge2
                if pair.second < len(rows):
                    self._likeness[pair.second, pair.first] = pair.rouge2
        self._authors = np.array([row.author for row in rows])

    def by_author(self) -> Iterator[AuthorTexts]:
        yield self._describe(None)
        for author in dict.fromkeys(row.author for row in self._rows):
            yield self._describe(author)

    def _describe(self, author: str | None) -> AuthorTexts:
        count = len(self._rows)
        own = np.arange(count) if author is None else np.flatnonzero(self._authors == author)
        among = self._likeness[np.ix_(own, own)]
        with_all = self._likeness[own, :count]
        is_other = self._authors[own, None] != self._authors
        with_seeds = self._likeness[own, count:]
        rows = [row for row in self._rows if author in {None, row.author}]
        return AuthorTexts(
            rows[0].wording.task,
            author,
            {kind: sum(row.wording.kind == kind for row in rows) for kind in SHOTS},
            Spread.of([self._lengths[int(at)] for at in own]),
            rouge2_seeds=float(with_seeds.mean()) if with_seeds.size else None,
            rouge2_own=float(among.sum() / (len(own) * (len(own) - 1))) if len(own) > 1 else None,
            rouge2_others=float(with_all[is_other].mean()) if is_other.any() else None,
            nearest=float(np.where(is_other, with_all, 0).max(axis=1).mean()) if is_other.any() else None,
        )

    def unusual(self) -> Iterator[Unusual]:
        limits = _fences(self._lengths)
        for at, row in enumerate(self._rows):
            if limits is not None and not limits[0] <= self._lengths[at] <= limits[1]:
                limit = limits[0] if self._lengths[at] < limits[0] else limits[1]
                yield row.unusual("length", self._lengths[at], limit)
            earlier = self._likeness[at, :at]
            if len(earlier) and earlier.max() >= NEAR_DUPLICATE:
                other = self._rows[int(earlier.argmax())].instruction.id
                yield row.unusual("near-duplicate", float(earlier.max()), NEAR_DUPLICATE, other)


def _fences(values: Sequence[float]) -> tuple[float, float] | None:
    """Tukey's fences: 1.5 interquartile ranges outside the quartiles; `None` for too few values."""
    if len(values) < FEWEST_FOR_OUTLIERS:
        return None
    low, _, high = quantiles(values, n=4, method="inclusive")
    reach = 1.5 * (high - low) + _ROUNDING
    return low - reach, high + reach


# -------------------------------------------------------------------------------------------------------------- answers


def _grids(run: Run, rows: Sequence[_Row], notes: list[str]) -> Iterator[tuple[TaskGrid, list[_Row]]]:
    """The grids of a run with the collected wordings only, and the wording of each of their rows."""
    known = {(row.wording.task, row.instruction.id): row for row in rows}
    changed: set[str] = set()
    for grid in load_grids(run):
        notes += grid.notes
        kept: dict[int, _Row] = {}
        for at, name in enumerate(grid.wordings):
            row = known.get((grid.task, name.partition("/")[2]))
            if row is None or row in kept.values():  # another wording, or the same one in a second group
                continue
            if not _is_unchanged(run, grid.task, name, row.instruction):
                changed.add(row.instruction.id)
                continue
            kept[at] = row
        if kept:
            yield grid.take(list(kept)), list(kept.values())
    if changed:
        notes.append(f"left out of the run's figures, because they were changed after it: {', '.join(sorted(changed))}")


def _is_unchanged(run: Run, task: str, name: str, wording: Instruction) -> bool:
    entries: Mapping[str, Mapping[str, object]] = run.content.get("instructions", {})
    entry = next((entries[key] for key in wording_keys(task, name) if key in entries), None)
    return entry is not None and entry["content"] == content_hash(what_is_said(wording))


class _Answers:
    """The answers of one grid, compared once."""

    def __init__(self, grid: TaskGrid, rows: Sequence[_Row]) -> None:
        self._grid = grid
        self._rows = rows
        self._authors = np.array([row.author for row in rows])
        self._same = None if grid.answers is None or len(rows) < 2 else _same_answers(grid)

    def by_author(self) -> Iterator[AuthorAnswers]:
        means = self._grid.means
        for author in (None, *dict.fromkeys(row.author for row in self._rows)):
            own = self._authors == author if author is not None else np.ones(len(self._rows), dtype=np.bool_)
            yield AuthorAnswers(
                self._grid.task,
                self._grid.num_fewshot,
                author,
                int(own.sum()),
                float(means[own].mean()),
                self._agreement(author, own),
                self._kappa() if author is None else None,
            )

    def by_pair(self) -> Iterator[AuthorPair]:
        if self._same is None:
            return
        for first, second in combinations(dict.fromkeys(row.author for row in self._rows), 2):
            among = self._same[np.ix_(self._authors == first, self._authors == second)]
            yield AuthorPair(self._grid.task, self._grid.num_fewshot, first, second, float(among.mean()))

    def _agreement(self, author: str | None, own: Flags) -> float | None:
        if self._same is None:
            return None
        count = len(self._rows)
        if author is None:
            return float((self._same.sum() - count) / (count * (count - 1)))
        return float(self._same[np.ix_(own, ~own)].mean()) if not own.all() else None

    def _kappa(self) -> float | None:
        answers, examples = self._grid.answers, len(self._grid.examples)
        if answers is None or len(answers) < 3 or examples < 2:
            return None
        found = agreement(answers, examples).kappa
        return None if found is None else found.value

    def unusual(self) -> Iterator[Unusual]:
        count = len(self._rows)
        values: dict[What, Floats] = {"score": self._grid.means}
        if self._same is not None:
            values["agreement"] = (self._same.sum(axis=1) - 1) / (count - 1)
        for what, of_wordings in values.items():
            limits = _fences([float(value) for value in of_wordings])
            for row, value in zip(self._rows, of_wordings, strict=True):
                if limits is not None and value < limits[0]:
                    yield row.unusual(what, float(value), limits[0])


def _same_answers(grid: TaskGrid) -> Floats:
    """[W, W] the share of examples that two wordings answer in the same way."""
    assert grid.answers is not None
    return np.stack([(grid.answers == of_wording).mean(axis=1) for of_wording in grid.answers])
