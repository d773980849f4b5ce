"""A choice as text for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.selection.stored import StoredChoice
from phraseproof.reports.build.choice import ChoiceReport, bound_name, choice_results, sentences, what_is_compared
from phraseproof.reports.build.numbers import p_value, unit_sign, value_in_unit
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.results import results_json
from phraseproof.reports.format.terminal import print_blocks

FORMAT_VERSION = 1

_SHOWN_WORDINGS = 10


def render_text(reports: Sequence[ChoiceReport], screen: Screen) -> str:
    """For each choice a table of the best wordings and the sentences that say what it means."""
    blocks = [block for report in reports for block in (*_blocks(report), Text())]
    return print_blocks(blocks, screen)


def _blocks(report: ChoiceReport) -> Iterator[RenderableType]:
    choice = report.choice
    tasks = choice.tasks[0] if len(choice.tasks) == 1 else f"One wording for {len(choice.tasks)} tasks"
    size = f"{len(choice.wordings)} wordings, {choice.found.examples:,} examples"
    yield Text(printable(f"{tasks}, {choice.num_fewshot}-shot: {size}"), style="bold")
    yield Text(printable(f"{report.run}; by {what_is_compared(choice)}"), style="dim")
    yield _table(choice)
    for line in (*sentences(choice), *choice.notes):
        yield Text(printable(line))


def _table(choice: StoredChoice) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("wording", overflow="fold")
    for heading in (f"observed ({unit_sign(choice.metric)})", bound_name(choice), "best?"):
        table.add_column(heading, justify="right", no_wrap=True)
    if choice.costs is not None:
        table.add_column("tokens", justify="right", no_wrap=True)
    found = choice.found
    for row in map(int, found.order[:_SHOWN_WORDINGS]):
        values = [choice.in_metric(float(each[row])) for each in (found.values, found.at_least)]
        cells = [printable(choice.wordings[row]), *(value_in_unit(value, choice.metric) for value in values)]
        p = float(found.p_values[row])
        cells.append("chosen" if row == found.best else "maybe" if found.maybe_best[row] else f"no, {p_value(p)}")
        cells += [] if choice.costs is None else [f"{choice.costs[row]:.0f}"]
        style = "" if found.maybe_best[row] else "dim"
        table.add_row(*(Text(cell, style=style) for cell in cells))
    hidden = len(found.order) - _SHOWN_WORDINGS
    if hidden > 0:
        table.add_row(Text(f"{hidden:,} more in the other formats", style="dim"))
    return table


def render_json(reports: Sequence[ChoiceReport]) -> str:
    """`{"format_version", "choices": [...], "results": {"rows": [...], "notes": [...]}}`; values as they are stored."""
    document = {
        "format_version": FORMAT_VERSION,
        "choices": [_choice(report) for report in reports],
        "results": results_json(choice_results(reports)),
    }
    return render_document(document)


def _choice(report: ChoiceReport) -> dict[str, object]:
    choice, found = report.choice, report.choice.found
    best = found.best
    low, high = sorted(choice.in_metric(float(bound[best])) for bound in (found.low, found.high))
    return {
        "run": report.run,
        "tasks": list(choice.tasks),
        "num_fewshot": choice.num_fewshot,
        "metric": choice.metric.name,
        "criterion": choice.objective.criterion.value,
        "blocks": list(choice.blocks),
        "chosen": choice.wordings[best],
        "observed": choice.in_metric(float(found.values[best])),
        "corrected": choice.in_metric(found.corrected),
        "low": low,
        "high": high,
        "bound": choice.in_metric(float(found.at_least[best])),
        "bound_is": bound_name(choice),
        "examples": found.examples,
        "p_equal": found.p_equal,
        "maybe_best": [choice.wordings[row] for row in found.order if found.maybe_best[row]],
        "shortest": None if choice.cheapest is None else choice.wordings[choice.cheapest],
        "meaning": sentences(choice),
        "notes": list(choice.notes),
    }
