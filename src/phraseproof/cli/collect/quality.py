"""`phraseproof collect quality`: measure wordings per author and task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.collect.arguments import (
    WORDINGS,
    Folder,
    Kind,
    StatusChoice,
    kinds_of,
    open_project,
    statuses_of,
    warn_of_left_out,
)

if TYPE_CHECKING:
    from rich.table import Table

    from phraseproof.collect.quality import AuthorAnswers, AuthorPair, AuthorTexts, CollectQuality, Unusual
    from phraseproof.scoring.metric import Metric

_ALL = "all authors"


def quality(
    folder: Folder,
    seeds: Annotated[
        list[str] | None,
        typer.Option(
            "--seeds", metavar="COLLECTION", help="A collection to compare with; repeatable.", rich_help_panel=WORDINGS
        ),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="A run folder of the exported wordings: adds a model's answers.", rich_help_panel=WORDINGS),
    ] = None,
    kind: Kind = "both",
    status: Annotated[
        StatusChoice,
        typer.Option(help="Wordings in this state; all is every state but draft.", rich_help_panel=WORDINGS),
    ] = "all",
    as_json: options.AsJson = False,
) -> None:
    """Count wordings per author and task, with their length and similarity (ROUGE-2), and list unusual ones.

    With --run, also how a model's answers agree between authors.
    """
    from phraseproof.analysis.grids import metric_of
    from phraseproof.collect.export import collected_instructions
    from phraseproof.collect.project_tasks import load_project_tasks
    from phraseproof.collect.quality import quality_of
    from phraseproof.instructions.collections import load_collection
    from phraseproof.store.queries import load_run

    with open_project(folder) as store:
        tasks = load_project_tasks(store.project, warn=terminal.warn)
        exported = collected_instructions(
            store, tasks, name="collected", kinds=kinds_of(kind), statuses=statuses_of(status)
        )
    warn_of_left_out(exported.left_out)
    opened = None if run is None else load_run(run)
    found = quality_of(
        exported,
        tasks,
        seeds=[load_collection(name) for name in seeds or ()],
        run=opened,
    )
    if as_json:
        _print_json(found)
        return
    _print_texts(found.texts)
    scale = 100.0
    if opened is not None:
        metric = metric_of(opened)
        scale = metric.scale
        _print_answers(found.answers, metric)
        _print_extreme_pairs(found.pairs)
    _print_unusual(found.unusual, scale)
    for note in found.notes:
        terminal.note(note)


def _print_json(found: CollectQuality) -> None:
    value = {
        "texts": [{**asdict(each), "length": each.length._asdict()} for each in found.texts],
        "answers": [asdict(each) for each in found.answers],
        "pairs": [each._asdict() for each in found.pairs],
        "unusual": [each._asdict() for each in found.unusual],
        "notes": list(found.notes),
    }
    terminal.print_json(value, indent=1)


def _print_texts(rows: Sequence[AuthorTexts]) -> None:
    table = _table("zero", "few", "words", "seeds", "own", "others", "nearest")
    for each in rows:
        std = "" if each.length.std is None else f" ± {each.length.std:.1f}"
        likenesses = (each.rouge2_seeds, each.rouge2_own, each.rouge2_others, each.nearest)
        table.add_row(
            each.task,
            _ALL if each.author is None else each.author,
            *(str(count) for count in each.counts.values()),
            f"{each.length.mean:.1f}{std}",
            *(_percent(value) for value in likenesses),
        )
    terminal.console().print(table)
    terminal.print_result(
        "zero, few: wordings by table; words: per wording, mean ± Std. ROUGE-2 (%): with seeds, among own wordings,\n"
        "with other authors' wordings, with the nearest of those.\n"
    )


def _print_answers(rows: Sequence[AuthorAnswers], metric: Metric) -> None:
    table = _table("shots", "wordings", "score", "agreement", "kappa")
    for each in rows:
        table.add_row(
            each.task,
            _ALL if each.author is None else each.author,
            str(each.num_fewshot),
            str(each.wordings),
            f"{metric.scale * each.score:.1f}",
            _percent(each.agreement),
            "-" if each.kappa is None else f"{each.kappa:.2f}",
        )
    terminal.console().print(table)
    unit = f" ({metric.unit})" if metric.unit else ""
    terminal.print_result(
        f"Score: mean {metric.name}{unit}. Agreement (%): the same answers as under other authors' wordings.\n"
    )


def _print_extreme_pairs(pairs: Sequence[AuthorPair]) -> None:
    """Of each task with three authors or more, the two who agree least and most; --json has all pairs."""
    for task, shots in dict.fromkeys((each.task, each.num_fewshot) for each in pairs):
        of_task = sorted((each for each in pairs if (each.task, each.num_fewshot) == (task, shots)), key=_agreement_of)
        if len(of_task) > 1:
            least, most = (
                f"{each.first} and {each.second} {_percent(each.agreement)} %" for each in (of_task[0], of_task[-1])
            )
            terminal.print_result(f"{task}, {shots} shots: least agreement {least}, most {most}\n")


def _agreement_of(pair: AuthorPair) -> float:
    return pair.agreement


def _print_unusual(found: Sequence[Unusual], scale: float) -> None:
    if not found:
        terminal.print_result("No wording is unusual.\n")
        return
    terminal.print_result("To look at:\n")
    for each in found:
        value, limit = (number * (scale if each.what == "score" else 100) for number in (each.value, each.limit))
        what = {
            "length": f"{each.value:.0f} words (limit {each.limit:.1f})",
            "near-duplicate": f"ROUGE-2 of {value:.0f} with {each.other}",
            "agreement": f"the same answers as other wordings: {value:.1f} % (limit {limit:.1f})",
            "score": f"score: {value:.1f} (limit {limit:.1f})",
        }[each.what]
        terminal.print_result(f"  {each.instruction} ({each.wording_id}): {what}\n")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("task", "author"):
        table.add_column(name, overflow="fold", min_width=11)
    for name in columns:
        table.add_column(name, justify="right")
    return table
