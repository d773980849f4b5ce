"""The table of effects at a terminal."""

from __future__ import annotations

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.calibration_effects import Effect
from phraseproof.core import Finding
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.calibration_text import render


def effect(method: str, gain: Finding) -> Effect:
    before = {"mean": Finding("mean", 0.5, 10, "m", 0.4, 0.6), "std": Finding("std", 0.1, 10, "m")}
    return Effect(method, Level.TASK, "t", 0, before, {"mean": Finding("mean", 0.6, 10, "m", 0.5, 0.7)}, gain)


def test_rows_are_what_was_stored_and_each_method() -> None:
    found = [
        effect("batch", Finding("g", 0.1, 10, "m", 0.02, 0.2)),
        effect("pride", Finding("g", -0.1, 10, "m", -0.2, -0.02)),
        effect("per-byte", Finding("g", 0.0, 10, "m")),
    ]
    text = render(found, ["a model", "runs/a"], Screen(100, color=False))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[:2] == ["a model", "runs/a"]
    assert "t, 0-shot" in lines
    assert "accuracy Std worst wording gain" in lines
    assert "as stored 50.0 [40.0, 60.0] 10.0 n/a" in lines
    assert "batch 60.0 [50.0, 70.0] n/a n/a +10.0 [+2.0, +20.0]" in lines
    assert "pride 60.0 [50.0, 70.0] n/a n/a -10.0 [-20.0, -2.0]" in lines
    assert "t: batch: accuracy is higher; a better worst wording is not shown." in " ".join(lines)
    assert "per-byte 60.0 [50.0, 70.0] n/a n/a 0.0" in lines
    coloured = render(found, [], Screen(100, color=True))
    assert "\x1b[32m" in coloured
    assert "\x1b[31m" in coloured
