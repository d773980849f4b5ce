"""Where scores differ over wordings, draws and examples, as a section of the page."""

from __future__ import annotations

from typing import NamedTuple

from phraseproof.analysis.facets.run import RunFacets
from phraseproof.analysis.facets.sentence import effort_sentence
from phraseproof.reports.build.facets import FacetTable, facet_tables, legend
from phraseproof.reports.build.text import printable
from phraseproof.scoring.metric import Metric


class FacetLine(NamedTuple):
    """A task and group: its table, and where extra effort should go."""

    table: FacetTable
    sentence: str


class FacetsView(NamedTuple):
    """The section.

    Attributes:
        lines: of every task and group.
        notes: what is missing.
        legend: of the tables.
    """

    lines: tuple[FacetLine, ...]
    notes: tuple[str, ...]
    legend: str


def facets_view(found: RunFacets, metric: Metric) -> FacetsView | None:
    """The section of a run at one number of demonstrations; `None` where nothing was drawn several times."""
    if not found.has_draws:
        return None
    lines = (FacetLine(table, printable(effort_sentence(table.tasks[0]))) for table in facet_tables(found.tasks))
    text = legend(metric)
    return FacetsView(tuple(lines), tuple(map(printable, found.notes)), text[0].upper() + text[1:] + ".")
