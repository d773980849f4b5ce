"""Effects of calibration as rows."""

from __future__ import annotations

import pytest

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.calibration_effects import Effect
from phraseproof.core import Finding
from phraseproof.reports.build.calibration import calibration_results, effect_lines


def an_effect(method: str, name: str = "t", gain: float = 0.1) -> Effect:
    before = {"mean": Finding("mean", 0.5, 10, "m", 0.4, 0.6)}
    after = {"mean": Finding("mean", 0.5 + gain, 10, "m", 0.45, 0.65)}
    level = Level.OVERALL if name == "Overall" else Level.TASK
    return Effect(method, level, name, 0, before, after, Finding("after minus before", gain, 10, "m", gain, gain, 0.01))


def test_the_stored_scoring_is_there_once_per_task_and_each_method_with_its_gain() -> None:
    table = calibration_results(
        "runs/a", "loglikelihood", [an_effect("batch"), an_effect("pride"), an_effect("batch", "Overall")], ["note"]
    )
    assert [(row.task, row.scoring, row.statistic, row.unit) for row in table] == [
        ("t", "loglikelihood", "mean", "%"),
        ("t", "loglikelihood+batch", "mean", "%"),
        ("t", "loglikelihood+batch", "gain", "points"),
        ("t", "loglikelihood+pride", "mean", "%"),
        ("t", "loglikelihood+pride", "gain", "points"),
        ("", "loglikelihood", "mean", "%"),
        ("", "loglikelihood+batch", "mean", "%"),
        ("", "loglikelihood+batch", "gain", "points"),
    ]
    assert (table[0].estimate, table[0].low, table[0].high) == pytest.approx((50, 40, 60))
    assert table[2].estimate == pytest.approx(10)
    assert table[2].p_value == 0.01
    assert table.notes == ("note",)


def test_a_line_per_task_says_what_is_shown() -> None:
    def of(method: str, gain: tuple[float, float], worst: tuple[float, float]) -> Effect:
        before = {"worst": Finding("worst", 0.4, 10, "m", 0.3, 0.5)}
        after = {"worst": Finding("worst", sum(worst) / 2, 10, "m", *worst)}
        found = Finding("after minus before", sum(gain) / 2, 10, "m", *gain)
        return Effect(method, Level.TASK, "t", 0, before, after, found)

    found = [
        of("a", (0.1, 0.2), (0.4, 0.6)),
        of("b", (0.1, 0.2), (0.6, 0.8)),
        of("c", (-0.1, 0.2), (0.6, 0.8)),
        of("d", (-0.1, 0.2), (0.4, 0.8)),
        of("e", (-0.2, -0.1), (0.6, 0.8)),
        of("f", (0.0, 0.0), (0.3, 0.5)),
        of("g", (-0.1, 0.1), (0.4, 0.8)),
    ]
    (line,) = effect_lines(found)
    assert line.removeprefix("t: ").split(". ") == [
        "a: accuracy is higher; a better worst wording is not shown",
        "b: accuracy is higher; so is that of the worst wording",
        "c: the worst wording is better; a higher mean accuracy is not shown",
        "d, g: no gain is shown",
        "e: accuracy is lower",
        "f: nothing changes.",
    ]
