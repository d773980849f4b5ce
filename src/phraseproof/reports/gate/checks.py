"""Whether a run keeps its limits: what is measured, where, and by how much a limit is missed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.result_rows import place_of, scaled
from phraseproof.core import Finding
from phraseproof.errors import RunError, UsageError
from phraseproof.reports.build.numbers import difference_in_unit, short_difference_unit, short_method, unit_name
from phraseproof.reports.build.text import printable
from phraseproof.reports.gate.limits import ROUNDING, LimitCheck, Limits, On

if TYPE_CHECKING:
    from phraseproof.analysis.grids import TaskGrid
    from phraseproof.analysis.paired import ComparisonRow, RunComparison
    from phraseproof.analysis.statistics import Robustness, StatisticsRow
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run

_Row = TypeVar("_Row", bound="StatisticsRow | ComparisonRow")

_NOT_SHOWN = math.inf
"""A limit that cannot be shown to be kept counts as missed by the maximum."""


def check_run(
    run: Run, limits: Limits, *, on: On = On.ESTIMATE, at: Level = Level.TASK, other: Run | None = None
) -> list[LimitCheck]:
    """Check a run against limits.

    Groups of control wordings (negated, nonsensical, incorrect) are expected to score low and are not checked.

    Args:
        run: finished; its first group is the one that gaps are measured from.
        on: what is compared with the limits.
        at: where they must be kept: by every task, by every category, or overall.
        other: the run that `margin` refers to, on the same wordings and questions.

    Returns:
        One check per limit and place, in the order of the limits, the worst first.

    Raises:
        RunError: a run is not finished, or damaged.
        UsageError: no limit, or a margin without another run.
        NotEnoughDataError: the two runs share nothing.
    """
    from phraseproof.analysis.grids import load_grids, metric_of
    from phraseproof.analysis.paired import compare_runs
    from phraseproof.analysis.readings import shared_metric
    from phraseproof.analysis.statistics import robustness

    if limits.is_empty:
        raise UsageError("no limit is given", hint="Give at least one, as in --max-spread 5 --min-worst 70")
    _require_finished(run)
    metric = metric_of(run)
    _require_possible(limits, metric)
    how = _How(on, at, metric)
    grids = _without_controls(run, load_grids(run))
    order = [group for group in run.groups if any(group in grid.groups for grid in grids)]
    checks: list[LimitCheck] = []
    found = robustness(grids, group_order=order)
    for item in found:
        of_shots = [grid for grid in grids if grid.num_fewshot == item.num_fewshot]
        checks += _of_summary(item, of_shots, limits, how, _shots(item.num_fewshot, len(found)))
    if limits.margin is not None:
        if other is None:
            raise UsageError("a margin needs another run", hint="Name it with --no-worse-than", where="--margin")
        shared_metric([other, run], "--no-worse-than")
        _require_finished(other)
        compared = compare_runs(_without_controls(other, load_grids(other)), grids)
        for item in compared:
            checks += _of_comparison(item, limits.margin, how, _shots(item.num_fewshot, len(compared)))
    order_of = list(dict.fromkeys(check.option for check in checks))
    return sorted(checks, key=lambda check: (order_of.index(check.option), -check.over))


class _How(NamedTuple):
    """What is compared with the limits, where, and in which metric."""

    on: On
    at: Level
    metric: Metric


def _require_possible(limits: Limits, metric: Metric) -> None:
    """Refuse limits that values of the metric cannot meet or miss.

    Raises:
        UsageError: a limit outside the metric's range, or a lowest score of a metric where less is better.
    """
    low, high, width = (metric.scale * value for value in (metric.low, metric.high, metric.width))
    for item in fields(Limits):
        value: float | None = getattr(limits, item.name)
        if value is not None and item.name in {"min_worst", "min_mean"} and not metric.higher_is_better:
            raise UsageError(
                "a lowest score is a limit for metrics where more is better",
                got=f"the metric {metric.name!r}",
                where=_option(item.name),
                hint="--max-spread, --max-gap and --no-worse-than fit every metric",
            )
        least, most = (low, high) if item.name in {"min_worst", "min_mean"} else (0.0, width)
        if value is not None and not least <= value <= most:
            unit = "percent or points" if metric.unit == "%" else unit_name(metric)
            raise UsageError(
                "not a limit", expected=f"{unit}, {least:g} to {most:g}", got=f"{value:g}", where=_option(item.name)
            )


def _of_summary(
    found: Robustness, grids: Sequence[TaskGrid], limits: Limits, how: _How, shots: str
) -> list[LimitCheck]:
    checks: list[LimitCheck] = []
    has_spreads = any(grid.groups.count(group) > 1 for grid in grids for group in set(grid.groups))
    # Where all scores are equal there is no bound of a mean or a Std, and that of another statistic serves: a mean is
    # not below the worst wording, and a Std not above the range.
    rules = (
        ("max_spread", ("std", "range"), "Std over wordings", True),
        ("min_worst", ("worst", "worst"), "worst wording", False),
        ("min_mean", ("mean", "worst"), "mean over wordings", False),
    )
    for name, (statistic, stand_in), words, is_ceiling in rules:
        limit: float | None = getattr(limits, name)
        if limit is None:
            continue
        for row in _rows(found.tasks, found.categories, found.overall, how.at):
            for group, numbers in row.groups.items():
                is_lone = _is_lone(row, group, grids)
                if is_lone and name == "max_spread" and has_spreads:
                    continue  # one wording, such as the one in use, together with its paraphrases
                # The worst of one wording is that wording.
                finding = numbers.findings.get("mean" if is_lone and name == "min_worst" else statistic)
                value = _value(finding, how, is_ceiling=is_ceiling)
                shown = finding
                if finding is not None and value is None:
                    shown = numbers.findings.get(stand_in)
                    value = _value(shown, how, is_ceiling=is_ceiling)
                check = _check(
                    f"{_option(name)} {limit:g}",
                    f"{_place(row)}{shots}, {printable(group)}",
                    value,
                    limit,
                    words + _bound(shown, how, "upper" if is_ceiling else "lower"),
                    is_ceiling=is_ceiling,
                    why_not=(numbers.why_not.get(statistic) if finding is None else None)
                    or (finding.method if finding else ""),
                    metric=how.metric,
                )
                checks.append(_located(check, finding, row, group, found.num_fewshot))
    if limits.max_gap is not None:
        checks += _gaps(found, limits.max_gap, how, shots)
    return checks


def _gaps(found: Robustness, limit: float, how: _How, shots: str) -> list[LimitCheck]:
    if len(found.groups) < 2:
        raise UsageError("a gap needs two groups of wordings", got=", ".join(found.groups), where="--max-gap")
    checks: list[LimitCheck] = []
    for row in _rows(found.tasks, found.categories, found.overall, how.at):
        for group in found.groups[1:]:
            if group not in row.differences and group not in row.why_not:
                continue
            finding = row.differences.get(group)
            check = _shortfall(
                finding,
                limit,
                how,
                option="--max-gap",
                place=f"{_place(row)}{shots}, {printable(group)}",
                words=f"{'below' if how.metric.higher_is_better else 'above'} {printable(found.groups[0])}",
                why_not=row.why_not.get(group) or (finding.method if finding else ""),
            )
            measured = None if finding is None else replace(finding, name=f"difference from {found.groups[0]}")
            checks.append(_located(check, measured, row, group, found.num_fewshot))
    return checks


def _of_comparison(found: RunComparison, margin: float, how: _How, shots: str) -> list[LimitCheck]:
    checks: list[LimitCheck] = []
    for row in _rows(found.tasks, found.categories, found.overall, how.at):
        check = _shortfall(
            row.all,
            margin,
            how,
            option="--no-worse-than, --margin",
            place=f"{printable(row.name)}{shots}",
            words="worse than the other run",
            why_not=row.all.method,
        )
        measured = replace(row.all, name="difference from the other run")
        checks.append(_located(check, measured, row, "", found.num_fewshot))
    return checks


def _shortfall(
    difference: Finding | None, limit: float, how: _How, *, option: str, place: str, words: str, why_not: str
) -> LimitCheck:
    """Check by how much something is worse: where more is better, the lower end of the difference is its bound."""
    value = _value(difference, how, is_ceiling=not how.metric.higher_is_better)
    return _check(
        f"{option} {limit:g}",
        place,
        None if value is None else -how.metric.benefit(value),
        limit,
        f"{short_difference_unit(how.metric)} {words}{_bound(difference, how, 'upper')}",
        is_ceiling=True,
        why_not=why_not,
        metric=how.metric,
    )


def _bound(shown: Finding | None, how: _How, side: str) -> str:
    """Which end of which interval is checked: other commands print intervals of the same figure by other methods."""
    if how.on is On.ESTIMATE:
        return ""
    known = shown is not None and shown.low is not None and shown.high is not None
    return f", {side} 95% bound" + (f" ({short_method(shown)})" if known and shown else "")


def _check(
    option: str,
    place: str,
    value: float | None,
    limit: float,
    words: str,
    *,
    is_ceiling: bool,
    why_not: str,
    metric: Metric,
) -> LimitCheck:
    if value is None:
        reason = why_not or "not enough data"
        return LimitCheck(option, place, None, _NOT_SHOWN, f"{place}: {words}: cannot be shown ({reason})")
    over = value - limit if is_ceiling else limit - value
    relation = "at most" if is_ceiling else "at least"
    number = difference_in_unit(value / metric.scale, metric).removeprefix("+")
    is_rounded = metric.unit == "%" and (abs(over) >= 0.05 or abs(over) <= ROUNDING)
    shown = number if is_rounded else f"{value:.6g}"
    return LimitCheck(option, place, value, over, f"{place}: {words} {shown}, limit: {relation} {limit:g}")


def _located(
    check: LimitCheck, measured: Finding | None, row: StatisticsRow | ComparisonRow, group: str, num_fewshot: int
) -> LimitCheck:
    """The check with what was measured and where, as rows of results name them."""
    place = place_of(row.level, row.name, row.category, group)
    return replace(check, measured=measured, of=place, num_fewshot=num_fewshot)


def _value(finding: Finding | None, how: _How, *, is_ceiling: bool) -> float | None:
    if finding is None:
        return None
    value = finding.estimate if how.on is On.ESTIMATE else finding.high if is_ceiling else finding.low
    return scaled(value, how.metric.scale)


def _rows(tasks: Sequence[_Row], categories: Sequence[_Row], overall: _Row, at: Level) -> Sequence[_Row]:
    return {Level.TASK: tasks, Level.CATEGORY: categories, Level.OVERALL: (overall,)}[at]


def _is_lone(row: StatisticsRow, group: str, grids: Iterable[TaskGrid]) -> bool:
    """Whether no task of the row has two wordings of the group."""
    own = {Level.TASK: "task", Level.CATEGORY: "category"}
    inside = (grid for grid in grids if row.level is Level.OVERALL or getattr(grid, own[row.level]) == row.name)
    return all(grid.groups.count(group) < 2 for grid in inside)


def _place(row: StatisticsRow) -> str:
    return printable(row.name)


def _shots(num_fewshot: int, several: int) -> str:
    return f" ({num_fewshot}-shot)" if several > 1 else ""


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _without_controls(run: Run, grids: Sequence[TaskGrid]) -> list[TaskGrid]:
    from phraseproof.analysis.controls import CONTROLS
    from phraseproof.analysis.grids import group_relations

    relations = group_relations(run)
    kept: list[TaskGrid] = []
    for grid in grids:
        rows = [n for n, group in enumerate(grid.groups) if relations.get(group) not in CONTROLS]
        if rows:
            kept.append(grid.take(rows))
    if not kept:
        raise UsageError("the run holds nothing but control wordings", where=run.name)
    return kept


def _require_finished(run: Run) -> None:
    if run.missing:
        raise RunError(
            f"{len(run.missing)} of {len(run.cells)} cells are missing: a gate needs a complete run",
            where=run.name,
            hint="Run `phraseproof evaluate` again to finish it",
        )
