"""A live choice as rows, sentences, text and JSON."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.result_rows import Place, RowSource, finding_row
from phraseproof.analysis.results import WORDING, ResultRow, ResultTable
from phraseproof.core import Finding
from phraseproof.reduction.live_choice import LiveChoice
from phraseproof.reports.build.numbers import unit_sign, value_in_unit, value_with_unit
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.results import results_json
from phraseproof.reports.format.terminal import print_blocks

FORMAT_VERSION = 1

_SHOWN_WORDINGS = 10


def live_results(choice: LiveChoice) -> ResultTable:
    """The chosen wording's value on held-out examples, and what the search saw of every wording."""
    return ResultTable(tuple(_rows(choice)), tuple(live_sentences(choice)))


def _rows(choice: LiveChoice) -> Iterator[ResultRow]:
    source = RowSource(str(choice.run.path), choice.num_fewshot, choice.run.scoring, choice.metric)
    unit = source.unit("mean")
    best = choice.best
    place = Place(Level.TASK, choice.category, choice.task, choice.groups[best], choice.wordings[best])
    method = "mean over held-out examples; Clopper and Pearson's interval"
    value = Finding("corrected", choice.value, choice.held_out, method, choice.low, choice.high)
    yield finding_row(source, place, "corrected", value, unit)
    bound = Finding("bound", choice.at_least, choice.held_out, "one-sided 95% bound on held-out examples")
    yield finding_row(source, place, _bound_name(choice), bound, unit)
    for row in _order(choice):
        at = place._replace(level=WORDING, group=choice.groups[row], wording=choice.wordings[row])
        method = f"mean in the search by {choice.settings.strategy}, not corrected for the choice"
        seen = Finding("observed", float(choice.means[row]), int(choice.counts[row]), method)
        yield finding_row(source, at, "observed", seen, unit)


def _order(choice: LiveChoice) -> list[int]:
    """The chosen wording, then the others: those that stayed longest first, and the better ones of these."""
    keys = [
        (row != choice.best, -int(choice.counts[row]), -choice.metric.benefit(float(choice.means[row])), row)
        for row in range(len(choice.wordings))
    ]
    return [key[-1] for key in sorted(keys)]


def _bound_name(choice: LiveChoice) -> str:
    return "at least" if choice.metric.higher_is_better else "at most"


def live_sentences(choice: LiveChoice) -> list[str]:
    """What the choice means, in sentences."""
    low, high = (value_in_unit(value, choice.metric) for value in (choice.low, choice.high))
    count, whole = len(choice.wordings), int(choice.counts.max())
    value = (
        f"{choice.task}: {printable(choice.wordings[choice.best])}, chosen by {choice.settings.strategy} among {count} "
        f"wordings: {value_with_unit(choice.value, choice.metric)} on {choice.held_out:,} examples that the search did "
        f"not see (95% interval {low} to {high}), {_bound_name(choice)} "
        f"{value_with_unit(choice.at_least, choice.metric)} with 95%."
    )
    calls = (
        f"{choice.spent:,} calls, where all wordings on these {whole + choice.held_out:,} examples take "
        f"{count * (whole + choice.held_out):,}. With a larger --budget-calls the same command "
        "uses the stored answers."
    )
    left = int(choice.maybe_best.sum())
    comparison = (
        f"The search has not shown any of the {count} wordings to be worse than another."
        if left == count
        else f"The search has shown {count - left} of {count} wordings to be worse than another; with 95% a best "
        f"wording is among the other {left}."
    )
    return [value, comparison, calls]


def render_live_text(choice: LiveChoice, screen: Screen) -> str:
    """A table of the wordings that stayed longest, and the sentences."""
    return print_blocks(_blocks(choice), screen)


def _blocks(choice: LiveChoice) -> Iterator[RenderableType]:
    title = f"{choice.task}, {choice.num_fewshot}-shot: {len(choice.wordings)} wordings, {choice.spent:,} calls"
    yield Text(printable(title), style="bold")
    how = f"by {choice.settings.strategy} in {choice.rounds} round{'' if choice.rounds == 1 else 's'}"
    dropped = "" if choice.alive.all() else "; wordings with fewer examples were dropped earlier"
    yield Text(printable(f"{choice.run.path}; {how}{dropped}"), style="dim")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("wording", overflow="fold")
    for heading in ("examples", f"in the search ({unit_sign(choice.metric)})", "held out"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in _order(choice)[:_SHOWN_WORDINGS]:
        is_best = row == choice.best
        cells = [printable(choice.wordings[row]), f"{choice.counts[row]:,}"]
        cells += [value_in_unit(float(choice.means[row]), choice.metric)]
        cells += [value_in_unit(choice.value, choice.metric) if is_best else ""]
        table.add_row(*(Text(cell, style="" if choice.alive[row] else "dim") for cell in cells))
    hidden = len(choice.wordings) - _SHOWN_WORDINGS
    if hidden > 0:
        table.add_row(Text(f"{hidden:,} more in the other formats", style="dim"))
    yield table
    for line in live_sentences(choice):
        yield Text(printable(line))


def render_live_json(choice: LiveChoice) -> str:
    """`{"format_version", "choice": {...}, "results": {"rows": [...], "notes": [...]}}`; values as they are stored."""
    settings = choice.settings
    document = {
        "format_version": FORMAT_VERSION,
        "choice": {
            "run": str(choice.run.path),
            "task": choice.task,
            "metric": choice.metric.name,
            "strategy": settings.strategy.value,
            "budget_calls": settings.calls,
            "calls": choice.spent,
            "chosen": choice.wordings[choice.best],
            "held_out_examples": choice.held_out,
            "value": choice.value,
            "low": choice.low,
            "high": choice.high,
            "bound": choice.at_least,
            "bound_is": _bound_name(choice),
            "maybe_best": [choice.wordings[row] for row in map(int, np.flatnonzero(choice.maybe_best))],
            "meaning": live_sentences(choice),
        },
        "results": results_json(live_results(choice)),
    }
    return render_document(document)
