"""The statistics as a table: every number with its interval, and the methods once, below."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.reports.build.run_tables import NO_DATA, points, printable

if TYPE_CHECKING:
    from phraseproof.analysis.statistics import GroupStatistics, Robustness, StatisticsRow
    from phraseproof.core import Finding

COLUMNS = {
    "mean": "mean (%)",
    "std": "Std",
    "worst": "worst (%)",
    "best": "best (%)",
    "range": "range",
    "flips": "examples that flip (%)",
    "kappa": "agreement (kappa)",
}


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


def statistics_table(found: Robustness) -> StatisticsTable:
    """Overall first, then each category with its tasks; a single task alone."""
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
            cells = tuple(_cell(name, numbers) for name in COLUMNS)
            rows.append(TableRow(row.level.value, printable(row.name), printable(group), cells))
            if row.level is Level.OVERALL or len(found.tasks) == 1:
                whose = f" of {printable(group)}" if len(row.groups) > 1 else ""
                findings = {name: numbers.findings[name] for name in COLUMNS if name in numbers.findings}
                methods |= {(f"{COLUMNS[name]}{whose}", _method(of)): None for name, of in findings.items()}
        for group, difference in row.differences.items():
            if row.level is Level.OVERALL or len(found.tasks) == 1:
                methods[f"difference of {printable(group)}", _method(difference)] = None
    return StatisticsTable(tuple(COLUMNS.values()), tuple(rows), tuple(_joined(methods)), found.notes)


def _cell(name: str, numbers: GroupStatistics) -> StatisticsCell:
    finding = numbers.findings.get(name)
    if finding is None:
        return StatisticsCell(NO_DATA, reason=printable(numbers.why_not.get(name, "not enough data")))
    low, high = finding.low, finding.high
    interval = "" if low is None or high is None else f"{_number(name, low)} to {_number(name, high)}"
    return StatisticsCell(_number(name, finding.estimate), interval)


def _number(name: str, value: float) -> str:
    return f"{value:.2f}" if name == "kappa" else f"{100 * value:.1f}"


def _method(finding: Finding) -> str:
    return f"{finding.method}, n = {finding.n:,}"


def _joined(methods: Iterable[tuple[str, str]]) -> list[str]:
    """Statistics found in the same way are named together."""
    names: dict[str, list[str]] = {}
    for name, method in methods:
        names.setdefault(method, []).append(name)
    return [f"{', '.join(of_method)}: {method}" for method, of_method in names.items()]


def difference_line(group: str, reference: str, finding: Finding) -> str:
    """One difference as a sentence, with interval, p and method."""
    parts = [f"{points(finding.estimate)} points"]
    if finding.low is not None and finding.high is not None:
        parts.append(f"95% interval {points(finding.low)} to {points(finding.high)}")
    if finding.p_value is not None:
        parts.append("p < 0.001" if finding.p_value < 0.001 else f"p = {finding.p_value:.3f}")
    return f"{printable(group)} minus {printable(reference)}: {', '.join(parts)} ({finding.method}, n = {finding.n:,})"
