"""Ensembles as text for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.ensemble_points import NONE, EnsembleCurve, EnsemblePoint, Way
from phraseproof.core import Finding
from phraseproof.reports.build.ensembles import HOW_NAMES, EnsembleReport, conclusion, ensemble_results
from phraseproof.reports.build.numbers import NO_DATA, difference_in_unit, value_in_unit
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.results import results_json
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.scoring.accuracy import METRIC as ACCURACY

FORMAT_VERSION = 1

_WIDE = 100
_LEGEND = (
    "Chosen: any (at random), best (by their own accuracies), greedy (each the best addition to those before), all. "
    "Wordings are chosen and calibrated on other examples than those that judge them. Accuracy in percent "
    "and gains in points have 95% intervals over examples; of any wordings, for one random choice, and Std is over "
    "such choices. Gains are over a mean wording, and over the best single one, both uncalibrated."
)
_WAYS: Mapping[Way, str] = {"random": "any", "best": "best", "greedy": "greedy", "all": "all"}


def render_text(reports: Sequence[EnsembleReport], screen: Screen, *, by_task: bool = False) -> str:
    """For each run and number of demonstrations a table of ensembles, and what it means.

    Args:
        by_task: every task and category too, not only the last.
    """
    blocks: list[RenderableType] = []
    for report in reports:
        shots = f", {report.num_fewshot}-shot" if report.num_fewshot else ""
        how = HOW_NAMES[report.settings.how]
        blocks.append(Text(printable(f"{report.model}{shots}: ensembles of wordings by {how}"), style="bold"))
        blocks.append(Text(printable(report.path), style="dim"))
        blocks += [Text(printable(report.setting_line), style="dim")] if report.setting_line else []
        blocks.append(Text())
        for curve in report.shown if by_task else report.shown[-1:]:
            blocks += [*_curve(report, curve, screen), Text()]
        blocks.append(Text(_LEGEND, style="dim"))
        blocks += [Text(printable(f"Note: {note}"), style="yellow") for note in report.notes]
        blocks.append(Text())
    return print_blocks(blocks, screen)


def _curve(report: EnsembleReport, curve: EnsembleCurve, screen: Screen) -> Iterator[RenderableType]:
    size = f"{curve.wordings} wordings, {curve.examples:,} examples"
    yield Text(printable(f"{curve.name}: {size}"), style="bold")
    if line := report.baseline(curve):
        yield Text(printable(line))
    for calibration in dict.fromkeys(point.calibration for point in curve.points):
        if calibration != NONE:
            yield Text(f"\nEach wording calibrated ({calibration})")
        yield _table([point for point in curve.points if point.calibration == calibration], screen)
    yield Text()
    yield Text(printable(conclusion(curve)))


def _table(points: Sequence[EnsemblePoint], screen: Screen) -> Table:
    wide = screen.width >= _WIDE
    has_tokens = any(point.tokens is not None for point in points)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("calls", justify="right", no_wrap=True)
    if has_tokens:
        table.add_column("tokens", justify="right", no_wrap=True)
    table.add_column("chosen", no_wrap=True)
    for heading in ("accuracy", "Std", "gain", "over best"):
        table.add_column(heading, justify="right", overflow="fold")
    for point in points:
        table.add_row(*map(Text, _cells(point, wide=wide, has_tokens=has_tokens)))
    return table


def _cells(point: EnsemblePoint, *, wide: bool, has_tokens: bool) -> list[str]:
    cells = [f"{point.calls:.3g}"]
    if has_tokens:
        cells.append(NO_DATA if point.tokens is None else f"{point.tokens:,.0f}")
    cells.append(_WAYS[point.way])
    std = "" if point.std is None else value_in_unit(point.std, ACCURACY)
    gains = [_with_interval(each, wide=wide, signed=True) for each in (point.gain, point.gain_over_best)]
    return [*cells, _with_interval(point.accuracy, wide=wide, signed=False), std, *gains]


def _with_interval(found: Finding | None, *, wide: bool, signed: bool) -> str:
    if found is None:
        return ""

    def show(value: float) -> str:
        return difference_in_unit(value, ACCURACY) if signed else value_in_unit(value, ACCURACY)

    if found.low is None or found.high is None:
        return show(found.estimate)
    return f"{show(found.estimate)}{' ' if wide else chr(10)}({show(found.low)} to {show(found.high)})"


def render_json(reports: Sequence[EnsembleReport]) -> str:
    """`{"format_version", "ensembles": [...], "results": {"rows": [...], "notes": [...]}}`."""
    document = {
        "format_version": FORMAT_VERSION,
        "ensembles": [_report(report) for report in reports],
        "results": results_json(ensemble_results(reports)),
    }
    return render_document(document)


def _report(report: EnsembleReport) -> dict[str, object]:
    return {
        "run": report.path,
        "model": report.model,
        "num_fewshot": report.num_fewshot,
        "how": report.settings.how,
        "calibration": report.settings.calibration,
        "folds": report.settings.folds,
        "seed": report.settings.seed,
        "curves": [
            {
                "level": curve.level.value,
                "name": curve.name,
                "wordings": curve.wordings,
                "examples": curve.examples,
                "meaning": conclusion(curve),
                "points": [_point(point) for point in curve.points],
            }
            for curve in report.shown
        ],
        "notes": list(report.notes),
    }


def _point(point: EnsemblePoint) -> dict[str, object]:
    return {
        "size": point.size or "all",
        "way": point.way,
        "calibration": point.calibration,
        "calls": point.calls,
        "tokens": point.tokens,
        "accuracy": _finding(point.accuracy),
        "std_percent": None if point.std is None else 100 * point.std,
        "gain": _finding(point.gain),
        "gain_over_best": None if point.gain_over_best is None else _finding(point.gain_over_best),
        "members": list(point.members),
    }


def _finding(found: Finding) -> dict[str, object]:
    return {
        "estimate": 100 * found.estimate,
        "low": None if found.low is None else 100 * found.low,
        "high": None if found.high is None else 100 * found.high,
        "p_value": found.p_value,
        "method": found.method,
    }
