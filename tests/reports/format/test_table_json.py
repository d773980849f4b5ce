"""The JSON format, read by the json module."""

import json

import pytest

from phraseproof.reports.build.run_tables import RunScores
from phraseproof.reports.format.tables import By, TableFormat, render
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.table_samples import FORMULA, HOSTILE, NASTY, RUN, scores


def test_by_task():
    (table,) = json.loads(render([RUN], form=TableFormat.JSON).text)["tables"]
    assert (table["model"], table["run"], table["num_fewshot"]) == ("org/model", "runs/base", 0)
    assert (table["groups"], table["reference_group"]) == (["observed", "unobserved"], "observed")
    task = table["tasks"][0]
    assert (task["name"], task["level"], task["category"]) == ("qa/one", "task", "qa")
    assert task["groups"]["observed"] == {
        "mean_percent": pytest.approx(53),
        "std_percent": pytest.approx(3.605551),
        "num_wordings": 3,
        "num_tasks": 1,
    }
    assert task["differences"] == {"unobserved": {"percentage_points": pytest.approx(-8), "num_tasks": 1}}
    assert [row["name"] for row in table["categories"]] == ["qa", "bc"]
    assert table["overall"]["category"] is None
    (comparison,) = table["comparisons"]
    assert comparison["num_tasks"] == 3
    assert comparison["difference_percentage_points"] == pytest.approx(-3)
    assert comparison["interval_low_percentage_points"] < -3 < comparison["interval_high_percentage_points"]
    assert 0 < comparison["p_value"] < 1
    assert comparison["why_not"] is None


def test_not_enough_data_is_null():
    run = RunScores("r", "m", scores({"t": {"a": [0.5], "b": [0.5]}}), metric=ACCURACY)
    (table,) = json.loads(render([run], form=TableFormat.JSON).text)["tables"]
    assert table["overall"]["groups"]["a"]["std_percent"] is None
    assert table["comparisons"][0]["p_value"] is None
    assert "at least two tasks" in table["comparisons"][0]["why_not"]
    assert len(table["notes"]) == 2


def test_by_wording_holds_whole_texts():
    document = json.loads(render([HOSTILE], form=TableFormat.JSON, by=By.WORDING).text)
    assert document["by"] == "wording"
    first = document["tables"][0]["rankings"][0]["wordings"][1]
    assert first["text"] == f"{NASTY}\nsecond line"
    assert first["mark"] == "worst"
    assert first["mean_percent"] == 25


def test_an_unknown_text_is_null():
    document = json.loads(render([RUN], form=TableFormat.JSON, by=By.WORDING).text)
    texts = {each["instruction"]: each["text"] for each in document["tables"][0]["rankings"][0]["wordings"]}
    assert texts == {"observed/0": "Say which.", "observed/1": FORMULA, "observed/2": None}
