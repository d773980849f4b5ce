"""Why accuracy differs between wordings, as a section of the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from phraseproof.analysis.causes.artefact_sentence import artefact_sentence
from phraseproof.analysis.causes.run import RunCauses
from phraseproof.analysis.causes.run_scorers import NOT_COMPARED, RunScorers
from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.analysis.causes.scorers import ScorerSpread
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.reports.build.causes import LEGEND, main_causes
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.causes import causes as causes_chart
from phraseproof.reports.charts.chart import Chart


class CauseLine(NamedTuple):
    """A task and its sentence."""

    task: str
    sentence: str


class CausesView(NamedTuple):
    """The section.

    Attributes:
        summary: over several tasks; may be empty.
        lines: tasks whose wordings differ by more than chance first.
        scorers: what several scorers of the run have in common, a line for each task.
        notes: why other tasks, or the run, have no causes or no comparison of scorers.
        chart: `None` where no task has a spread beyond chance.
        legend: of the chart.
    """

    summary: str
    lines: tuple[CauseLine, ...]
    scorers: tuple[CauseLine, ...]
    notes: tuple[str, ...]
    chart: Chart | None
    legend: str


def _scorer_sentences(task: ScorerSpread, compared: RunScorers) -> Iterator[str]:
    yield scorer_sentence(task)
    for each in compared.artefacts:
        if (each.task, each.num_fewshot) == (task.task, task.num_fewshot):
            yield artefact_sentence(each)


def causes_view(found: RunCauses, compared: RunScorers = NOT_COMPARED) -> CausesView | None:
    """The section of a run at one number of demonstrations; `None` where neither causes nor scorers were compared."""
    notes = (*found.notes, *compared.notes)
    if not found.tasks and not compared.tasks:
        return None
    ordered = sorted(found.tasks, key=lambda task: not task.is_beyond_chance)
    return CausesView(
        main_causes(found) if len(ordered) > 1 else "",
        tuple(CauseLine(printable(task.task), printable(cause_sentence(task))) for task in ordered),
        tuple(
            CauseLine(printable(task.task), printable(" ".join(_scorer_sentences(task, compared))))
            for task in compared.tasks
        ),
        tuple(map(printable, notes)),
        causes_chart(ordered),
        LEGEND[0].upper() + LEGEND[1:] + ".",
    )
