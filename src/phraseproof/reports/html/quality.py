"""How good answers are beyond accuracy, as a section of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from phraseproof.analysis.answer_quality import UNITS, GroupQuality
from phraseproof.reports.build.numbers import NO_DATA, title_with_unit
from phraseproof.reports.build.quality import CONSISTENCY, RunQuality, consistency
from phraseproof.reports.build.text import printable
from phraseproof.reports.html.statistics import StatisticsCell, TableRow

if TYPE_CHECKING:
    from phraseproof.analysis.statistics import GroupStatistics, Robustness, StatisticsRow
    from phraseproof.core import Finding
    from phraseproof.scoring.metric import Metric

_HEADINGS: Final[Mapping[str, str]] = {
    "balanced_accuracy": "balanced accuracy (%)",
    "macro_f1": "macro-F1 (%)",
    "brier": "Brier score",
    "log_loss": "log loss (nats)",
    "ece": "calibration error (%)",
    CONSISTENCY: "consistency (%)",
    "kappa": "Fleiss' kappa",
}
_UNITS: Final[Mapping[str, tuple[str, float]]] = {
    **UNITS, CONSISTENCY: ("%", 100.0), "kappa": ("", 1.0)
}  # fmt: skip


class QualityTable(NamedTuple):
    """The section.

    Attributes:
        headings: of the columns after task and group.
        rows: overall, then categories with their tasks; a lone task alone.
        notes: of which tasks a sample of the examples was used.
    """

    headings: tuple[str, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[str, ...]


def quality_table(found: RunQuality, robustness: Robustness, metric: Metric) -> QualityTable | None:
    """Means over wordings of every measure with Std and interval, for each group in each row.

    Args:
        found: the measures; without them there is no table.
        robustness: of the same run at the same number of demonstrations.
        metric: of the first column, which scores are in.
    """
    if not found.rows:
        return None
    units = {**_UNITS, "mean": (metric.unit, metric.scale)}
    rows = [
        TableRow(
            row.level.value, printable(row.name), printable(group), _cells(statistics, _of(found, row, group), units)
        )
        for row in _ordered(robustness)
        for group, statistics in row.groups.items()
    ]
    return QualityTable(
        (printable(title_with_unit(metric)), *_HEADINGS.values()), tuple(rows), tuple(map(printable, found.notes))
    )


def _ordered(found: Robustness) -> list[StatisticsRow]:
    if len(found.tasks) == 1:
        return list(found.tasks)
    several = found.categories if len(found.categories) > 1 else ()
    ordered = [found.overall, *(() if several else found.tasks)]
    for category in several:
        ordered += [category, *(task for task in found.tasks if task.category == category.name)]
    return ordered


def _of(found: RunQuality, row: StatisticsRow, group: str) -> GroupQuality | None:
    measured = found.find(row.level, row.name)
    return None if measured is None else measured.groups.get(group)


def _cells(
    statistics: GroupStatistics, quality: GroupQuality | None, units: Mapping[str, tuple[str, float]]
) -> tuple[StatisticsCell, ...]:
    findings: dict[str, Finding] = {name: statistics.findings[name] for name in ("mean", "kappa")
                                    if name in statistics.findings}  # fmt: skip
    stds: dict[str, float] = {}
    if "std" in statistics.findings:
        stds["mean"] = statistics.findings["std"].estimate
    if "pairwise_flips" in statistics.findings:
        findings[CONSISTENCY] = consistency(statistics.findings["pairwise_flips"])
    if quality is not None:
        findings |= quality.findings
        stds |= quality.stds
    return tuple(_cell(findings.get(name), stds.get(name), *units[name]) for name in ("mean", *_HEADINGS))


def _cell(found: Finding | None, std: float | None, unit: str, scale: float) -> StatisticsCell:
    if found is None:
        return StatisticsCell(NO_DATA, reason="not defined here")
    estimate, low, high = (
        None if value is None else _shown(scale * value, unit) for value in (found.estimate, found.low, found.high)
    )
    spread = "" if std is None else f" ± {_shown(scale * std, unit)}"
    return StatisticsCell(f"{estimate}{spread}", "" if low is None or high is None else f"{low} to {high}")


def _shown(value: float, unit: str) -> str:
    return f"{value:.1f}" if unit == "%" else f"{value:.2f}"
