"""A search among alignment methods, as sections of the page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple, cast

from phraseproof.analysis.ranking import rank_wordings
from phraseproof.analysis.reductions.ways import AS_IT_IS, CALIBRATED
from phraseproof.analysis.results import ResultRow
from phraseproof.errors import RunError
from phraseproof.reports.build.numbers import difference_in_unit
from phraseproof.reports.build.searches import SearchFolder, StoredSearch, StoredTraining, StoredWay
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.gains import SET_TITLES, gains
from phraseproof.reports.charts.strip import strip
from phraseproof.reports.html.provenance import Provenance, provenance
from phraseproof.reports.html.statistics import StatisticsCell
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import WordingScore, load_run

_TITLES: Final[Mapping[str, str]] = {
    "test": "Test: wordings and examples that neither training nor the search saw",
    "unseen": "Unseen tasks, under wordings that no training saw",
    "check": "Check for forgetting: tasks that no training saw",
}

MOST_LANES: Final = 6
"""The largest number of ways in the chart of wordings: there are that many colours and shapes."""

_EMPTY = StatisticsCell("")


class CandidateRow(NamedTuple):
    """A method at one learning rate, on validation.

    Attributes:
        is_chosen: whether validation chose it.
        cells: learning rate, seeds, steps, prompts, tokens, seconds, accuracy.
    """

    method: str
    is_chosen: bool
    cells: tuple[str, ...]


class SearchWayRow(NamedTuple):
    """One way, or one task.

    Attributes:
        needs_labels: whether labelled examples are needed to fit it.
        is_chosen: whether it is the model that validation chose.
        cells: as the headings of its table.
    """

    name: str
    needs_labels: bool
    is_chosen: bool
    cells: tuple[StatisticsCell, ...]


class SearchSet(NamedTuple):
    """A reported set.

    Attributes:
        id: of its section.
        caption: how many wordings and examples, and what answers without skill get.
        ways: calls, accuracy, Std, worst, and the gains over the model as it is and over the calibrated one.
        tasks: the model as it is, calibrated and chosen on each task, with its gains; empty of a lone task.
        gains: the forest plot.
        wordings: a dot for each wording.
    """

    id: str
    title: str
    caption: str
    ways: tuple[SearchWayRow, ...]
    tasks: tuple[SearchWayRow, ...]
    gains: Chart
    wordings: Chart


class SearchView(NamedTuple):
    """A search.

    Attributes:
        candidates: the model as it is, then methods at their learning rates.
        chosen: the name of the model that validation chose.
        several_seeds: whether intervals are over training seeds, too.
        texts: of the wordings, by name.
        origin: of the runs of the model as it is; `None` where its folder is gone.
        commands: to look at the runs.
    """

    id: str
    path: str
    found: StoredSearch
    chosen: str
    candidates: tuple[CandidateRow, ...]
    sets: tuple[SearchSet, ...]
    several_seeds: bool
    settings: tuple[tuple[str, str], ...]
    training_settings: tuple[tuple[str, str], ...]
    texts: Mapping[str, str]
    origin: Provenance | None
    commands: tuple[str, ...]

    def charts(self) -> dict[str, Chart]:
        """By the id of the figure that the template gives them."""
        return {
            f"{each.id}-{name}-chart": chart
            for each in self.sets
            for name, chart in (("gains", each.gains), ("wordings", each.wordings))
        }

    def sections(self) -> list[tuple[str, str]]:
        """Id and name of each section."""
        short = {"test": "Test", "unseen": "Unseen tasks", "check": "Check tasks"}
        names = [(each.id, short[name]) for each, name in zip(self.sets, self.found.reported, strict=True)]
        return [
            (f"{self.id}-short", "In short"),
            *names,
            (f"{self.id}-candidates", "The search"),
            (f"{self.id}-repeat", "To repeat the search"),
        ]


def search_view(folder: SearchFolder, number: int) -> SearchView:
    """The sections of one search; `number` is its place among the searches."""
    found = folder.found
    chosen = found.chosen.label
    settings, of_trainings = _settings(found)
    texts, origin = _of_runs(folder)
    return SearchView(
        f"s{number}",
        str(folder.path),
        found,
        chosen,
        tuple(_candidates(found)),
        tuple(_set(found, name, f"s{number}-{name}") for name in found.reported),
        max(len(folders) for folders in found.runs["test"].values()) > 1,
        settings,
        of_trainings,
        texts,
        origin,
        tuple(_commands(folder)),
    )


def _candidates(found: StoredSearch) -> Iterator[CandidateRow]:
    accuracy = {row.statistic: f"{row.estimate:.1f}" for row in found.rows if row.group == "validation"}
    yield CandidateRow(AS_IT_IS, False, ("",) * 6 + (accuracy.get(f"accuracy: {AS_IT_IS}", ""),))
    of: dict[str, list[StoredTraining]] = {}
    for each in found.trainings:
        if each.set == "training":
            of.setdefault(each.label, []).append(each)
    for label, trainings in of.items():
        first = trainings[0]
        seconds = sum(each.seconds for each in trainings) / len(trainings)
        yield CandidateRow(
            printable(first.method),
            label == found.chosen.label,
            (
                f"{first.learning_rate:g}",
                str(len(trainings)),
                *(f"{each:,}" for each in (first.steps, first.prompts, first.tokens)),
                f"{seconds:,.1f}",
                accuracy.get(f"accuracy: {label}", ""),
            ),
        )


def _set(found: StoredSearch, name: str, identity: str) -> SearchSet:
    level, tasks = found.level(name), found.tasks(name)
    several = f"{len(tasks)} tasks, up to " if len(tasks) > 1 else f"{level.task}: "
    verb = "get" if len(tasks) > 1 else "gets"
    return SearchSet(
        identity,
        _TITLES[name],
        printable(
            f"{several}{level.wordings} wordings, {level.examples:,} examples"
            f"{' in all' if len(tasks) > 1 else ''}. Blind guessing gets {level.chance_percent:.1f}%, "
            f"{level.constant} {verb} {level.constant_percent:.1f}%."
        ),
        tuple(_way(found, name, way) for way in found.ways),
        tuple(_task(found, name, task) for task in tasks) if len(tasks) > 1 else (),
        gains(found, name),
        _wordings(found, name),
    )


def _way(found: StoredSearch, name: str, way: StoredWay) -> SearchWayRow:
    def row(statistic: str) -> ResultRow | None:
        return found.row(name, "", f"{statistic}: {way.name}")

    calls = row("calls")
    return SearchWayRow(
        printable(way.name),
        way.needs_labels,
        way.name == found.chosen.label,
        (
            _EMPTY if calls is None else StatisticsCell(f"{calls.estimate:.0f}"),
            *(_value(row(each)) for each in ("accuracy", "std", "worst")),
            *(_gain(row(each)) for each in ("gain", "gain over calibrated")),
        ),
    )


def _task(found: StoredSearch, name: str, task: str) -> SearchWayRow:
    chosen = found.chosen.label
    return SearchWayRow(
        printable(task),
        False,
        False,
        (
            *(_value(found.row(name, task, f"accuracy: {way}")) for way in (AS_IT_IS, CALIBRATED, chosen)),
            *(_gain(found.row(name, task, f"{each}: {chosen}")) for each in ("gain", "gain over calibrated")),
        ),
    )


def _value(row: ResultRow | None) -> StatisticsCell:
    if row is None:
        return _EMPTY
    interval = "" if row.low is None or row.high is None else f"{row.low:.1f} to {row.high:.1f}"
    return StatisticsCell(f"{row.estimate:.1f}", interval)


def _gain(row: ResultRow | None) -> StatisticsCell:
    if row is None:
        return _EMPTY
    interval = "" if row.low is None or row.high is None else f"{_points(row.low)} to {_points(row.high)}"
    return StatisticsCell(_points(row.estimate), interval)


def _points(value: float) -> str:
    """The document's accuracies and gains are in percent."""
    return difference_in_unit(value / ACCURACY.scale, ACCURACY)


