"""The result of a search is kept in its folder, and says what was reported there before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phraseproof.evaluation.observer import SilentObserver
from phraseproof.hardening import MethodSearch
from phraseproof.reduction import method_search as module
from phraseproof.reduction.method_search import search_and_keep
from phraseproof.reduction.search_results import search_notes, search_table
from phraseproof.reports.build.searches import read_search
from support.method_searches import method_search


class Listener(SilentObserver):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warned(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> MethodSearch:
    return method_search(tmp_path_factory.mktemp("search"), skill=3.0)


def trained(found: MethodSearch, name: str) -> MethodSearch:
    """The same search with another trained model in the report."""
    (refitted,) = found.refitted
    trainings = tuple(each._replace(folder=Path("trainings", name, "trained")) for each in refitted.trainings)
    return replace(found, refitted=(refitted._replace(trainings=trainings),))


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def search(result: MethodSearch, observer: Listener | None = None) -> tuple[MethodSearch, dict[str, Any]]:
        monkeypatch.setattr(module, "run_search", lambda *_, **__: result)
        given: Any = None
        kept = search_and_keep("m", given, tmp_path, result.settings, observers=(observer, None))
        return kept, json.loads((tmp_path / "search.json").read_text())

    return search


def test_the_file_holds_the_result(keep: Any, found: MethodSearch, tmp_path: Path) -> None:
    kept, document = keep(found)
    assert kept == found
    assert document["recommendation"] == found.recommendation
    assert tuple(read_search(tmp_path).found.rows) == search_table(found).rows
    (look,) = document["looks"]
    assert set(look["examples"]) == {"t1", "t2"}
    assert look["reported"] == ["lora at 0.001"]


def test_every_other_look_at_the_test_set_is_said_and_kept(keep: Any, found: MethodSearch) -> None:
    searches = [trained(found, f"lora-{number}") for number in range(3)]
    notes = [tuple(search_notes(keep(each)[0])) for each in (searches[0], searches[0], searches[1], searches[2])]
    seen = [[note for note in each if note.startswith("This test set has been looked at")] for each in notes]
    assert seen[:2] == [[], []]  # the same command again shows nothing new
    assert "looked at once before, with other trained models: lora at 0.001." in seen[2][0]
    assert "looked at 2 times before, with other trained models: lora at 0.001; lora at 0.001." in seen[3][0]
    _, document = keep(searches[2])
    assert [look["models"] for look in document["looks"]] == [["lora-0"], ["lora-1"], ["lora-2"]]
    assert seen[3][0] in document["notes"]


def test_another_split_is_another_test_set(keep: Any, found: MethodSearch) -> None:
    keep(trained(found, "lora-0"))
    (task, *others) = found.plan.test.tasks
    fewer = replace(task, examples=task.examples[1:])
    plan = found.plan._replace(test=found.plan.test._replace(tasks=(fewer, *others)))
    kept, _ = keep(replace(trained(found, "lora-1"), plan=plan))
    assert len(kept.earlier) == 1  # the other task's test set is the same
    plan = found.plan._replace(test=found.plan.test._replace(tasks=(fewer,)))
    kept, document = keep(replace(trained(found, "lora-2"), plan=plan))
    assert [look.models for look in kept.earlier] == [["lora-1"]]
    assert len(document["looks"]) == 3


def test_files_of_earlier_versions_count_and_damaged_ones_do_not_stop_a_search(
    keep: Any, found: MethodSearch, tmp_path: Path
) -> None:
    _, document = keep(trained(found, "lora-0"))
    del document["looks"]
    (tmp_path / "search.json").write_text(json.dumps(document))
    kept, _ = keep(trained(found, "lora-1"))
    assert [(look.models, look.reported) for look in kept.earlier] == [(("lora-0",), ("lora at 0.001",))]
    (tmp_path / "search.json").write_text("{}")
    listener = Listener()
    kept, document = keep(trained(found, "lora-2"), listener)
    assert kept.earlier == ()
    assert len(document["looks"]) == 1
    assert "so it is not known whether the test set was looked at before" in listener.warnings[0]
