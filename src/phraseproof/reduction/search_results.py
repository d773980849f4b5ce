"""A search among alignment methods as a result table and as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.reductions.gains import CONFIDENCE, Gain
from phraseproof.analysis.reductions.judging import FOLDS, SPLITS, JudgedTask
from phraseproof.analysis.reductions.recommendation import constant_name
from phraseproof.analysis.reductions.ways import AS_IT_IS, CALIBRATED
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.core import Finding
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.terminal import print_blocks

if TYPE_CHECKING:
    from phraseproof.hardening import MethodSearch
    from phraseproof.hardening.judged_runs import JudgedRuns
    from phraseproof.hardening.search_plan import MeasuredSet

_WIDE = 110
_HERE = "on examples that the way was not fitted on"
_TITLES = {
    "test": "Test: wordings and examples that neither training nor the search saw",
    "unseen": "Unseen tasks, under wordings that no training saw",
    "check": "Check for forgetting: tasks that no training saw",
}


def search_table(search: MethodSearch) -> ResultTable:
    """Return a row for every way, set, task and statistic; the recommendation is the first note.

    The group of a row is the set: `validation`, `test`, `unseen` or `check`. Statistics are `accuracy`, `gain`,
    `gain over calibrated`, `std`, `worst` and `calls`, each followed by a colon and the way's name.
    """
    rows = [*_validation_rows(search)]
    for report in search.reports:
        rows += [row for place, of in enumerate(_levels(report)) for row in _rows(report, *of, place)]
    return ResultTable(tuple(rows), (search.recommendation, *search_notes(search)))


def search_text(search: MethodSearch, screen: Screen) -> str:
    """Return what was compared, what was reported, and what is recommended, for people."""
    return print_blocks(_blocks(search, screen), screen)


def search_notes(search: MethodSearch) -> Iterator[str]:
    if search.earlier:
        count = len(search.earlier)
        shown = "; ".join(", ".join(each.reported) for each in search.earlier)
        yield (
            f"This test set has been looked at {'once' if count == 1 else f'{count} times'} before, with other trained "
            f"models: {shown}. What was tried because of that is not confirmed by the same test set."
        )
    seeds = len(search.refitted[0].trainings)
    if seeds == 1:
        yield "One training seed: the intervals of trained models do not hold its effect. Give several with --seeds."
    if not search.settings.refit:
        yield "What is reported was trained on training examples under training wordings alone (no refit)."
    if lone := tuple(dict.fromkeys(name for each in search.searched for name in each.pairs.unpaired)):
        were = "wording was" if len(lone) == 1 else "wordings were"
        yield (
            f"{len(lone)} training {were} not trained on, because no other one writes the answer in the same way: "
            f"{', '.join(lone[:3])}"
        )


# ----------------------------------------------------------------------------------------------------------- for people


def _blocks(search: MethodSearch, screen: Screen) -> Iterator[RenderableType]:
    plan = search.plan
    yield _line(f"Search: {_size(plan.training)} to train on, {_size(plan.validation)} to choose by")
    yield Text()
    yield _search_table(search)
    for report in search.reports:
        summary = report.summary
        yield Text()
        yield _line(f"{_TITLES[report.name]}. {_size(getattr(plan, report.name))}.")
        yield _line(
            f"Blind guessing gets {100 * summary.chance:.1f}%, {constant_name(summary)} {100 * summary.majority:.1f}%. "
            f"Gains are with other wordings of the same kind, and have {CONFIDENCE:.0%} intervals over "
            f"{_sources(search)}, each by itself. * needs labelled examples."
        )
        yield Text()
        yield from _way_tables(report, screen)
        if len(report.tasks) > 1:
            yield Text()
            yield _task_table(report, search.chosen.label)
    yield Text()
    yield _line(f"=> {search.recommendation}")
    yield from (_line(f"Note: {note}") for note in search_notes(search))


def _line(text: str) -> Text:
    return Text(printable(text))


def _size(of: MeasuredSet) -> str:
    wordings = {len(items) for items in of.wordings.values()}
    examples = {len(task.examples) if of.limit is None else min(len(task.examples), of.limit) for task in of.tasks}
    tasks = "1 task" if len(of.tasks) == 1 else f"{len(of.tasks)} tasks"
    return f"{tasks}, {_range(wordings)} wordings and {_range(examples)} examples" + (
        " each" if len(of.tasks) > 1 else ""
    )


def _range(counts: set[int]) -> str:
    return f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


def _sources(search: MethodSearch) -> str:
    return "examples, wordings and seeds" if len(search.refitted[0].trainings) > 1 else "examples and wordings"


def _search_table(search: MethodSearch) -> Table:
    table = _table(["method", "rate", "seeds", "steps", "prompts", "tokens", "seconds", "validation (%)"])
    table.add_row(AS_IT_IS, "", "", "", "", "", "", f"{100 * search.base_score:.1f}")
    for each in search.searched:
        first = each.trainings[0].cost
        seconds = sum(training.seconds for training in each.trainings) / len(each.trainings)
        mark = " <" if each.candidate == search.chosen else ""
        table.add_row(
            each.candidate.name,
            f"{each.candidate.rate:g}",
            str(len(each.trainings)),
            f"{first.steps:,}",
            f"{first.prompts:,}",
            f"{first.tokens:,}",
            f"{seconds:.1f}",
            f"{100 * each.score:.1f}{mark or '  '}",
        )
    return table


def _way_tables(report: JudgedRuns, screen: Screen) -> Iterator[RenderableType]:
    """One table; on narrow screens the gains over the calibrated model are a second one."""
    headings = ["way", "calls", "%", "spread", "worst", "gain", "over calibrated"]
    cells = [
        [
            f"{way.way.name}{' *' if way.way.needs_labels else ''}",
            str(way.calls),
            f"{100 * way.accuracy:.1f}",
            f"{100 * way.spread:.1f}",
            f"{100 * way.worst:.1f}",
            "" if way.way.name == AS_IT_IS else _interval(way.gain_elsewhere),
            "" if way.way.name == CALIBRATED else _interval(other.gain_elsewhere),
        ]
        for way, other in zip(report.summary.ways, report.summary_over_calibrated.ways, strict=True)
    ]
    wide = [list(range(len(headings)))]
    for number, columns in enumerate(wide if screen.width >= _WIDE else ([0, 1, 2, 3, 4, 5], [0, 6])):
        if number:
            yield Text()
        table = _table([headings[column] for column in columns])
        for row in cells:
            table.add_row(*(row[column] for column in columns))
        yield table


def _task_table(report: JudgedRuns, chosen: str) -> Table:
    """The model as it is, calibrated and trained on every task."""
    table = _table(["task", AS_IT_IS, CALIBRATED, chosen, "gain", "over calibrated"])
    for task, other in zip(report.tasks, report.over_calibrated, strict=True):
        ways = {way.way.name: way for way in task.ways}
        over = {way.way.name: way for way in other.ways}
        table.add_row(
            printable(task.task),
            *(f"{100 * ways[name].accuracy:.1f}" for name in (AS_IT_IS, CALIBRATED, chosen)),
            _interval(ways[chosen].gain_elsewhere),
            _interval(over[chosen].gain_elsewhere),
        )
    return table


def _table(headings: list[str]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left", no_wrap=bool(place))
    return table


def _interval(gain: Gain) -> str:
    return f"{100 * gain.estimate:+.1f} ({100 * gain.low:.1f} to {100 * gain.high:.1f})"


# ----------------------------------------------------------------------------------------------------------------- rows


def _levels(report: JudgedRuns) -> Iterator[tuple[JudgedTask, JudgedTask, Level]]:
    """Every task, then the mean over tasks; each with gains over the model as it is and over the calibrated one."""
    for task, other in zip(report.tasks, report.over_calibrated, strict=True):
        yield task, other, Level.TASK
    if len(report.tasks) > 1:
        yield report.summary, report.summary_over_calibrated, Level.OVERALL


def _validation_rows(search: MethodSearch) -> Iterator[ResultRow]:
    base = search.test.base
    for name, score in (
        (AS_IT_IS, search.base_score),
        *((each.candidate.label, each.score) for each in search.searched),
    ):
        yield ResultRow(
            run=str(base.path.parent),
            scoring=base.scoring,
            level=Level.OVERALL,
            group="validation",
            statistic=f"accuracy: {name}",
            estimate=100 * score,
            method="mean over seeds of the search",
            unit="%",
        )


def _rows(report: JudgedRuns, task: JudgedTask, other: JudgedTask, level: Level, place: int) -> Iterator[ResultRow]:
    method = f"{SPLITS} splits into halves, Student's t over examples, wordings and training seeds"

    def row(statistic: str, estimate: float, unit: str, how: str, gain: Gain | Finding | None = None) -> ResultRow:
        return ResultRow(
            run=str(report.base.path),
            num_fewshot=task.num_fewshot,
            scoring=report.base.scoring,
            level=level,
            category=task.category,
            task=task.task if level is Level.TASK else "",
            group=report.name,
            statistic=statistic,
            estimate=estimate,
            low=None if gain is None or gain.low is None else 100 * gain.low,
            high=None if gain is None or gain.high is None else 100 * gain.high,
            n=task.examples,
            method=how,
            unit=unit,
        )

    for way, over in zip(task.ways, other.ways, strict=True):
        name = way.way.name
        accuracy = way.accuracy_elsewhere
        yield row(f"accuracy: {name}", 100 * way.accuracy, "%", f"{FOLDS} folds of examples; {_HERE}", None)
        yield row(f"accuracy with other wordings: {name}", 100 * accuracy.estimate, "%", method, accuracy)
        if name != AS_IT_IS:
            yield row(f"gain: {name}", 100 * way.gain_elsewhere.estimate, "points", method, way.gain_elsewhere)
        if name != CALIBRATED:
            gain = over.gain_elsewhere
            yield row(f"gain over calibrated: {name}", 100 * gain.estimate, "points", method, gain)
        if name in report.spreads:
            std, worst = report.spreads[name][place]
            yield row(f"std: {name}", 100 * way.spread, "%", std.method, std)
            yield row(f"worst: {name}", 100 * way.worst, "%", worst.method, worst)
        else:
            yield row(f"std: {name}", 100 * way.spread, "%", "over random halves of the wordings")
            yield row(f"worst: {name}", 100 * way.worst, "%", "of random halves of the wordings")
        yield row(f"calls: {name}", way.calls, "", "per answer")
