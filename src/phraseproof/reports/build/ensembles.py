"""What is shown of ensembles: curves of all tasks of a run, rows of the result table, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.causes.run import control_groups
from phraseproof.analysis.ensemble_curve import CALIBRATIONS, EnsembleSettings, ensemble_curve, prompt_tokens
from phraseproof.analysis.ensemble_points import ALL, NONE, EnsembleCurve, EnsemblePoint, over_tasks
from phraseproof.analysis.ensembles import HOWS, How
from phraseproof.analysis.grids import metric_of
from phraseproof.analysis.option_values import OptionValues, load_option_values
from phraseproof.analysis.result_rows import RowSource, finding_row, place_of
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.analysis.significance.holm import holm
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.reports.build.answers import answers_of, at_shots, baseline_line
from phraseproof.reports.build.runs import model_name
from phraseproof.reports.build.settings import setting_line
from phraseproof.scoring.accuracy import METRIC as ACCURACY

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers
    from phraseproof.store.queries import Run

BEYOND_CHANCE = 0.05

HOW_NAMES: Mapping[str, str] = {
    "mean_probability": "mean probability",
    "mean_logprob": "mean log-probability",
    "majority": "majority vote",
}


@dataclass(frozen=True, slots=True)
class EnsembleReport:
    """The ensembles of a run at one number of demonstrations.

    Attributes:
        curves: of each task, then, where there are several tasks, of each category and of all.
        answers: which answers were chosen, by task.
        setting_line: what the numbers depend on; empty where it is not known.
        notes: what a reader must know to interpret the numbers.
    """

    path: str
    model: str
    scoring: str
    num_fewshot: int
    settings: EnsembleSettings
    curves: tuple[EnsembleCurve, ...]
    answers: tuple[TaskAnswers, ...]
    setting_line: str
    notes: tuple[str, ...]

    @property
    def shown(self) -> tuple[EnsembleCurve, ...]:
        """The curves without the row of a lone category, which repeats the overall one."""
        categories = sum(curve.level is Level.CATEGORY for curve in self.curves)
        return tuple(curve for curve in self.curves if curve.level is not Level.CATEGORY or categories > 1)

    @property
    def top(self) -> EnsembleCurve:
        """The overall curve, or that of a lone task."""
        return self.curves[-1]

    def baseline(self, curve: EnsembleCurve) -> str:
        """`chance 25.0, majority answer 25.0 ('billing')` of what a curve is about."""
        here = [
            task
            for task in self.answers
            if curve.level is Level.OVERALL or curve.name == (task.task if curve.level is Level.TASK else task.category)
        ]
        return baseline_line(here, ACCURACY)


def read_settings(how: str, sizes: str, calibration: str, *, seed: int = 0) -> EnsembleSettings:
    """The settings that options name.

    Args:
        sizes: numbers of wordings and `all`, separated by commas.

    Raises:
        UsageError: an unknown name, or something that is not a number of wordings.
    """
    known: list[How] = [name for name in HOWS if name == how]
    if not known:
        raise UsageError("no such way to combine answers", expected=f"one of: {', '.join(HOWS)}", got=how, where="how")
    if calibration not in CALIBRATIONS:
        raise UsageError(
            "no such calibration without further prompts",
            expected=f"one of: {', '.join(CALIBRATIONS)}",
            got=calibration,
            where="calibrate",
        )
    return EnsembleSettings(how=known[0], sizes=tuple(map(_size, sizes.split(","))), calibration=calibration, seed=seed)


def _size(entry: str) -> int:
    text = entry.strip()
    if text == "all":
        return ALL
    if not text.isdecimal() or int(text) < 1:
        raise UsageError("not a number of wordings", expected="1, 2, ... or all", got=entry, where="sizes")
    return int(text)


def ensemble_reports(
    run: Run, settings: EnsembleSettings, *, groups: Sequence[str] = (), tasks: Sequence[str] = ()
) -> list[EnsembleReport]:
    """The ensembles of every task of a run, one report for each number of demonstrations.

    Args:
        groups: the groups of wordings that members come from; all but controls by default.
        tasks: the tasks that are shown; all by default.

    Raises:
        UsageError: an unknown group or task, or a metric other than accuracy.
        NotEnoughDataError: no task has values of options, two wordings and ten examples.
        RunError: as `load_option_values`.
    """
    metric = metric_of(run)
    if metric.name != ACCURACY.name:
        raise UsageError(
            "ensembles choose among options and are judged by accuracy",
            got=f"the metric '{metric.name}'",
            where=run.name,
        )
    found = load_option_values(run)
    _require_known("--group", groups, [group for of in found for group in of.groups])
    _require_known("--task", tasks, [of.task for of in found])
    controls = control_groups(run)
    shown = [of for of in found if not tasks or of.task in tasks]
    kept = [part for of in shown if (part := _of_groups(of, groups, controls)) is not None]
    tokens, answers, line = prompt_tokens(run), answers_of(run), setting_line(run)
    reports: list[EnsembleReport] = []
    for shots in dict.fromkeys(of.num_fewshot for of in kept):
        notes: list[str] = []
        curves: list[EnsembleCurve] = []
        for of in (of for of in kept if of.num_fewshot == shots):
            try:
                curves.append(ensemble_curve(of, settings, tokens=tokens))
            except NotEnoughDataError as error:
                notes.append(f"Left out: {error}")
            if of.left_out:
                notes.append(f"{of.task}: {of.left_out} examples were not scored under every wording, and are left out")
        if curves:
            above = over_tasks(curves) if len(curves) > 1 else ()
            reports.append(
                EnsembleReport(run.name, model_name(run), run.scoring, shots, settings, (*curves, *above),
                               at_shots(answers, shots), line, tuple(notes))
            )  # fmt: skip
    if not reports:
        raise NotEnoughDataError(
            "no task has two wordings and ten examples that all of them were scored on", where=run.name
        )
    return reports


def _require_known(option: str, asked: Sequence[str], known: Sequence[str]) -> None:
    for name in asked:
        if name not in known:
            raise UsageError("no such name", expected=f"one of: {', '.join(dict.fromkeys(known))}", got=name,
                             where=option)  # fmt: skip


def _of_groups(of: OptionValues, groups: Sequence[str], controls: set[str]) -> OptionValues | None:
    """The wordings of the groups that were asked for; without a request all that are meant to be answered."""
    rows = [row for row, group in enumerate(of.groups) if (group in groups if groups else group not in controls)]
    return of.take(rows) if rows else None


def point_name(point: EnsemblePoint) -> str:
    """`3 greedy`, `all, batch`: size, way and calibration."""
    name = "all" if point.size == ALL else f"{point.size} {point.way}"
    return name if point.calibration == NONE else f"{name}, {point.calibration}"


def way_words(point: EnsemblePoint) -> str:
    """How members were chosen, in words."""
    if point.way == "all":
        return "all wordings"
    if point.size == 1:
        return "any wording" if point.way == "random" else "the best wording"
    words = {"random": "any wordings", "best": "the best wordings", "greedy": "chosen one by one"}
    return words[point.way]


def conclusion(curve: EnsembleCurve) -> str:
    """The cheapest ensemble that is better than the best single wording beyond chance, or that none is."""
    tested = [
        (point, point.gain_over_best, point.gain_over_best.p_value)
        for point in curve.points
        if point.gain_over_best is not None and point.gain_over_best.p_value is not None and point.way != "random"
    ]
    adjusted = holm([p for _, _, p in tested])
    better = [
        (point, gain)
        for (point, gain, _), p in zip(tested, adjusted, strict=True)
        if p < BEYOND_CHANCE and gain.estimate > 0
    ]
    if not better:
        return (
            "Nothing here is better beyond chance than the best single wording, chosen on other examples "
            "(p after Holm's correction)."
        )
    fewest = min(point.calls for point, _ in better)
    point, gain = max(((p, g) for p, g in better if p.calls == fewest), key=lambda each: each[1].estimate)
    calibrated = "" if point.calibration == NONE else f", calibrated ({point.calibration})"
    members = f": {', '.join(point.members)}" if point.members and point.way != "all" else ""
    return (
        f"The cheapest that is better beyond chance than the best single wording: {way_words(point)}, "
        f"{point.calls:g} call{'' if point.calls == 1 else 's'} per answer{calibrated}, "
        f"{100 * gain.estimate:+.1f} points{members}."
    )


def ensemble_results(reports: Sequence[EnsembleReport]) -> ResultTable:
    """A row for every statistic of every ensemble: accuracy, std, gain, gain over best, calls, tokens."""
    rows = [row for report in reports for curve in report.curves for row in _rows(report, curve)]
    notes = [
        note
        for report in reports
        for note in (*(f"{curve.name}: {conclusion(curve)}" for curve in report.shown), *report.notes)
    ]
    return ResultTable(tuple(rows), tuple(dict.fromkeys(notes)))


def _rows(report: EnsembleReport, curve: EnsembleCurve) -> Iterator[ResultRow]:
    source = RowSource(report.path, report.num_fewshot, report.scoring, ACCURACY)
    place = place_of(curve.level, curve.name, curve.category, "")
    for point in curve.points:
        name, count = point_name(point), point.accuracy.n
        spread = Finding("std", point.std or 0.0, count, "sample standard deviation over random choices of wordings")
        calls = Finding("calls", point.calls, count, "calls to the model per answer")
        tokens = Finding("tokens", point.tokens or 0.0, count, "prompt tokens per answer, all calls together")
        parts = [
            ("accuracy", point.accuracy, ("%", 100.0), True),
            ("std", spread, ("%", 100.0), point.std is not None),
            ("gain", point.gain, ("points", 100.0), True),
            ("gain over best", point.gain_over_best or spread, ("points", 100.0), point.gain_over_best is not None),
            ("calls", calls, ("", 1.0), True),
            ("tokens", tokens, ("", 1.0), point.tokens is not None),
        ]
        for statistic, finding, unit, is_known in parts:
            if is_known:
                yield finding_row(source, place, f"{statistic}: {name}", finding, unit)
