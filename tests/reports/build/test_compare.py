"""Two runs side by side, before any format."""

from pathlib import Path

import pytest

from phraseproof.core import Finding
from phraseproof.reports.build.compare import compare, difference_words, direction_words
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_categories_come_above_their_tasks_and_groups_last(tmp_path: Path) -> None:
    first, second = (load_run(write_run(tmp_path / name, bonus=bonus)) for name, bonus in (("a", 0.0), ("b", 0.2)))
    (found,) = compare(first, second)
    names = [line.group or line.name for line in found.lines]
    assert names == ["KB", "kb/colours", "kb/shapes", "Tone", "tone/polite", "Overall", "observed", "unobserved"]
    assert found.top.name == "Overall"
    assert found.top.finding.estimate == pytest.approx(found.top.after - found.top.before)


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.01, 0.2, "Better."),
        (-0.2, -0.01, "Worse."),
        (-0.1, 0.1, "No difference shown."),
        (None, None, "No difference shown."),
    ],
)
def test_a_change_is_named_only_if_its_interval_excludes_zero(low: float | None, high: float | None, word: str) -> None:
    assert direction_words(Finding("d", 0.0, 1, "m", low, high)) == word


def test_a_difference_in_words() -> None:
    found = Finding("d", 0.0123, 1, "m", -0.003, 0.027, 0.12)
    assert difference_words(found) == "+1.2 points, 95% interval -0.3 to +2.7, p = 0.120"
