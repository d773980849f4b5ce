"""The rows of a gate equal the run's statistics, and their distances to the limits are what is left."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

import phraseproof
from phraseproof.store.queries import load_run
from support.report_runs import write_run


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run", tasks={"tone/polite": "Tone"}, examples=20)


def test_a_check_is_two_rows_with_what_was_measured_and_its_distance_to_the_limit(path: Path) -> None:
    scores = load_run(path).wording_scores()
    means = {
        group: fmean(100 * score.mean_score for score in scores if score.group == group)
        for group in ("observed", "unobserved")
    }
    limit = round(fmean(means.values()), 3)
    found = phraseproof.gate(path, min_mean=limit)
    assert len(found.results) == 4
    for group, mean in means.items():
        measured, distance = found.results.select(group=group)
        assert (measured.statistic, measured.unit, measured.task) == ("mean", "%", "tone/polite")
        assert measured.estimate == pytest.approx(mean)
        assert (distance.statistic, distance.unit) == (f"distance to --min-mean {limit:g}", "points")
        assert distance.estimate == pytest.approx(mean - limit)
        assert distance.method.startswith("kept: " if mean >= limit else "broken: ")
        (same,) = phraseproof.analyze(path).select(level="task", group=group, statistic="mean")
        assert (measured.low, measured.high, measured.n) == (same.low, same.high, same.n)
    assert sum(note.startswith("broken: --min-mean") for note in found.results.notes) == len(found.broken) == 1


def test_a_gap_is_a_difference_and_its_distance_has_the_other_sign(path: Path) -> None:
    gap, distance = phraseproof.gate(path, max_gap=1).results
    (same,) = phraseproof.analyze(path).select(level="task", statistic="difference from observed")
    assert (gap.statistic, gap.unit, gap.estimate) == (same.statistic, "points", same.estimate)
    assert distance.estimate == pytest.approx(1 + gap.estimate)


def test_a_check_without_enough_data_has_no_rows_and_a_note(tmp_path: Path) -> None:
    lone = {"observed": 1}
    path = write_run(tmp_path / "lone", tasks={"tone/polite": "Tone"}, groups=lone)
    found = phraseproof.gate(path, max_spread=50)
    assert len(found.results) == 0
    assert "cannot be shown" in found.results.notes[0]
