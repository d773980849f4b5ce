"""Estimates of a run that scored a share of its grid, in every format, and always called estimates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.answers import TaskAnswers
from phraseproof.analysis.estimators.sample_size import sample_size_check
from phraseproof.analysis.estimators.task_estimates import QUANTILES, GroupEstimate, TaskEstimate, over_tasks
from phraseproof.analysis.result_rows import scaled
from phraseproof.core import Finding
from phraseproof.reports.build.answers import at_shots
from phraseproof.reports.build.numbers import (
    NO_DATA,
    difference_in_unit,
    difference_with_unit,
    unit_name,
    value_in_unit,
)
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.runs import EstimatedRun
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.answers_json import answers_json
from phraseproof.reports.format.answers_text import baselines, constants
from phraseproof.reports.format.csv_rows import CsvCell, render_rows
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.latex import escape, floating_table, row_line
from phraseproof.reports.format.markdown import escape as markdown_escape
from phraseproof.reports.format.markdown import table_lines
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.scoring.metric import Metric

_LEGEND = (
    "estimated {} in {}, with 95% intervals: mean and Std over wordings, then the wordings' 5%, 25%, 50%, 75% and 95% "
    "quantiles"
)
_HEADINGS = ("mean", "Std", *(f"{percent_}%" for percent_ in QUANTILES))
_NAME_WIDTH = 14
_CSV_COLUMNS = ("run", "model", "num_fewshot", "task", "group", "statistic", "estimate", "low", "high", "n", "share")


def render_estimates(runs: Sequence[EstimatedRun], *, form: str, by_wording: bool, screen: Screen) -> str:
    """One block per run and number of demonstrations.

    Args:
        form: `text`, `json`, `csv`, `markdown` or `latex`.
        by_wording: one row per wording instead of one row per task and group.
        screen: where text is shown.
    """
    if form == "json":
        return render_document([_as_json(run) for run in runs], indent=1)
    if form == "csv":
        return _as_csv(runs, by_wording=by_wording)
    if form == "text":
        return _as_text(runs, by_wording=by_wording, screen=screen)
    write = _markdown if form == "markdown" else _latex
    return "\n".join(write(block) for run in runs for block in _blocks(run, by_wording=by_wording))


@dataclass(frozen=True, slots=True)
class _Block:
    """A titled table of strings; a cell is an estimate and its interval."""

    title: str
    path: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]
    run: EstimatedRun
    num_fewshot: int

    @property
    def answers(self) -> tuple[TaskAnswers, ...]:
        """Which answers were chosen in the tasks of the table."""
        return at_shots(self.run.answers, self.num_fewshot)

    @property
    def answer_lines(self) -> tuple[str, ...]:
        """What the answers show without their accuracy, the most important first."""
        return self.run.answer_lines(self.num_fewshot)


def _blocks(run: EstimatedRun, *, by_wording: bool) -> list[_Block]:
    blocks: list[_Block] = []
    for shots in dict.fromkeys(estimate.num_fewshot for estimate in run.estimates):
        tasks = [estimate for estimate in run.estimates if estimate.num_fewshot == shots]
        title = f"{run.model}, {shots}-shot, estimated from {_share(tasks)} of the grid"
        if by_wording:
            for task in tasks:
                for group in task.groups:
                    name = f"{title}: {task.task}, {group.group}"
                    headings = ("", "accuracy", "interval", "scored", "text")
                    blocks.append(_Block(name, run.path, headings, _wording_rows(run, task, group), (), run, shots))
            continue
        rows = [(*_name(task, group), *_cells(group, run.metric)) for task in _rows(tasks) for group in task.groups]
        # One line per task would hide the line over all tasks; programs get every difference.
        summarized = over_tasks(tasks) or tasks
        lines = [f"{task.task}: {_difference(found, run.metric)}" for task in summarized for found in task.differences]
        blocks.append(_Block(title, run.path, ("", "group", *_HEADINGS), tuple(rows), tuple(lines), run, shots))
    return blocks


def _rows(tasks: Sequence[TaskEstimate]) -> list[TaskEstimate]:
    return [*tasks, *over_tasks(tasks)]


def _share(tasks: Sequence[TaskEstimate]) -> str:
    low, high = min(task.share for task in tasks), max(task.share for task in tasks)
    same = f"{100 * low:.2g}" == f"{100 * high:.2g}"
    return f"{100 * high:.3g}%" if same else f"{100 * low:.2g}% to {100 * high:.2g}%"


def _name(task: TaskEstimate, group: GroupEstimate) -> tuple[str, str]:
    return printable(task.task), printable(f"{group.group} ({group.num_wordings})")


def _cells(group: GroupEstimate, metric: Metric) -> list[str]:
    found = [group.mean, group.std, *(group.quantiles.get(number) for number in QUANTILES)]
    return [_cell(finding, metric) for finding in found]


def _cell(finding: Finding | None, metric: Metric) -> str:
    return NO_DATA if finding is None else f"{value_in_unit(finding.estimate, metric)} ({_interval(finding, metric)})"


def _interval(finding: Finding, metric: Metric) -> str:
    assert finding.low is not None, "every estimate has an interval"
    assert finding.high is not None, "every estimate has an interval"
    return f"{value_in_unit(finding.low, metric)}-{value_in_unit(finding.high, metric)}"


def _difference(finding: Finding, metric: Metric) -> str:
    assert finding.low is not None, "every estimate has an interval"
    assert finding.high is not None, "every estimate has an interval"
    interval = f"95% interval {difference_in_unit(finding.low, metric)} to {difference_in_unit(finding.high, metric)}"
    return printable(f"{finding.name}: {difference_with_unit(finding.estimate, metric)}, {interval}")


def _wording_rows(run: EstimatedRun, task: TaskEstimate, group: GroupEstimate) -> tuple[tuple[str, ...], ...]:
    """Best first, as estimated."""
    ordered = sorted(group.wordings, key=lambda wording: (-wording.accuracy.estimate, wording.instruction))
    return tuple(
        (
            printable(wording.instruction),
            value_in_unit(wording.accuracy.estimate, run.metric),
            _interval(wording.accuracy, run.metric),
            f"{wording.accuracy.n:,}",
            printable(run.texts.get((task.task, wording.instruction), "")),
        )
        for wording in ordered
    )


def _as_text(runs: Sequence[EstimatedRun], *, by_wording: bool, screen: Screen) -> str:
    shown: list[RenderableType] = []
    for run in runs:
        for block in _blocks(run, by_wording=by_wording):
            shown += [Text(printable(block.title), style="bold"), Text(printable(block.path), style="dim")]
            shown += [Text(printable(run.settings), style="dim")] if run.settings else []
            shown += constants(block.answers)
            shown.append(_text_table(block, by_wording=by_wording, width=screen.width))
            shown += baselines(block.answers, run.metric)
            shown += [] if by_wording else [Text(_legend(run.metric), style="dim")]
            shown += [*map(Text, block.lines), Text()]
    return print_blocks(shown, screen)


def _text_table(block: _Block, *, by_wording: bool, width: int) -> RenderableType:
    if by_wording:
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", expand=True)
        for place, heading in enumerate(block.headings):
            if place in {0, 4}:
                table.add_column(heading, ratio=1 if place == 0 else 2, no_wrap=place == 4, overflow="fold")
            else:
                table.add_column(heading, justify="right", no_wrap=True)
        for row in block.rows:
            *rest, text = row
            table.add_row(*map(Text, rest), Text(text, style="dim", no_wrap=True, overflow="ellipsis"))
        return table
    halves = [[cell.replace(" (", "\n").removesuffix(")") for cell in row[2:]] for row in block.rows]
    widest = sum(
        max(cell_len(part) for row in halves for part in row[place].split("\n")) for place in range(len(_HEADINGS))
    )
    group_width = max(cell_len(row[1]) for row in block.rows)
    if _NAME_WIDTH + group_width + widest + len(block.headings) + 1 <= width:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column(overflow="fold", min_width=_NAME_WIDTH)
        table.add_column(block.headings[1], no_wrap=True)
        for heading in _HEADINGS:
            table.add_column(heading, justify="right", no_wrap=True)
        for row, cells in zip(block.rows, halves, strict=True):
            shown = [_two_lines(cell) for cell in cells]
            table.add_row(Text(row[0]), Text(row[1]), *shown)
        return table
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for row in block.rows:
        table.add_row(Text(f"{row[0]}, {row[1]}", style="bold"), Text())
        for heading, cell in zip(_HEADINGS, row[2:], strict=True):
            if cell != NO_DATA or heading in {"mean", "Std"}:
                table.add_row(Text(f"  {heading}"), Text(cell))
    return table


def _legend(metric: Metric) -> str:
    return _LEGEND.format(metric.name, unit_name(metric))


def _two_lines(cell: str) -> Text:
    estimate, _, interval = cell.partition("\n")
    return Text.assemble(estimate, *([("\n" + interval, "dim")] if interval else []))


def _markdown(block: _Block) -> str:
    body = table_lines(
        list(map(markdown_escape, block.headings)),
        [list(map(markdown_escape, row)) for row in block.rows],
        right=range(1, len(block.headings)),
    )
    notes = [f"- {markdown_escape(text)}" for text in (*block.answer_lines, _legend(block.run.metric), *block.lines)]
    return "\n".join([f"### {markdown_escape(block.title)}", "", *body, "", *notes]) + "\n"


def _latex(block: _Block) -> str:
    caption = ". ".join([block.title, *block.answer_lines, _legend(block.run.metric), *block.lines]) + "."
    body = [r"\midrule", *(row_line(map(escape, row)) for row in block.rows)]
    return floating_table(caption, "ll" + "r" * (len(block.headings) - 2), list(map(escape, block.headings)), body)


def _as_csv(runs: Sequence[EstimatedRun], *, by_wording: bool) -> str:
    """One line an estimate, in percent with full precision."""
    return render_rows(_CSV_COLUMNS, (cells for run in runs for cells in _csv_rows(run, by_wording=by_wording)))


def _csv_rows(run: EstimatedRun, *, by_wording: bool) -> Iterator[dict[str, CsvCell]]:
    for task in _rows(run.estimates):
        for group in task.groups:
            found = [wording.accuracy for wording in group.wordings] if by_wording else _findings(group)
            for finding in found:
                numbers = [scaled(value, 100) for value in (finding.estimate, finding.low, finding.high)]
                name = [run.path, run.model, task.num_fewshot, task.task, group.group, finding.name]
                yield dict(zip(_CSV_COLUMNS, [*name, *numbers, finding.n, 100 * task.share], strict=True))


def _findings(group: GroupEstimate) -> list[Finding]:
    return [group.mean, *([group.std] if group.std else []), *group.quantiles.values()]


def _as_json(run: EstimatedRun) -> dict[str, object]:
    return {
        "run": run.path,
        "model": run.model,
        "estimated": True,
        "covariates": run.covariates,
        "too_few_cells": _sample_size_json(run),
        "settings": run.settings or None,
        "answers": [{"num_fewshot": task.num_fewshot, **found} for task, found in _answers(run)],
        "tasks": [_task_json(task, run) for task in run.estimates],
        "over_tasks": [_task_json(task, run) for task in over_tasks(run.estimates)],
    }


def _answers(run: EstimatedRun) -> Iterator[tuple[TaskAnswers, dict[str, object]]]:
    yield from zip(run.answers, answers_json(run.answers), strict=True)


def _sample_size_json(run: EstimatedRun) -> dict[str, object] | None:
    found = sample_size_check(run.estimates)
    if found is None:
        return None
    fields = found._asdict()
    return fields | {
        "error": 100 * fields.pop("error"),
        "share_percent": 100 * fields.pop("share"),
    }


def _task_json(task: TaskEstimate, run: EstimatedRun) -> dict[str, object]:
    return {
        "task": task.task,
        "category": task.category,
        "num_fewshot": task.num_fewshot,
        "share_percent": 100 * task.share,
        "scored": task.scored,
        "groups": {
            group.group: {
                "num_wordings": group.num_wordings,
                "mean": _finding_json(group.mean),
                "std": None if group.std is None else _finding_json(group.std),
                "quantiles": {str(number): _finding_json(finding) for number, finding in group.quantiles.items()},
                "wordings": [
                    {
                        "instruction": wording.instruction,
                        "text": run.texts.get((task.task, wording.instruction)),
                        **_finding_json(wording.accuracy),
                        "scored": wording.accuracy.n,
                        "observed_mean": scaled(wording.observed_mean, 100),
                    }
                    for wording in group.wordings
                ],
            }
            for group in task.groups
        },
        "differences": {finding.name: _finding_json(finding) for finding in task.differences},
        "method": task.groups[0].mean.method,
    }


def _finding_json(finding: Finding) -> dict[str, float | None]:
    return {name: scaled(getattr(finding, name), 100) for name in ("estimate", "low", "high")}
