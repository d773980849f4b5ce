"""A search among alignment methods as one JSON document, which reports and charts are made from."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from phraseproof.analysis.reductions.recommendation import constant_name
from phraseproof.analysis.reductions.ways import AS_IT_IS, calibrated_name
from phraseproof.reduction.search_results import search_table
from phraseproof.reports.build.runs import model_name
from phraseproof.reports.build.searches import (
    SearchWinner,
    StoredLevel,
    StoredSearch,
    StoredSet,
    StoredTraining,
    StoredWay,
    StoredWording,
)
from phraseproof.reports.format.json_document import render_document

if TYPE_CHECKING:
    from phraseproof.analysis.reductions.judging import JudgedTask
    from phraseproof.hardening import MethodSearch
    from phraseproof.hardening.judged_runs import JudgedRuns
    from phraseproof.hardening.search_plan import MeasuredSet
    from phraseproof.store.looks import Look

_OF_CANDIDATES = ("method", "learning_rate", "seed")
"""Settings of trainings that are not the same for all of a search."""


def search_json(search: MethodSearch, known: Sequence[Look] = ()) -> str:
    """Return one document: sets, trainings, run folders, the recommendation, settings, and every number.

    Args:
        search: the result.
        known: what was reported before in the same folder.
    """
    return render_document(asdict(stored_search(search, known)))


def stored_search(search: MethodSearch, known: Sequence[Look] = ()) -> StoredSearch:
    """The same as a value."""
    table = search_table(search)
    sets = (search.plan.training, search.plan.validation, *search.plan.reported)
    look = search.look
    return StoredSearch(
        format_version=1,
        model=model_name(search.test.base),
        command=shlex.join(sys.argv),
        settings=_settings(search),
        sets={each.name: stored_set(each) for each in sets},
        trainings=tuple(_trainings(search)),
        runs={
            report.name: {
                AS_IT_IS: [str(report.base.path)],
                **{name: [run.name for run in runs] for name, runs in report.trained.items()},
            }
            for report in search.reports
        },
        chosen=SearchWinner(search.chosen.name, search.chosen.rate),
        recommendation=search.recommendation,
        ways=tuple(_ways(search.test)),
        levels=tuple(level for report in search.reports for level in _levels(report)),
        wordings=tuple(
            StoredWording(report.name, each.task, each.category, each.way, each.wording, 100 * each.accuracy)
            for report in search.reports
            for each in report.wordings
        ),
        rows=table.rows,
        notes=table.notes,
        looks=(*(each for each in known if not each.is_same_as(look)), look),
    )


def _settings(search: MethodSearch) -> dict[str, object]:
    of_trainings = search.settings.alignment.as_record()
    shared = {name: value for name, value in of_trainings.items() if name not in _OF_CANDIDATES}
    return {**asdict(search.settings), "alignment": shared}


def stored_set(of: MeasuredSet) -> StoredSet:
    """The size of a set and the names of its wordings."""
    wordings = dict.fromkeys(item.name for items in of.wordings.values() for item in items)
    return StoredSet({task.name: len(task.examples) for task in of.tasks}, tuple(wordings))


def _trainings(search: MethodSearch) -> Iterator[StoredTraining]:
    refitted = search.refitted if search.settings.refit else ()
    for name, group in (("training", search.searched), ("refitting", refitted)):
        for each in group:
            for training in each.trainings:
                yield StoredTraining(
                    each.candidate.name,
                    each.candidate.rate,
                    training.seed,
                    name,
                    training.cost.steps,
                    training.cost.prompts,
                    training.cost.tokens,
                    training.seconds,
                    {task: list(names) for task, names in each.pairs.references.items()},
                    str(training.folder),
                )


def _ways(report: JudgedRuns) -> Iterator[StoredWay]:
    calibrated = set(map(calibrated_name, report.trained))
    for each in report.summary.ways:
        way = each.way
        yield StoredWay(
            way.name, way.needs_labels, way.name in calibrated | report.trained.keys(), way.name in calibrated
        )


def _levels(report: JudgedRuns) -> Iterator[StoredLevel]:
    for task in report.tasks:
        yield _level(report.name, task.task, task)
    if len(report.tasks) > 1:
        yield _level(report.name, "", report.summary)


def _level(name: str, task: str, of: JudgedTask) -> StoredLevel:
    return StoredLevel(name, task, of.wordings, of.examples, 100 * of.chance, 100 * of.majority, constant_name(of))
