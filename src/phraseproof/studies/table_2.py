"""`table-2`: how many wordings collections have for each kind of task, with an example of each (Tables 1 and 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.core import Instruction, Kind
from phraseproof.instructions.collections import (
    TASK_DESIGNER,
    Collection,
    load_collection,
    own_collections,
    shipped_collections,
)
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.published import figures, remarks
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import UsedOptions
from phraseproof.tasks import catalogue

TABLE = "Table 2"
_HEADINGS: Mapping[Kind, str] = {
    Kind.MULTIPLE_CHOICE: "QA",
    Kind.MULTI_CLASS: "MC",
    Kind.BINARY: "BC",
    Kind.SUMMARIZATION: "Sum",
    Kind.TRANSLATION: "Trans",
}
"""The kinds of tasks, under the names of Table 2."""

_LONGEST = 90


class CollectionCounts(NamedTuple):
    """The wordings of one collection.

    Attributes:
        by_kind: the number for each kind of task; a wording for several kinds counts in each.
        unknown: the number that serve tasks whose kind is not known here, such as data sets of an import.
        tasks: by name of a task or category, the number of wordings for it.
        total: of all wordings.
    """

    name: str
    by_kind: Mapping[Kind, int]
    unknown: int
    tasks: Mapping[str, int]
    total: int


class TableTwo:
    """Counts of collections of wordings."""

    name = "table-2"
    exhibit = "Tables 1 and 2"
    about = "how many wordings each collection has for each kind of task, with examples"
    needs = "collections: all that are known by name, or those of --instructions"
    min_models: int = 0
    options = UsedOptions(of_runs=None, of_neither=frozenset({"instructions"}), groups=None)

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """Nothing is computed."""
        del request
        return ()

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The counts of collections, and those of the paper."""
        del steps
        named = [name for members in request.instructions.values() for name in members]
        names = named or [*shipped_collections(), *own_collections()]
        collections = [load_collection(name) for name in dict.fromkeys(names) if name != TASK_DESIGNER]
        counts = [count(collection) for collection in collections]
        printed = figures([TABLE])
        rows = [row for each in counts for row in _result_rows(each)]
        rows += [row for each in printed for row in each.rows()]
        return Exhibit(
            study=self.name,
            title="Collections of wordings",
            tables=(_counts(counts), _printed(), _examples(collections)),
            results=ResultTable(tuple(rows)),
            notes=tuple(remarks(printed)),
        )


def count(collection: Collection) -> CollectionCounts:
    """Count the wordings of a collection by the kind of the tasks that they serve."""
    kinds = _kinds_of_names()
    by_kind: Counter[Kind] = Counter()
    unknown = 0
    tasks: Counter[str] = Counter()
    for wording in collection.instructions:
        served = _served(wording, kinds)
        by_kind.update(served)
        unknown += not served
        tasks.update(name for name in wording.serves if name not in {kind.value for kind in Kind})
    return CollectionCounts(collection.name, by_kind, unknown, tasks, len(collection.instructions))


def _served(wording: Instruction, kinds: Mapping[str, Kind]) -> set[Kind]:
    if not wording.serves:
        return {Kind.MULTIPLE_CHOICE, Kind.MULTI_CLASS, Kind.BINARY}
    return {kinds[name] for name in wording.serves if name in kinds}


def _kinds_of_names() -> dict[str, Kind]:
    """The kind of every known task and category, and of every kind itself."""
    found = {kind.value: kind for kind in Kind}
    for listing in catalogue():
        if listing.kind is not None:
            found |= {listing.name: listing.kind, listing.category: listing.kind}
    return found


def _counts(counts: Sequence[CollectionCounts]) -> ExhibitTable:
    rows = [
        (
            each.name,
            *(str(each.by_kind.get(kind, 0) or "") for kind in _HEADINGS),
            str(each.unknown or ""),
            str(len(each.tasks) or ""),
            f"{sum(each.tasks.values()) / len(each.tasks):.1f}" if each.tasks else "",
            str(each.total),
        )
        for each in counts
    ]
    headings = ("collection", *_HEADINGS.values(), "unknown", "tasks", "per task", "all")
    line = (
        "QA: lettered options; MC: several classes; BC: two classes; unknown: for tasks whose kind is not known here; "
        "tasks: how many single tasks or categories have wordings, and how many each"
    )
    return ExhibitTable("Wordings by kind of task", headings, tuple(rows), (line,))


def _printed() -> ExhibitTable:
    printed = figures([TABLE])
    names = list(dict.fromkeys(each.name for each in printed if each.group in _HEADINGS.values()))
    cells = {(each.name, each.group): each.value for each in printed}
    rows = [(name, *(cells.get((name, kind), "") for kind in _HEADINGS.values())) for name in names]
    unobserved = ", ".join(f"{each.value} for {each.row.removeprefix('unobserved, ')}" for each in printed
                           if each.name == "Unobserved")  # fmt: skip
    return ExhibitTable(
        f"The paper's figures ({TABLE})",
        ("observed in", *_HEADINGS.values()),
        tuple(rows),
        (f"Unobserved: {unobserved}",),
    )


def _examples(collections: Sequence[Collection]) -> ExhibitTable:
    """One wording for each kind, of the first collection that has one, as Table 1 has them."""
    kinds = _kinds_of_names()
    rows: list[tuple[str, ...]] = []
    for kind, heading in _HEADINGS.items():
        found = [
            wording
            for collection in collections
            for wording in collection.instructions
            if kind in _served(wording, kinds) and wording.serves
        ]
        if found:
            text = " ".join((found[0].ask or found[0].template or "").split())
            rows.append((heading, found[0].name, text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"))
    return ExhibitTable("Examples (Table 1)", ("kind", "wording", "text"), tuple(rows), num_names=1, num_texts=2)


def _result_rows(counts: CollectionCounts) -> Iterator[ResultRow]:
    found = {heading: counts.by_kind.get(kind, 0) for kind, heading in _HEADINGS.items()}
    for group, number in (found | {"unknown": counts.unknown, "all": counts.total}).items():
        yield ResultRow(
            run="",
            level=Level.TASK,
            task=counts.name,
            group=group,
            statistic="wordings",
            estimate=float(number),
            n=counts.total,
            method="count",
            unit="",
        )
