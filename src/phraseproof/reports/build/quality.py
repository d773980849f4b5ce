"""Measures of answers other than accuracy for `analyze`: from a run to rows of the result table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.answer_quality import MEASURES, UNITS, QualityRow, answer_quality
from phraseproof.analysis.causes.run import CausesOfTasks, RunCauses, why_no_causes
from phraseproof.analysis.option_values import MOST_VALUES, OptionValues, read_option_values, sample_notes
from phraseproof.analysis.result_rows import RowSource, finding_row, place_of
from phraseproof.analysis.results import ResultRow
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError

if TYPE_CHECKING:
    from phraseproof.analysis.statistics import Robustness
    from phraseproof.store.queries import Run

CONSISTENCY = "consistency"
_MEASURES = "Brier score, log loss and calibration error"

QUALITY_LABELS = {
    "brier": "Brier score",
    "log_loss": "log loss (nats)",
    "ece": "calibration error",
    "ece_equal_mass": "the same, equal mass",
    "macro_f1": "macro-F1",
    "balanced_accuracy": "balanced accuracy",
    CONSISTENCY: "consistency",
}
"""The names of the measures in text for people."""


@dataclass(frozen=True, slots=True)
class RunQuality:
    """The measures of a run at one number of demonstrations.

    Attributes:
        rows: tasks, categories, overall; empty where there are none.
        reason: why there are none.
        sampled: of each task of which a sample of the examples was used, a sentence.
    """

    rows: tuple[QualityRow, ...] = ()
    reason: str = ""
    sampled: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Why measures are missing, or of which tasks a sample of the examples was used."""
        return (f"{_MEASURES}: not computed, {self.reason}.",) if self.reason else self.sampled

    def find(self, level: Level, name: str) -> QualityRow | None:
        """The row of a task, of a category, or of all."""
        return next((row for row in self.rows if (row.level, row.name) == (level, name)), None)


def causes_and_quality(run: Run, *, seed: int = 0) -> tuple[RunCauses, dict[int, RunQuality]]:
    """What `run_causes` and `run_quality` return; the log-probabilities are read once."""
    if reason := why_no_causes(run):
        return RunCauses(reason=reason), run_quality(run, seed=seed)
    causes = CausesOfTasks(run, seed=seed)
    quality = run_quality(run, seed=seed, also=causes.add)
    if not causes.found.tasks and not causes.found.reasons:  # no task has options with log-probabilities
        return RunCauses(reason=next(iter(quality.values()), RunQuality()).reason), quality
    return causes.found, quality


def run_quality(
    run: Run, *, seed: int = 0, also: Callable[[OptionValues], None] = lambda _: None
) -> dict[int, RunQuality]:
    """By number of demonstrations the measures of a run, or why it has none.

    Args:
        run: under one of its scorers.
        seed: of the resampling.
        also: called with every task that is read.

    Raises:
        RunError: no cell is done, or a cell is damaged.
    """
    if run.accuracies:
        reason = "the run was imported and holds no answers"
        return {score.num_fewshot: RunQuality(reason=reason) for score in run.accuracies}
    shots = dict.fromkeys(cell.num_fewshot for cell in run.cells)
    found = dict.fromkeys(shots, RunQuality(reason="no task has options to choose from"))
    try:
        tasks = (of for of in _seen(read_option_values(run, most=MOST_VALUES), also) if of.examples)
        for number, here in groupby(tasks, key=lambda of: of.num_fewshot):
            sampled: list[str] = []
            rows = answer_quality(_noted(here, sampled), seed=seed)
            found[number] = RunQuality(rows, sampled=tuple(sampled))
    except NotEnoughDataError as error:
        return dict.fromkeys(shots, RunQuality(reason=error.problem))
    return found


def _seen(tasks: Iterator[OptionValues], also: Callable[[OptionValues], None]) -> Iterator[OptionValues]:
    for of in tasks:
        also(of)
        yield of


def _noted(tasks: Iterator[OptionValues], notes: list[str]) -> Iterator[OptionValues]:
    """The tasks one by one; what must be said of each is added to the notes."""
    for of in tasks:
        notes += sample_notes(_MEASURES, [of])
        yield of


def consistency(pairwise_flips: Finding) -> Finding:
    """The probability that two different wordings answer an example in the same way."""
    low, high = pairwise_flips.low, pairwise_flips.high
    return replace(
        pairwise_flips,
        name=CONSISTENCY,
        estimate=1 - pairwise_flips.estimate,
        low=None if high is None else 1 - high,
        high=None if low is None else 1 - low,
    )


def quality_rows(found: RunQuality, robustness: Robustness, source: RowSource) -> Iterator[ResultRow]:
    """Mean and standard deviation of every measure of each group, and how often two wordings agree."""
    for row in found.rows:
        for group, quality in row.groups.items():
            place = place_of(row.level, row.name, row.category, group)
            for name in MEASURES:
                if name in quality.findings:
                    yield finding_row(source, place, name, quality.findings[name], UNITS[name])
                if name in quality.stds:
                    method = "sample standard deviation over wordings"
                    std = Finding(f"{name} std", quality.stds[name], quality.findings[name].n, method)
                    yield finding_row(source, place, std.name, std, UNITS[name])
    for row in (*robustness.tasks, *robustness.categories, robustness.overall):
        for group, statistics in row.groups.items():
            if "pairwise_flips" in statistics.findings:
                place = place_of(row.level, row.name, row.category, group)
                yield finding_row(source, place, CONSISTENCY, consistency(statistics.findings["pairwise_flips"]),
                                  ("%", 100.0))  # fmt: skip