def _wordings(found: StoredSearch, name: str) -> Chart:
    """The model as it is, calibrated, and trained; of trained models the first, the chosen one, by itself."""
    trained = [way.name for way in found.ways if way.is_trained and not way.is_calibrated]
    lanes = [AS_IT_IS, CALIBRATED, *trained][:MOST_LANES]
    examples = {each.task: each.examples for each in found.levels if each.set == name}
    scores = [
        WordingScore(
            each.task, each.category, each.way, each.wording, 0, each.accuracy_percent / 100, examples[each.task]
        )
        for each in found.wordings
        if each.set == name and each.way in lanes
    ]
    chance = {task: found.level(name, task).chance_percent / 100 for task in found.tasks(name)}
    chart = strip(rank_wordings(scores, group_order=lanes), ACCURACY, chance=chance)
    return replace(chart, title=f"{chart.title}: {SET_TITLES[name]}")


def _settings(found: StoredSearch) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Of the search, and those that all trainings share."""
    shared = found.settings.get("alignment")
    of_trainings: Mapping[str, object] = cast("Mapping[str, object]", shared) if isinstance(shared, Mapping) else {}
    own = {name: value for name, value in found.settings.items() if name != "alignment"}
    return tuple(_facts({"model": found.model, **own})), tuple(_facts(of_trainings))


def _facts(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            of = cast("Mapping[str, object]", value)
            shown = "; ".join(f"{key or 'all'}: {_shown(each)}" for key, each in of.items())
        else:
            shown = _shown(value)
        yield printable(name.rstrip("_").replace("_", " ")), printable(shown)


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, cast("list[object]", value)))
    return (
        "none" if value is None or value == "" else "yes" if value is True else "no" if value is False else str(value)
    )


def _of_runs(folder: SearchFolder) -> tuple[dict[str, str], Provenance | None]:
    """The texts of wordings, and where the test run of the model as it is came from."""
    texts: dict[str, str] = {}
    origin: Provenance | None = None
    for name in folder.found.reported:
        for path in folder.runs(name)[AS_IT_IS]:
            try:
                run = load_run(path)
            except RunError:
                continue
            texts |= {wording: text for (_, wording), text in run.wording_texts().items()}
            origin = origin or provenance(run)
    return texts, origin


def _commands(folder: SearchFolder) -> Iterator[str]:
    """What shows the runs of a set: the model as it is, then each seed of the chosen model."""
    for name in folder.found.reported:
        of = folder.runs(name)
        shown = [*of[AS_IT_IS], *of.get(folder.found.chosen.label, ())]
        if shown:
            yield f"phraseproof report {' '.join(shlex.quote(printable(str(path))) for path in shown)}"
