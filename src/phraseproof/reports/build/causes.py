"""The causes of the spread over wordings, as reports show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.causes.components import CAUSES
from phraseproof.analysis.causes.result_rows import cause_notes, cause_rows
from phraseproof.analysis.causes.run import RunCauses, run_causes
from phraseproof.analysis.causes.run_scorers import NOT_COMPARED, RunScorers, run_scorers
from phraseproof.analysis.causes.scorer_rows import artefact_results, scorer_notes, scorer_rows
from phraseproof.analysis.causes.spread import NOISE, SpreadCauses
from phraseproof.analysis.grids import metric_of
from phraseproof.analysis.result_rows import RowSource
from phraseproof.analysis.results import ResultTable
from phraseproof.reports.build.runs import model_name
from phraseproof.reports.build.settings import setting_line
from phraseproof.scoring.metric import Metric

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.store.queries import Run

CAUSE_NAMES = {
    "prior": "prior",
    "skill": "skill",
    "joint": "both",
    "draws": "draws",
    NOISE: "examples",
}
"""The causes' names in text for people, in the order in which they are shown."""

CAUSE_WORDS = {
    "prior": "how often each option is chosen",
    "skill": "skill",
    "joint": "prior and skill in combination",
}
"""The causes of differences between wordings in a sentence."""

LEGEND = (
    "shares of the variance over wordings, in percent, with 95% intervals over examples. prior: how often each option "
    "is chosen, whatever the example; skill: how well right options are distinguished from wrong ones; both: the two "
    "in combination; draws: of demonstrations and of orders of options; examples: which ones were drawn "
    "(docs/causes.md)"
)

SCORERS_LEGEND = (
    "Std over wordings under each scoring, on the same examples; shares of the variance, its mean over the scorings, "
    "in percent, with 95% intervals over examples. common: what the scorings have in common, in the row of the task; "
    "alone: what is of one scoring, in its row; examples: which ones were drawn; r: correlation of the wordings "
    "between scorings, corrected for the noise of the examples (docs/causes.md)"
)


ARTEFACTS_LEGEND = (
    "mean accuracy and Std over wordings, in percent. unread: texts that name no option; same: how often both choose "
    "the same option, where both were read; artefact: the share of the variance under log-likelihoods that texts "
    "do not share; ratio: variance under texts as a multiple of that under log-likelihoods; both without the noise of "
    "the examples, with 95% intervals over examples (docs/causes.md)"
)


class CausesReport(NamedTuple):
    """One run at one number of demonstrations.

    Attributes:
        settings: what the numbers depend on, as a line; empty where it is not known.
        metric: what scores are in.
        scorers: all scorers of the run, compared. Of several reports of one run the last has it.
    """

    path: str
    model: str
    num_fewshot: int
    scoring: str
    settings: str
    causes: RunCauses
    metric: Metric
    scorers: RunScorers = NOT_COMPARED


def causes_reports(runs: Sequence[Run], *, seed: int = 0) -> list[CausesReport]:
    """The causes of each run, a report for each number of demonstrations.

    Raises:
        RunError: no cell of a run is done, or one is damaged.
    """
    found: list[CausesReport] = []
    last = {run.path: place for place, run in enumerate(runs)}
    for place, run in enumerate(runs):
        causes = run_causes(run, seed=seed)
        scorers = run_scorers(run, seed=seed) if last[run.path] == place else NOT_COMPARED
        shots = sorted({each.num_fewshot for each in (*run.cells, *run.accuracies)})
        of_run = CausesReport(run.name, model_name(run), 0, run.scoring, setting_line(run), causes, metric_of(run))
        found += [
            of_run._replace(num_fewshot=number, causes=causes.at_shots(number), scorers=scorers.at_shots(number))
            for number in shots
        ]
    return found


def causes_results(reports: Sequence[CausesReport], *, by_wording: bool = False) -> ResultTable:
    """Rows of the causes, with the sentence of every task and the reasons of tasks without causes as notes."""
    rows: list[ResultRow] = []
    notes: dict[str, None] = {}
    for report in reports:
        source = RowSource(report.path, report.num_fewshot, report.scoring, report.metric)
        for task in report.causes.tasks:
            rows += cause_rows(task, source, by_wording=by_wording)
        notes |= dict.fromkeys(causes_notes(report.causes))
        for compared in report.scorers.tasks:
            rows += scorer_rows(compared, report.path)
        rows += artefact_results(report.scorers, report.path)
        notes |= dict.fromkeys(scorer_notes(report.scorers))
    return ResultTable(tuple(rows), tuple(notes))


def causes_notes(causes: RunCauses) -> Iterator[str]:
    """The sentence of every task, then why others have none."""
    for task in causes.tasks:
        yield from cause_notes(task)
    yield from causes.notes


def main_causes(causes: RunCauses) -> str:
    """How many tasks have which main cause, as one sentence; empty without tasks."""
    if not causes.tasks:
        return ""
    counts: dict[str, int] = {}
    for task in causes.tasks:
        if task.is_beyond_chance:
            main = max(CAUSES, key=lambda name, of=task: of.shares[name].estimate)
            word = CAUSE_WORDS[main] if task.can_tell else "a cause that is not clear"
            counts[word] = counts.get(word, 0) + 1
    total = len(causes.tasks)
    few = total - sum(counts.values())
    parts = [f"{word} on {_tasks(number)}" for word, number in sorted(counts.items(), key=lambda each: -each[1])]
    if few:
        parts.append(f"chance alone on {_tasks(few)}")
    return f"Of {_tasks(total)}, the largest cause of the spread over wordings is {', '.join(parts)}."


def _tasks(number: int) -> str:
    return f"{number} task{'' if number == 1 else 's'}"


def shown_shares(tasks: Sequence[SpreadCauses]) -> list[str]:
    """Which causes any of the tasks has."""
    return [name for name in CAUSE_NAMES if any(name in task.shares for task in tasks)]
