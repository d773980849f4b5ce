"""A whole search, on a tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.analysis.grids import load_grids
from phraseproof.hardening.search import MethodSearch, run_search
from phraseproof.hardening.search_plan import SearchInput
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.instructions.collections import Collection
from phraseproof.reduction.search_results import search_table
from phraseproof.store.queries import Run
from phraseproof.store.training_record import read_record
from support.harden_data import make_task, make_wordings
from support.tiny_models import tiny_llama

GIVEN = SearchInput(
    [make_task(size=36)], [Collection("mine", make_wordings(9))], [make_task("unseen", 20)], [make_task("check", 20)]
)
SETTINGS = SearchSettings(
    ("pt", "pt+kl"),
    {"pt": (1e-3, 1e-1), "": (1e-3,)},
    AlignmentSettings(max_steps=2, num_tokens=2, held_out_fraction=0.0),
    seeds=(0, 3),
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> MethodSearch:
    return run_search(str(tiny_llama()), GIVEN, tmp_path_factory.mktemp("search"), SETTINGS)


def _runs(search: MethodSearch) -> Iterator[Run]:
    for report in search.reports:
        yield report.base
        for runs in report.trained.values():
            yield from runs


def test_the_report_is_on_what_neither_training_nor_search_saw(found: MethodSearch) -> None:
    reported = {(cell.task, cell.instruction) for run in _runs(found) for cell in run.cells}
    assert {task for task, _ in reported} == {"parity", "unseen", "check"}
    examples = {row["example_id"] for row in found.test.base.outcomes().to_pylist()}
    trained = {
        wording for each in found.refitted for training in each.trainings for wording in _wordings(training.folder)
    }
    assert len(trained) == 2 + 3
    assert not {name for _, name in reported} & trained
    used = {each.id for each in found.plan.refitting.tasks[0].examples}
    assert not examples & used


def _wordings(folder: Path) -> set[str]:
    """The names of the wordings that a training's record holds."""
    record = read_record(folder)
    assert record is not None
    asks = {item.ask: item.name for item in make_wordings(9)}
    return {asks[text] for text in record["wordings"].values()}


def test_every_candidate_has_the_same_budget(found: MethodSearch) -> None:
    assert [each.candidate.label for each in found.searched] == [
        "pt at 0.001", "pt at 0.1", "pt+kl at 0.001",
    ]  # fmt: skip
    costs = {training.cost for each in found.searched for training in each.trainings}
    assert len(costs) == 1
    assert costs.pop().steps == 2
    assert all(len(each.trainings) == 1 for each in found.searched)


def test_the_best_on_validation_is_refitted_with_every_seed(found: MethodSearch) -> None:
    best = max(each.score for each in found.searched)
    assert found.chosen == next(each.candidate for each in found.searched if each.score == best)
    (refitted,) = found.refitted
    assert [training.seed for training in refitted.trainings] == [0, 3]
    (grid,) = load_grids(found.test.trained[found.chosen.label][1])
    assert found.test.tasks[0].examples == len(grid.examples)
    assert found.recommendation


def test_the_same_call_again_computes_nothing(found: MethodSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a training was started again")

    monkeypatch.setattr("phraseproof.training.loop.TrainingLoop.run", refuse)
    out = found.test.base.path.parent.parent
    again = run_search(str(tiny_llama()), GIVEN, out, SETTINGS)
    assert search_table(again) == search_table(found)
    assert [each.scores for each in again.searched] == [each.scores for each in found.searched]


@pytest.mark.parametrize("refit", [True, False])
def test_all_methods_can_be_reported(tmp_path: Path, refit: bool) -> None:
    settings = replace(
        SETTINGS, methods=("pt", "pt:num_tokens=3"), rates={"": (1e-3,)}, seeds=(0,), reported="all", refit=refit,
        alignment=replace(SETTINGS.alignment, max_steps=1),
    )  # fmt: skip
    found = run_search(str(tiny_llama()), GIVEN._replace(unseen=(), check=()), tmp_path, settings)
    assert {each.candidate.name for each in found.refitted} == {"pt", "pt:num_tokens=3"}
    assert set(found.test.trained) == {"pt at 0.001", "pt:num_tokens=3 at 0.001"}
    assert found.refitted[0].candidate.label in found.recommendation
    compared = {training.folder for each in found.searched for training in each.trainings}
    for each in found.refitted:
        (training,) = each.trainings
        assert (training.folder in compared) is not refit
        assert len(_wordings(training.folder)) == (5 if refit else 3)
    assert any("no refit" in note for note in search_table(found).notes) is not refit
