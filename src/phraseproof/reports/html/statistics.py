"""The statistics as a table: every number with its interval, and the methods once, below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.result_rows import SHARES
from phraseproof.reports.build.numbers import NO_DATA, share_in_percent, short_difference_unit, unit_sign, value_in_unit
from phraseproof.reports.build.text import printable

if TYPE_CHECKING:
    from phraseproof.analysis.statistics import GroupStatistics, Robustness, StatisticsRow
    from phraseproof.core import Finding
    from phraseproof.scoring.metric import Metric

_COLUMNS = ("mean", "std", "worst", "best", "range", "flips", "kappa")


def headings(metric: Metric) -> dict[str, str]:
    """The columns' headings, with the metric's unit; shares of examples are in percent whatever the metric is."""
    unit, apart = unit_sign(metric), short_difference_unit(metric)
    texts = (
        f"mean ({unit})",
        f"Std ({apart})",
        f"worst ({unit})",
        f"best ({unit})",
        f"range ({apart})",
        "examples that flip (%)",
        "agreement (kappa)",
    )
    return dict(zip(_COLUMNS, map(printable, texts), strict=True))


class StatisticsCell(NamedTuple):
    """One number.

    Attributes:
        text: the estimate; interval: `low to high`, or empty; reason: why there is no number.
    """

    text: str
    interval: str = ""
    reason: str = ""


class TableRow(NamedTuple):
    """One group in one row of the summary."""

    level: str
    name: str
    group: str
    cells: tuple[StatisticsCell, ...]


class StatisticsTable(NamedTuple):
    """The table, its column headings, how the numbers were found, and what to know to read them right."""

    headings: tuple[str, ...]
    rows: tuple[TableRow, ...]
    methods: tuple[str, ...]
    notes: tuple[str, ...]


def statistics_table(found: Robustness, metric: Metric) -> StatisticsTable:
    """Overall first, then each category with its tasks; a single task alone.

    Args:
        metric: what scores are in.
    """
    columns = headings(metric)
    ordered: list[StatisticsRow] = []
    if len(found.tasks) > 1:
        ordered.append(found.overall)
        for category in found.categories:
            ordered += [category, *(task for task in found.tasks if task.category == category.name)]
    else:
        ordered += found.tasks
    methods: dict[tuple[str, str], None] = {}
    rows: list[TableRow] = []
    for row in ordered:
        for group, numbers in row.groups.items():
            cells = tuple(_cell(name, numbers, metric) for name in columns)
            rows.append(TableRow(row.level.value, printable(row.name), printable(group), cells))
            if row.level is Level.OVERALL or len(found.tasks) == 1:
                whose = f" of {printable(group)}" if len(row.groups) > 1 else ""
                findings = {name: numbers.findings[name] for name in columns if name in numbers.findings}
                methods |= {(f"{columns[name]}{whose}", _method(of)): None for name, of in findings.items()}
        for group, difference in row.differences.items():
            if row.level is Level.OVERALL or len(found.tasks) == 1:
                methods[f"difference of {printable(group)}", _method(difference)] = None
    return StatisticsTable(tuple(columns.values()), tuple(rows), tuple(_joined(methods)), found.notes)


def _cell(name: str, numbers: GroupStatistics, metric: Metric) -> StatisticsCell:
    finding = numbers.findings.get(name)
    if finding is None:
        return StatisticsCell(NO_DATA, reason=printable(numbers.why_not.get(name, "not enough data")))
    low, high = finding.low, finding.high
    interval = "" if low is None or high is None else f"{_number(name, low, metric)} to {_number(name, high, metric)}"
    return StatisticsCell(_number(name, finding.estimate, metric), interval)


def _number(name: str, value: float, metric: Metric) -> str:
    if name == "kappa":
        return f"{value:.2f}"
    return share_in_percent(value) if name in SHARES else value_in_unit(value, metric)


def _method(finding: Finding) -> str:
    return f"{finding.method}, n = {finding.n:,}"


def _joined(methods: Iterable[tuple[str, str]]) -> list[str]:
    """Statistics found in the same way are named together."""
    names: dict[str, list[str]] = {}
    for name, method in methods:
        names.setdefault(method, []).append(name)
    return [f"{', '.join(of_method)}: {method}" for method, of_method in names.items()]
