"""The effects of calibration as rows of the result table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.calibration_effects import Effect
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.core import Finding
from phraseproof.scoring.calibrated import PLUS

_AFTER_LAST = "gain"


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


def _rows(run: str, scoring: str, effect: Effect, findings: Iterable[tuple[str, Finding]]) -> Iterator[ResultRow]:
    for statistic, finding in findings:
        yield ResultRow(
            run=run,
            num_fewshot=effect.num_fewshot,
            scoring=scoring,
            level=effect.level,
            category="",
            task=effect.name if effect.level is Level.TASK else "",
            group="",
            wording="",
            statistic=statistic,
            estimate=100 * finding.estimate,
            low=None if finding.low is None else 100 * finding.low,
            high=None if finding.high is None else 100 * finding.high,
            p_value=finding.p_value,
            n=finding.n,
            method=finding.method,
            unit="points" if statistic == _AFTER_LAST else "%",
        )
