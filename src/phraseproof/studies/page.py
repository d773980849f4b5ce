"""The page of an exhibit: one file with its tables, charts, notes, and what repeats it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from phraseproof.analysis.aggregation import OVERALL
from phraseproof.analysis.results import NUMBER_HEADINGS, readable_cells
from phraseproof.reports.html.document import render_page
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.published import PUBLISHED

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.studies.spec import StudySpec

PAPER = "arXiv 2306.11270"


class PageCell(NamedTuple):
    """One cell of a table.

    Attributes:
        text: the value.
        interval: what is below it; empty if nothing.
        is_name: whether it names its row.
        is_number: whether it is aligned right.
        rows: over how many rows it extends.
    """

    text: str
    interval: str = ""
    is_name: bool = False
    is_number: bool = False
    rows: int = 1


class PageRow(NamedTuple):
    """One row of a table.

    Attributes:
        is_printed: whether its figures are those of the paper.
        is_overall: whether it is the row of means.
    """

    cells: tuple[PageCell, ...]
    is_printed: bool
    is_overall: bool


class PageTable(NamedTuple):
    """One table."""

    id: str
    table: ExhibitTable
    rows: tuple[PageRow, ...]


class FigureTable(NamedTuple):
    """Rows of the result table, rounded, without the columns that are the same in every row."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str] = NUMBER_HEADINGS


def render_exhibit(exhibit: Exhibit) -> str:
    """The page as one text. It loads nothing from anywhere.

    Raises:
        MissingExtraError: there are charts, and the extra `report` is not installed.
    """
    tables = [PageTable(f"t{number}", table, tuple(page_rows(table))) for number, table in enumerate(exhibit.tables)]
    charts = {f"c{number}": chart for number, chart in enumerate(exhibit.charts.values())}
    titles = [chart.title for chart in exhibit.charts.values()]
    captions = [
        title if titles.count(title) == 1 else f"{title} ({file})"
        for file, title in zip(exhibit.charts, titles, strict=True)
    ]
    subjects = _subjects(exhibit.spec)
    contents = [
        *([("charts", "Charts")] if charts else []),
        *((each.id, each.table.title) for each in tables),
        ("figures", "Every figure"),
        *([("repeat", "To repeat this")] if exhibit.spec is not None else []),
    ]
    return render_page(
        "exhibit.html.j2",
        title=exhibit.title,
        subtitle=f"study {exhibit.study}" + (f": {subjects}" if subjects else ""),
        contents=contents,
        charts={name: (0, chart) for name, chart in charts.items()},
        paper=PAPER,
        exhibit=exhibit,
        drawn=[(name, chart, caption) for (name, chart), caption in zip(charts.items(), captions, strict=True)],
        tables=tables,
        figures=list(_figure_tables(exhibit.results.rows)),
    )


def _subjects(spec: StudySpec | None) -> str:
    """The models and runs that were requested."""
    request: Mapping[str, object] = {} if spec is None else spec.request
    return ", ".join(str(name) for key in ("models", "runs") for name in cast("Sequence[object]", request.get(key, ())))


def _figure_tables(rows: Sequence[ResultRow]) -> Iterator[FigureTable]:
    printed = [row for row in rows if row.scoring == PUBLISHED]
    measured = [row for row in rows if row.scoring != PUBLISHED]
    for title, of in (("Measured", measured), ("Printed in the paper", printed)):
        if of:
            headings, cells = readable_cells(of)
            yield FigureTable(title, tuple(headings), tuple(map(tuple, cells)))


def page_rows(table: ExhibitTable) -> Iterator[PageRow]:
    """The rows of a table. A name that is empty in the rows below extends over them."""
    is_printed = False
    spans = [_spans(table.rows, column) for column in range(table.num_names - 1)]
    for place, row in enumerate(table.rows):
        name = row[0].strip()
        is_printed = "printed" in name if name else is_printed
        cells = [
            _cell(table, column, text, spans[column][place] if column < len(spans) else 1)
            for column, text in enumerate(row)
            if column >= len(spans) or spans[column][place]
        ]
        yield PageRow(tuple(cells), is_printed, name == OVERALL)


def _spans(rows: Sequence[Sequence[str]], column: int) -> list[int]:
    """Over how many rows the cells of a column extend; 0 where the cell above extends over a row.

    A name ends where a name to its left begins.
    """
    spans: list[int] = []
    last = -1
    for place, row in enumerate(rows):
        if last >= 0 and not any(cell.strip() for cell in row[: column + 1]):
            spans.append(0)
            spans[last] += 1
        else:
            spans.append(1)
            last = place
    return spans


def _cell(table: ExhibitTable, column: int, text: str, rows: int) -> PageCell:
    if column < table.num_names:
        # Lines of a name are parts of it, such as the method of a model; those of a value are its interval.
        name = ", ".join(filter(None, map(str.strip, text.split("\n"))))
        return PageCell(name, "", bool(name), column in table.numbers, rows)
    value, _, below = text.partition("\n")
    return PageCell(value.strip(), below.replace("\n", " "), False, column in table.numbers, rows)
