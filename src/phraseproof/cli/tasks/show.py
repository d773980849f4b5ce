"""`phraseproof tasks show`: a task's size, options, balance, fields and first example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.completion import complete_tasks

if TYPE_CHECKING:
    from rich.console import Console

    from phraseproof.tasks.summary import TaskSummary


def show(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME_OR_FILE", help="A task's name, or its YAML file.", autocompletion=complete_tasks),
    ],
    data_dir: options.DataDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a task: its size, options, balance, fields and first example."""
    from phraseproof.tasks import load_tasks
    from phraseproof.tasks.summary import summarize

    summaries = [summarize(task) for task in load_tasks([name], data_dir=data_dir, warn=terminal.warn)]
    if as_json:
        terminal.print_json([summary.as_json() for summary in summaries], indent=2)
        return
    from rich.console import Console

    console = Console()  # wraps long fields at the width of the terminal
    for index, summary in enumerate(summaries):
        if index:
            console.print()
        _print_summary(console, summary)


def _print_summary(console: Console, summary: TaskSummary) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for label, text in (
        ("task", summary.name),
        ("kind", f"{summary.kind}, category {summary.category}"),
        ("source", summary.source),
        ("examples", f"{summary.examples}, and {summary.demonstrations} for demonstrations"),
        *_answer_lines(summary),
        ("fields", ", ".join(summary.fields)),
        ("also", "choices, letters and choice_count, in every template"),
    ):
        table.add_row(Text(label, style="bold"), Text(text))
    console.print(table)
    console.print(Text(f"\nfirst example, {summary.first.id}", style="bold"))
    grid = Table.grid(padding=(0, 2))
    for field, value in summary.first.fields.items():
        grid.add_row(Text(f"  {field}"), Text(str(value)))
    for choice, score in zip(summary.first.choices, summary.first.option_scores, strict=True):
        grid.add_row(Text("  choice"), Text(choice + (f"  <- {score:g}" if score else "")))
    for reference in summary.first.references:
        grid.add_row(Text("  reference"), Text(reference))
    console.print(grid)


def _answer_lines(summary: TaskSummary) -> list[tuple[str, str]]:
    """What right answers are: options with their balance, or references with their lengths."""
    if summary.reference_words is not None:
        low, middle, high = summary.reference_words
        counts = ", ".join(f"{size} in {count}" for size, count in summary.reference_counts.items())
        lines = [("references", f"{counts} examples; {low} to {high} words, median {middle:g}")]
        if summary.metric is not None:
            lines.append(("metric", summary.metric))
        ends = [f"before {text!r}" for text in summary.stop]
        ends += [] if summary.max_new_tokens is None else [f"after {summary.max_new_tokens} tokens"]
        return [*lines, ("answers end", ", ".join(ends))] if ends else lines
    options = ", ".join(f"{size} options in {count}" for size, count in summary.option_counts.items())
    balance = list(summary.balance.items())
    shown = ", ".join(f"{label} {count}" for label, count in balance[:12])
    rest = f", and {len(balance) - 12} more" if len(balance) > 12 else ""
    return [
        ("options", ", ".join(summary.labels) if summary.labels else options),
        ("right answers", f"{shown}{rest}; the most frequent is {summary.majority or 0:.1%}"),
    ]
