"""Every wording as a dot."""

import json

from phraseproof.analysis.ranking import rank_wordings
from phraseproof.reports.charts.strip import strip
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.other_metrics import LETTERS
from support.table_samples import RUN, scores


def test_every_wording_of_every_task_is_a_dot() -> None:
    chart = strip(rank_wordings(RUN.scores), ACCURACY, current="observed/0")
    first = next(iter(chart.data.values()))
    assert chart.kind == "strip"
    assert len(first) == len(RUN.scores)
    assert {row["task"] for row in first} == {"qa/one", "qa/two", "bc/one"}


def test_numbers_count_the_wordings_that_have_one_accuracy() -> None:
    values = [0.25] * 7 + [0.5] * 3 + [0.75] * 2 + [0.255] * 3
    chart = strip(rank_wordings(scores({"t/x": {"g": values}})), ACCURACY)
    # Two fit beside each other; the number of 25.5% would overlap the larger one of 25%.
    assert {row["accuracy_percent"]: row["wordings"] for row in chart.data["counts"]} == {25.0: 7, 50.0: 3}


def test_chance_is_drawn_in_its_task_unless_it_is_far_from_every_wording() -> None:
    rankings = rank_wordings(scores({"t/x": {"g": [0.3, 0.6]}, "t/y": {"g": [0.9, 0.95]}}))
    chart = strip(rankings, ACCURACY, chance={"t/x": 0.25, "t/y": 0.5})
    assert {row["row"]: row["chance_percent"] for row in chart.data["chance"]} == {"t/x": 25.0, "t/y": 50.0}
    far = strip(rank_wordings(scores({"t/y": {"g": [0.9, 0.95]}})), ACCURACY, chance={"t/y": 0.5})
    assert far.data["chance"] == []
    assert "chance outside: 50.0" in json.dumps(far.spec)


def test_another_metric_is_drawn_in_its_unit() -> None:
    chart = strip(rank_wordings(scores({"t/x": {"g": [12.5, 40.0]}})), LETTERS)
    assert [row["score"] for row in chart.data["wordings"]] == [40.0, 12.5]
    (mean,) = chart.data["means"]
    assert (mean["mean"], mean["lowest"], mean["highest"]) == (26.25, 12.5, 40.0)
    assert chart.title == "Every wording's length, by task"
    assert "from 12.5 letters to 40 letters over 2 wordings" in chart.description
    assert chart.data["chance"] == []
    axis = chart.spec["layer"][1]["encoding"]["x"]["axis"]
    assert axis["title"] == "length (letters)"
    assert "%" not in str(chart.spec)


def test_many_wordings_of_nearly_one_accuracy_are_a_line_that_says_how_many() -> None:
    values = [0.5 + n / 10_000 for n in range(310)] + [0.1, 0.9]
    chart = strip(rank_wordings(scores({"t/x": {"g": values}})), ACCURACY, current="g/0")
    dots = {row["wording"] for row in chart.data["wordings"] if "_offset" in row}
    lines = chart.data["lines"]
    assert len(chart.data["wordings"]) == 312
    # All but the lone ones, the current one, and what is next to the lines.
    assert sum(row["wordings"] for row in lines) + len(dots) - 1 == 312
    assert {"g/0", "g/310", "g/311"} <= dots
    (number,) = chart.data["counts"]
    assert number["wordings"] == max(row["wordings"] for row in lines)
    lengths = {row["_length"] / row["wordings"] for row in lines}
    assert max(lengths) - min(lengths) < 1e-9
    assert "line: many wordings; the number is that of the longest" in json.dumps(chart.spec)
    assert f"they are one line ({len(lines)} lines)" in chart.description
    assert all(row["from_percent"] <= row["accuracy_percent"] <= row["to_percent"] for row in lines)


def test_few_wordings_are_dots_only() -> None:
    chart = strip(rank_wordings(scores({"t/x": {"g": [0.5] * 300}})), ACCURACY)
    assert chart.data["lines"] == []
    assert all("_offset" in row for row in chart.data["wordings"])
    assert "line:" not in json.dumps(chart.spec)
