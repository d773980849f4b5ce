"""Scorers that were compared, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.causes.artefact import Artefact
from phraseproof.analysis.causes.artefact_sentence import artefact_sentence
from phraseproof.analysis.causes.run_scorers import RunScorers
from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.analysis.causes.scorers import PairSpread, ScorerSpread
from phraseproof.core import Finding
from phraseproof.reports.build.causes import ARTEFACTS_LEGEND, SCORERS_LEGEND
from phraseproof.reports.build.numbers import NO_DATA, share_with_interval, value_in_unit
from phraseproof.reports.build.text import printable
from phraseproof.scoring.accuracy import METRIC as ACCURACY

_FEW_TASKS = 3
_LEAST_NAME = 15
_LEAST_NUMBER = 6


def scorer_blocks(found: RunScorers) -> list[RenderableType]:
    """A heading, a table with a row for each task and scorer, a sentence for each task, and why others have none."""
    if not found.tasks and not found.notes:
        return []
    blocks: list[RenderableType] = [Text("The spread under every scoring", style="bold")]
    if any(task.is_beyond_chance for task in found.tasks):
        blocks += [_table(found.tasks), Text(SCORERS_LEGEND, style="dim"), Text()]
    blocks += [*_lines(found), Text()]
    if found.artefacts:
        blocks += [Text("Log-likelihoods and generated texts", style="bold"), _artefacts(found.artefacts)]
        blocks += [Text(ARTEFACTS_LEGEND, style="dim"), Text(), *_artefact_lines(found.artefacts), Text()]
    return blocks


def scorer_summary(found: RunScorers, *, by_task: bool) -> list[RenderableType]:
    """The same below an analysis; of many tasks where `table --causes` shows them."""
    if by_task or len(found.tasks) <= _FEW_TASKS:
        return scorer_blocks(found)
    line = "`--by-task` and `table --causes` show what the scorings have in common of each task's spread."
    return [Text(line), Text()]


def _lines(found: RunScorers) -> Iterator[RenderableType]:
    for task in found.tasks:
        name = f"{printable(task.task)}: " if len(found.tasks) > 1 else ""
        yield Padding(Text.assemble((name, "bold"), printable(scorer_sentence(task))), (0, 0, 0, 2), expand=False)
    for note in found.notes:
        yield Text(printable(note), style="yellow")


def _table(tasks: Sequence[ScorerSpread]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(overflow="fold", min_width=_LEAST_NAME)
    table.add_column("Std", justify="right", no_wrap=True)
    for name in ("common, alone", "examples", "r"):
        table.add_column(name, justify="right", min_width=_LEAST_NUMBER)
    for task in tasks:
        known = task.is_beyond_chance
        shares = [share_with_interval(share if known else None) for share in (task.common, task.noise)]
        table.add_row(Text(printable(task.task)), "", *shares, _correlations(task))
        for scorer, std, alone in zip(task.scorers, task.stds, task.alone, strict=True):
            share = share_with_interval(alone if known else None)
            table.add_row(Text(f"  {printable(scorer)}"), value_in_unit(std, task.metric), share)
    return table


def _artefacts(found: Sequence[Artefact]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(overflow="fold", min_width=_LEAST_NAME)
    for name in ("accuracy", "Std", "unread", "same", "artefact", "ratio"):
        table.add_column(name, justify="right", min_width=_LEAST_NUMBER, no_wrap=name in {"accuracy", "Std"})
    for task in found:
        same = f"{100 * task.choices.share:.0f}" if task.choices.read.sum() else NO_DATA
        table.add_row(Text(printable(task.task)))
        table.add_row(Text(f"  {printable(task.options)}"), *_mean_and_std(task.means[0], task.stds[0]), "", "")
        table.add_row(
            Text(f"  {printable(task.text)}"),
            *_mean_and_std(task.means[1], task.stds[1]),
            f"{100 * task.choices.unread[1]:.0f}",
            same,
            *_pair(task.pair),
        )
        if task.guessed is not None:
            table.add_row(
                Text("  unread as guesses"),
                *_mean_and_std(task.guessed.mean, task.guessed.std),
                "",
                "",
                *_pair(task.guessed.pair),
            )
    return table


def _pair(found: PairSpread | None) -> tuple[str, str]:
    if found is None:
        return NO_DATA, NO_DATA
    return share_with_interval(found.unshared), f"{found.ratio.estimate:.2f}"


def _mean_and_std(mean: float, std: float) -> tuple[str, str]:
    return value_in_unit(mean, ACCURACY), value_in_unit(std, ACCURACY)


def _artefact_lines(found: Sequence[Artefact]) -> Iterator[RenderableType]:
    for task in found:
        name = f"{printable(task.task)}: " if len(found) > 1 else ""
        text = Text.assemble((name, "bold"), printable(artefact_sentence(task)))
        yield Padding(text, (0, 0, 0, 2), expand=False)
        if task.mostly_unread:
            names = ", ".join(map(printable, task.mostly_unread))
            yield Padding(
                Text(f"Most texts name no option under: {names}.", style="yellow"), (0, 0, 0, 4), expand=False
            )


def _correlations(task: ScorerSpread) -> str:
    """The correlation of two scorers with its interval; of several the lowest and the highest."""
    found: list[Finding] = list(task.correlations.values())
    if not found:
        return NO_DATA
    if len(found) > 1:
        values = [each.estimate for each in found]
        return f"{min(values):.2f} to {max(values):.2f}"
    (one,) = found
    assert one.low is not None
    assert one.high is not None
    return f"{one.estimate:.2f} [{one.low:.2f}, {one.high:.2f}]"
