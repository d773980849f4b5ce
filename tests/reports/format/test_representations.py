"""Distances between wordings, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from phraseproof.reports.build.representations import representation_results
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.representations import as_json, as_text
from phraseproof.store.representations import Regression, RepresentationMap, TaskDistance, WordingDistance

TASKS = (
    TaskDistance("qa/one", "qa", 0, 2.0, 3.0, -0.04, 2, 1200),
    TaskDistance("qa/two", "qa", 0, 4.0, 3.5, -0.02, 3, 10),
    TaskDistance("bc/one", "bc", 0, 1.5, None, None, 1, 10),
)
WORDINGS = (
    WordingDistance("qa/one", "qa", 0, "new", "new/w0", 2.0, 3.0, 0.5, -0.04),
    *(
        WordingDistance(task, "qa", 0, "new", f"new/w{n}", 2.0, 3.0, None, None)
        for task, numbers in (("qa/one", (1,)), ("qa/two", (0, 1, 2)))
        for n in numbers
    ),
    WordingDistance("bc/one", "bc", 0, "new", "new/w9", 1.5, None, None, None),
)
MAP = RepresentationMap(
    reference="observed",
    points=(),
    distances=WORDINGS,
    tasks=TASKS,
    regression=Regression(-1.5, 0.2, -2.5, -0.5, 0.0004, 0.81, 6),
    task_regression=None,
    regression_reason=None,
    settings={"seed": 0},
    notes=("one note",),
)


def cells(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [name]]
    return line.split()[1:]


def test_a_row_per_task_and_the_mean_of_a_category_with_several() -> None:
    text = as_text(MAP, Screen(100))
    assert text.splitlines()[0].split() == ["distance", "before", "accuracy", "wordings", "examples"]
    assert cells(text, "qa/one") == ["2.00", "3.00", "-4.0", "2", "1,200"]
    assert cells(text, "bc/one") == ["1.50", "n/a", "n/a", "1", "10"]
    # (2 + 4) / 2, (3 + 3.5) / 2, (-4 - 2) / 2 points, 2 and 3 wordings of which 2 are the same, 1200 + 10 examples.
    assert cells(text, "qa") == ["3.00", "3.25", "-3.0", "3", "1,210"]
    assert not any(line.split()[:1] == ["bc"] for line in text.splitlines())


def test_sentences_say_what_the_regression_found_and_what_moved() -> None:
    text = " ".join(as_text(MAP, Screen(200)).split())
    assert (
        "Over 6 wordings: -1.5 points of accuracy for each unit of distance (95% interval -2.5 to -0.5, p < 0.001"
        in text
    )
    assert "Nearer than before in 1 of 2 tasks" in text


@pytest.mark.parametrize(
    ("accuracy", "reason"),
    [(None, "phraseproof evaluate with the same --out adds them"), (0.5, "distance: all distances are equal")],
)
def test_without_a_regression_there_is_a_reason(accuracy: float | None, reason: str) -> None:
    wordings = tuple(each._replace(accuracy=accuracy) for each in WORDINGS)
    found = replace(MAP, regression=None, regression_reason="all distances are equal", distances=wordings)
    text = as_text(found, Screen(200))
    assert "No regression of accuracy on distance: " in text
    assert reason in text


def test_json_holds_everything_in_full_precision() -> None:
    shown = json.loads(as_json(MAP, representation_results(MAP, run="runs/a")))
    assert shown["tasks"][0] == TASKS[0]._asdict()
    assert shown["wordings"] == [each._asdict() for each in WORDINGS]
    assert shown["regression"]["p_value"] == 0.0004
    assert (shown["task_regression"], shown["points"], shown["notes"]) == (None, 0, ["one note"])


def test_text_fits_a_narrow_screen() -> None:
    assert max(map(len, as_text(MAP, Screen(60)).splitlines())) <= 60
