"""The result of a study: tables for people, rows for programs, and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from phraseproof.analysis.results import ResultTable

if TYPE_CHECKING:
    from phraseproof.reports.charts.chart import Chart
    from phraseproof.studies.spec import StudySpec


@dataclass(frozen=True, slots=True)
class ExhibitTable:
    """One table for people.

    Attributes:
        title: what it shows.
        headings: of the columns; the first columns name the row.
        rows: as many cells as there are headings. A line break in a cell separates a value from its interval.
        lines: sentences below the table.
        num_names: how many columns name the row.
        num_texts: how many of the last columns are texts; those in between are numbers.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...] = ()
    num_names: int = 1
    num_texts: int = 0

    @property
    def numbers(self) -> range:
        """The columns with numbers, which are aligned right."""
        return range(self.num_names, len(self.headings) - self.num_texts)


@dataclass(frozen=True)
class Exhibit:
    """What a study shows.

    Attributes:
        study: its name.
        title: of the exhibit.
        tables: in order.
        results: every figure as a row: the measured ones, then the published ones, whose method says from where.
        charts: by the name of their file, without an ending.
        notes: what a reader must know to interpret the numbers: how the study was scaled down, missing cells, and where
            published figures disagree with their own data.
        incomplete: the number of cells that failed.
        spec: what it was made of: the request, the runs and trainings with their identities, the versions; `None`
            before the study stores it.
    """

    study: str
    title: str
    tables: tuple[ExhibitTable, ...]
    results: ResultTable
    charts: Mapping[str, Chart] = field(default_factory=dict[str, "Chart"])
    notes: tuple[str, ...] = ()
    incomplete: int = 0
    spec: StudySpec | None = None
