"""An analysis for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.controls import Conclusion
from phraseproof.analysis.estimators.measures import STATISTICS
from phraseproof.analysis.result_rows import SHARES
from phraseproof.analysis.scaling import Scaling
from phraseproof.analysis.statistics import StatisticsRow
from phraseproof.core import Finding
from phraseproof.reports.build.numbers import (
    NO_DATA,
    difference_in_unit,
    difference_with_unit,
    p_value,
    share_in_percent,
    short_difference_unit,
    unit_name,
    value_in_unit,
)
from phraseproof.reports.build.run_analysis import (
    LABELS,
    Against,
    Fitted,
    GroupTest,
    NotEstimable,
    RunAnalysis,
)
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.answers_text import baselines, constants
from phraseproof.reports.format.causes_text import cause_summary
from phraseproof.reports.format.facets_text import facet_summary
from phraseproof.reports.format.quality_text import quality_table
from phraseproof.reports.format.scorers_text import scorer_summary
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.scoring.metric import Metric

_LEGEND = (
    "with 95% intervals over wordings and examples; of worst, best, range and flips over examples, for these"
    " wordings. Kappa is between -1 and 1"
)
_WORDS = {
    Conclusion.READING: "green",
    Conclusion.NOT_READING: "red",
    Conclusion.UNCLEAR: "yellow",
    Conclusion.AT_CHANCE: "yellow",
}
_SHOWN = 20


def render(
    analyses: Sequence[RunAnalysis], screen: Screen, *, by_task: bool = False, scaling: Scaling | None = None
) -> str:
    """For each run and number of demonstrations: statistics, tests, controls, variances and notes.

    Args:
        by_task: every task and category too, not only the last row.
        scaling: a regression over the runs, shown last.
    """
    blocks: list[RenderableType] = []
    for found in analyses:
        blocks.append(Text(printable(f"{found.model}, {found.num_fewshot}-shot"), style="bold"))
        blocks.append(Text(printable(found.path), style="dim"))
        blocks += [Text(printable(found.settings), style="dim")] if found.settings else []
        blocks += [*constants(found.answers), *baselines(found.answers, found.metric), Text()]
        for row in found.rows if by_task else found.rows[-1:]:
            blocks += [*_statistics(row, found.robustness.groups, found.metric, screen), Text()]
            blocks += quality_table(found.quality, row)
        blocks += [Text(printable(_legend(found.metric)), style="dim"), Text()]
        for test in found.tests:
            blocks += [*_test(test, found.metric), Text()]
        blocks += _verdicts(found, by_task)
        blocks += cause_summary(found.causes, by_task=by_task)
        blocks += scorer_summary(found.scorers, by_task=by_task)
        blocks += facet_summary(found.facets, found.metric, by_task=by_task)
        blocks += _variance_lines(found)
        blocks += _mixed_lines(found.mixed)
        for against in found.against:
            blocks += _against(against, found.metric)
        blocks += [Text(printable(f"Note: {note}"), style="yellow") for note in (*found.quality.notes, *found.remarks)]
        blocks.append(Text())
    if scaling is not None:
        blocks += _scaling_lines(scaling, analyses[0].metric)
    return print_blocks(blocks, screen)


def _legend(metric: Metric) -> str:
    shares = "" if metric.unit == "%" else "; examples that flip and pairs that differ are in percent"
    return f"{unit_name(metric)}, {_LEGEND}{shares}"


def _statistics(row: StatisticsRow, groups: Sequence[str], metric: Metric, screen: Screen) -> list[RenderableType]:
    """One or several tables, each with as many groups as fit next to one another."""
    present = [group for group in groups if group in row.groups]
    names = [name for name in STATISTICS if any(name in row.groups[group].findings for group in present)]
    cells = {group: [_cell(name, row.groups[group].findings.get(name), metric) for name in names] for group in present}
    label_width = max(len(LABELS[name]) for name in STATISTICS)
    blocks: list[RenderableType] = [Text(printable(row.name), style="bold")]
    remaining = present
    while remaining:
        chunk: list[str] = []
        width = label_width + 1
        for group in remaining:
            width += 2 + max(map(cell_len, [printable(group), *cells[group]]))
            if chunk and width > screen.width:
                break
            chunk.append(group)
        remaining = remaining[len(chunk) :]
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column(no_wrap=True)
        for group in chunk:
            table.add_column(Text(printable(group)), justify="right", overflow="fold")
        for number, name in enumerate(names):
            table.add_row(Text(LABELS[name]), *(Text(cells[group][number]) for group in chunk))
        blocks += [table] if not remaining else [table, Text()]
    blocks += [
        Text(printable(f"{', '.join(map(LABELS.__getitem__, labels))}: not enough data, {reason}"), style="dim")
        for reason, labels in _missing(row, present).items()
    ]
    return blocks


def _missing(row: StatisticsRow, groups: Sequence[str]) -> dict[str, list[str]]:
    """By reason the statistics that no group has, and whose lack is the same everywhere."""
    missing: dict[str, list[str]] = {}
    for name in STATISTICS:
        reasons = {row.groups[group].why_not.get(name) for group in groups}
        if len(reasons) == 1 and (reason := reasons.pop()) is not None:
            missing.setdefault(reason, []).append(name)
    return missing


def _cell(name: str, found: Finding | None, metric: Metric) -> str:
    if found is None:
        return NO_DATA

    def show(value: float) -> str:
        if name == "kappa":
            return f"{value:.2f}"
        return share_in_percent(value) if name in SHARES else value_in_unit(value, metric)

    if found.low is None or found.high is None:
        return show(found.estimate)
    return f"{show(found.estimate)} [{show(found.low)}, {show(found.high)}]"


def _test(test: GroupTest, metric: Metric) -> list[RenderableType]:
    same = test.equivalence
    if isinstance(same, NotEstimable):
        held = f"equivalence: {same.reason}"
    else:
        margin = f"{metric.scale * same.margin:g} {short_difference_unit(metric)}"
        held = f"to within {margin}: {same.word.value} ({p_value(same.p_value)}, two one-sided tests)"
    return [
        Text(printable(f"{test.group} minus {test.reference}"), style="bold"),
        _indented(f"on these tasks: {_sentence(test.over_wordings, metric)}"),
        _indented(f"over tasks: {_sentence(test.over_tasks, metric)}"),
        _indented(f"over tasks: {_sentence(test.permutation, metric)}"),
        _indented(held),
    ]


def _indented(line: str, style: str = "") -> RenderableType:
    return Padding(Text(printable(line), style=style), (0, 0, 0, 2))


def _sentence(found: Finding | NotEstimable, metric: Metric) -> str:
    if isinstance(found, NotEstimable):
        return f"not enough data, {found.reason}"
    parts = [f"{difference_with_unit(found.estimate, metric)}"]
    if found.low is not None and found.high is not None:
        parts.append(
            f"95% interval {difference_in_unit(found.low, metric)} to {difference_in_unit(found.high, metric)}"
        )
    if found.p_value is not None:
        parts.append(p_value(found.p_value))
    return f"{', '.join(parts)} ({found.method}; n = {found.n:,})"


def _verdicts(found: RunAnalysis, by_task: bool) -> list[RenderableType]:
    blocks: list[RenderableType] = []
    for result in found.control_results:
        if result.task is not None and not by_task and len(found.robustness.tasks) > 1:
            continue
        place = f" on {result.task}" if result.task else ""
        kind = "" if result.group == result.relation.value else f" ({result.relation.value})"
        line = Text.assemble(
            printable(f"{result.group}{kind}{place}"), ": ", (result.word.value, f"bold {_WORDS[result.word]}"), ", "
        )
        line.append(printable(result.reason))
        if result.finding is not None:
            line.append(f": {_interval(result.finding, found.metric)}")
        # From two tasks alone, a p-value says nothing.
        over = result.over_tasks
        if over is not None and over.p_value is not None and over.n > 2:
            line.append(
                f"; over {over.n} tasks {difference_with_unit(over.estimate, found.metric)}, {p_value(over.p_value)}"
            )
        blocks.append(Padding(line, (0, 0, 0, 2)))
    return [Text("Does the model read its instruction?", style="bold"), *blocks, Text()] if blocks else []


def _interval(found: Finding, metric: Metric) -> str:
    estimate = difference_with_unit(found.estimate, metric)
    if found.low is None or found.high is None:
        return estimate
    return f"{estimate} [{difference_in_unit(found.low, metric)}, {difference_in_unit(found.high, metric)}]"


def _variance_lines(found: RunAnalysis) -> list[RenderableType]:
    known = [each for each in found.variances if not isinstance(each.components, NotEstimable)]
    if not known:
        return []
    blocks: list[RenderableType] = [Text("Parts of the variance of single answers", style="bold")]
    for each in known:
        assert not isinstance(each.components, NotEstimable)
        shares = each.components.shares
        if not any(shares):
            blocks.append(_indented(f"{each.group}: no answer differs"))
            continue
        blocks.append(_indented(f"{each.group}: {_shares(*shares)}"))
        if each.sizes and found.difference is not None:
            sizes = "; ".join(f"{size.wordings} wordings, {size.examples:,} examples" for size in each.sizes)
            difference = f"{found.metric.scale * found.difference:g} {short_difference_unit(found.metric)}"
            what = f"to see {difference} between two such groups (power 0.8), for each task"
            blocks.append(_indented(f"{what}: {sizes}", "dim"))
    if found.difference is None:
        reason = f"the metric {found.metric.name!r} has no margin; give a difference with --difference"
        blocks.append(_indented(f"numbers of wordings and examples to detect a difference: n/a, {reason}", "dim"))
    return [*blocks, Text()]


def _shares(wording: float, example: float, interaction: float) -> str:
    named = (("wording", wording), ("example", example), ("their interaction", interaction))
    return ", ".join(f"{name} {share_in_percent(share)}%" for name, share in named)


def _mixed_lines(fitted: Sequence[Fitted]) -> list[RenderableType]:
    if not fitted:
        return []
    blocks: list[RenderableType] = [Text("Mixed-effects logistic model: shares on the log-odds scale", style="bold")]
    for each in fitted:
        name = f"{each.task}, {each.group}"
        if isinstance(each.shares, NotEstimable):
            blocks.append(_indented(f"{name}: {each.shares.reason}", "dim"))
            continue
        found = each.shares
        std = f"Std of wordings {found.wording_std:.2f} [{found.wording_low:.2f}, {found.wording_high:.2f}] log-odds"
        blocks.append(_indented(f"{name}: {_shares(found.wording, found.example, found.interaction)}; {std}"))
    return [*blocks, Text()]


def _against(found: Against, metric: Metric) -> list[RenderableType]:
    heading = Text(printable(f"Other wordings on {found.task} (McNemar; intervals alone, p after Holm)"), style="bold")
    if isinstance(found.tests, NotEstimable):
        return [heading, Text(printable(f"  {found.tests.reason}"), style="dim"), Text()]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    ordered = sorted(found.tests, key=lambda test: (test.p_holm, test.finding.estimate))
    for test in ordered[:_SHOWN]:
        table.add_row(
            Text(_interval(test.finding, metric)), Text(p_value(test.p_holm)), Text(printable(test.instruction))
        )
    more = [Text(f"  and {len(ordered) - _SHOWN} more (--json has all)", style="dim")] if len(ordered) > _SHOWN else []
    return [heading, table, *more, Text()]


def _scaling_lines(found: Scaling, metric: Metric) -> list[RenderableType]:
    slope = found.slope
    models = len({point.parameters for point in found.points})
    assert slope.p_value is not None
    if found.per_tenfold:
        text = f"{difference_with_unit(slope.estimate, metric)} a tenfold of parameters"
        interval = (
            ""
            if slope.low is None or slope.high is None
            else f" [{difference_in_unit(slope.low, metric)}, {difference_in_unit(slope.high, metric)}]"
        )
    else:
        text, interval = f"{slope.estimate:.3g} a parameter", f" [{slope.low:.3g}, {slope.high:.3g}]"
    return [
        Text("Does the gap shrink with size?", style="bold"),
        _indented(
            f"the gap (first group minus second) changes by {text}{interval}, {p_value(slope.p_value)},"
            f" R² = {found.r_squared:.3f} ({slope.method}; {len(found.points)} tasks of models of {models} sizes)"
        ),
        Text(),
    ]
