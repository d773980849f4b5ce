"""The document of a search: every number of its tables, and what repeats it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from phraseproof.analysis.option_values import load_option_values, scores
from phraseproof.hardening import MethodSearch
from phraseproof.reduction.search_document import search_json
from phraseproof.reduction.search_results import search_table
from support.method_searches import LABEL, method_search


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> MethodSearch:
    return method_search(tmp_path_factory.mktemp("search"), skill=3.0, seeds=2)


def test_the_document_names_sets_trainings_and_the_choice(found: MethodSearch) -> None:
    document = json.loads(search_json(found))
    assert document["chosen"] == {"method": "lora", "learning_rate": 0.001}
    assert document["recommendation"] == found.recommendation
    assert [each["set"] for each in document["trainings"]] == ["training"] * 2 + ["refitting"] * 2
    assert document["trainings"][0]["tokens"] == 41_000
    sets = document["sets"]
    assert set(sets) == {"training", "validation", "test", "unseen"}
    assert not set(sets["training"]["wordings"]) & set(sets["test"]["wordings"])
    runs = [path for of_set in document["runs"].values() for paths in of_set.values() for path in paths]
    assert len(runs) == 2 * (1 + 2)
    assert all((Path(path) / "run.json").exists() for path in runs)
    assert len(document["rows"]) == len(search_table(found).rows)


def test_the_document_holds_every_wording_and_what_repeats_the_search(found: MethodSearch) -> None:
    document = json.loads(search_json(found))
    assert document["settings"]["methods"] == ["pt", "lora"]
    assert document["settings"]["seeds"] == [0, 1]
    assert document["settings"]["alignment"]["max_steps"] == found.settings.alignment.max_steps
    assert "learning_rate" not in document["settings"]["alignment"]
    of_wordings = [load_option_values(run) for run in found.test.trained[LABEL]]
    (of,) = (values for values in of_wordings[0] if values.task == "t1")
    seeds = [next(values for values in each if values.task == "t1") for each in of_wordings]
    expected = np.mean([scores(each.values, each).mean(axis=1) for each in seeds], axis=0).tolist()
    stored = {
        each["wording"]: each["accuracy_percent"]
        for each in document["wordings"]
        if (each["set"], each["task"], each["way"]) == ("test", "t1", LABEL)
    }
    assert stored == pytest.approx(dict(zip(of.wordings, (100 * each for each in expected), strict=True)))
    levels = {(each["set"], each["task"]): each for each in document["levels"]}
    assert set(levels) == {(name, task) for name in ("test", "unseen") for task in ("t1", "t2", "")}
    assert levels["test", "t1"]["chance_percent"] == pytest.approx(100 / 3)
    trained = [(each["name"], each["is_calibrated"]) for each in document["ways"] if each["is_trained"]]
    assert trained == [(LABEL, False), (f"{LABEL}, calibrated", True)]
