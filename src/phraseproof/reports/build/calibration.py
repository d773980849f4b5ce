"""The effects of calibration as rows of the result table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.calibration_effects import Effect
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.core import Finding
from phraseproof.scoring.calibrated import PLUS

_AFTER_LAST = "gain"
_NO_WORST = "a better worst wording is not shown"


def calibration_results(run: str, scoring: str, effects: Sequence[Effect], notes: Sequence[str]) -> ResultTable:
    """One row per task, scoring and statistic; `gain` is the difference from the mean before the correction.

    Args:
        run: the run folder.
        scoring: the scorer that was corrected.
        effects: of one or several methods.
        notes: what a reader must know.
    """
    rows: list[ResultRow] = []
    seen: set[tuple[str, int]] = set()
    for effect in effects:
        if (effect.name, effect.num_fewshot) not in seen:
            seen.add((effect.name, effect.num_fewshot))
            rows += _rows(run, scoring, effect, effect.before.items())
        after = f"{scoring}{PLUS}{effect.method}"
        rows += _rows(run, after, effect, [*effect.after.items(), (_AFTER_LAST, effect.gain)])
    return ResultTable(tuple(rows), tuple(notes))


def effect_lines(effects: Sequence[Effect]) -> list[str]:
    """What is shown on each task, in a line per task; methods with the same result are named together."""
    lines: list[str] = []
    for name, shots in dict.fromkeys((effect.name, effect.num_fewshot) for effect in effects):
        methods: dict[str, list[str]] = {}
        for effect in effects:
            if (effect.name, effect.num_fewshot) == (name, shots):
                methods.setdefault(_result(effect), []).append(effect.method)
        lines.append(f"{name}: " + " ".join(f"{', '.join(found)}: {result}." for result, found in methods.items()))
    return lines


def _result(effect: Effect) -> str:
    """What the intervals of one effect show.

    The worst wording is better if its whole interval after the correction is above that before.
    """
    low, high = effect.gain.low, effect.gain.high
    before, after = effect.before.get("worst"), effect.after.get("worst")
    highest, lowest = before.high if before else None, after.low if after else None
    is_worst_better = highest is not None and lowest is not None and lowest > highest
    if effect.does_harm:
        return "accuracy is lower"
    if low is not None and low > 0:
        return f"accuracy is higher; {'so is that of the worst wording' if is_worst_better else _NO_WORST}"
    if low == high == 0:
        return "nothing changes"
    return "the worst wording is better; a higher mean accuracy is not shown" if is_worst_better else "no gain is shown"


def _rows(run: str, scoring: str, effect: Effect, findings: Iterable[tuple[str, Finding]]) -> Iterator[ResultRow]:
    for statistic, finding in findings:
        yield ResultRow(
            run=run,
            num_fewshot=effect.num_fewshot,
            scoring=scoring,
            level=effect.level,
            task=effect.name if effect.level is Level.TASK else "",
            statistic=statistic,
            estimate=100 * finding.estimate,
            low=None if finding.low is None else 100 * finding.low,
            high=None if finding.high is None else 100 * finding.high,
            p_value=finding.p_value,
            n=finding.n,
            method=finding.method,
            unit="points" if statistic == _AFTER_LAST else "%",
        )
