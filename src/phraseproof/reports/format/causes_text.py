"""The causes of the spread for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.causes.run import RunCauses
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.analysis.causes.spread import SpreadCauses
from phraseproof.reports.build.causes import CAUSE_NAMES, LEGEND, CausesReport, main_causes, shown_shares
from phraseproof.reports.build.numbers import NO_DATA, p_number, share_with_interval
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.scorers_text import scorer_blocks
from phraseproof.reports.format.terminal import print_blocks

_FEW_TASKS = 1
_LEAST_NAME = 20
_EFFECTS = (
    "accuracy; accuracy without the prior, which is estimated on other examples; p of no skill, after Holm's "
    "correction; effects of the causes in points, against the mean of the wordings"
)


def render(reports: Sequence[CausesReport], screen: Screen, *, by_wording: bool = False) -> str:
    """For each run and number of demonstrations: the shares of the causes by task, and a sentence for each.

    Args:
        by_wording: also what moves the accuracy of every wording.
    """
    blocks: list[RenderableType] = []
    for report in reports:
        blocks.append(Text(printable(f"{report.model}, {report.num_fewshot}-shot"), style="bold"))
        blocks.append(Text(printable(report.path), style="dim"))
        blocks += [Text(printable(report.settings), style="dim")] if report.settings else []
        blocks += [Text(), *cause_blocks(report.causes), Text()]
        if by_wording:
            for task in report.causes.tasks:
                blocks += [Text(printable(task.task), style="bold"), _wordings(task), Text()]
            blocks += [Text(_EFFECTS, style="dim"), Text()] if report.causes.tasks else []
        blocks += scorer_blocks(report.scorers)
    return print_blocks(blocks, screen)


def cause_blocks(causes: RunCauses) -> list[RenderableType]:
    """A table of shares by task with its legend, a sentence for each task, and why others have none."""
    blocks: list[RenderableType] = []
    if any(task.is_beyond_chance for task in causes.tasks):
        blocks += [_shares(causes.tasks), Text(LEGEND, style="dim"), Text()]
    for task in causes.tasks:
        name = f"{printable(task.task)}: " if len(causes.tasks) > 1 else ""
        blocks.append(
            Padding(Text.assemble((name, "bold"), printable(cause_sentence(task))), (0, 0, 0, 2), expand=False)
        )
    return [*blocks, *(Text(printable(note), style="yellow") for note in causes.notes)]


def cause_summary(causes: RunCauses, *, by_task: bool) -> list[RenderableType]:
    """The causes below a heading: of every task, or of a few; else how many tasks have which."""
    if by_task or len(causes.tasks) <= _FEW_TASKS:
        found = cause_blocks(causes)
    else:
        line = f"{main_causes(causes)} --by-task and `table --causes` show each task."
        found = [Padding(Text(line), (0, 0, 0, 2)), *(Text(printable(note), style="yellow") for note in causes.notes)]
    return [Text("Why accuracy differs between wordings", style="bold"), *found, Text()] if found else []


def _shares(tasks: Sequence[SpreadCauses]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(overflow="fold")
    table.add_column("Std", justify="right", no_wrap=True)
    names = shown_shares(tasks)
    for name in names:
        table.add_column(CAUSE_NAMES[name], justify="right")
    for task in tasks:
        shares = [share_with_interval(task.shares.get(name)) if task.is_beyond_chance else NO_DATA for name in names]
        table.add_row(Text(printable(task.task)), f"{100 * task.std:.1f}", *map(Text, shares))
    return table


def _wordings(task: SpreadCauses) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("wording", overflow="fold", min_width=_LEAST_NAME)
    for name in ("%", "without prior", "p", "prior", "skill", "both"):
        table.add_column(name, justify="right")
    order = sorted(range(len(task.wordings)), key=lambda row: -task.accuracy[row])
    for row in order:
        table.add_row(
            Text(printable(task.wordings[row])),
            f"{100 * task.accuracy[row]:.1f}",
            f"{100 * task.without_prior[row]:.1f}",
            p_number(float(task.skill_p[row])),
            *(f"{100 * effect:+.1f}" for effect in task.effects[:, row]),
        )
    return table
