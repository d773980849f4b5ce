"""The reading side: what a run folder says of its cells, scores and failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.store.queries import Run, WordingScore, load_run
from phraseproof.store.writer import RunStore, Usage
from support.stored_cells import SETTINGS, finished_run, make_cell, make_outcomes


def test_mean_scores_keep_the_order_of_the_plan(tmp_path: Path) -> None:
    cells = [make_cell(str(n) * 32, instruction=f"mine/{name}") for n, name in enumerate(["zebra", "apple", "moose"])]
    finished_run(tmp_path, *cells)
    scores = load_run(tmp_path).wording_scores()
    assert [score.instruction for score in scores] == ["mine/zebra", "mine/apple", "mine/moose"]
    assert {score.mean_score for score in scores} == {0.5}
    assert {score.num_examples for score in scores} == {2}
    with pytest.raises(UsageError, match="mean_scores needs a column"):
        load_run(tmp_path).mean_scores()


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        load_run(tmp_path / "nothing")


def test_a_failure_is_kept_until_the_cell_is_done(tmp_path: Path) -> None:
    cell = make_cell()
    store = RunStore(tmp_path, SETTINGS)
    store.register([cell], {})
    store.record_failure(cell, "ValueError: no", "Traceback ...")
    assert [(failure.cell, failure.error) for failure in load_run(tmp_path).failures] == [(cell, "ValueError: no")]
    store.write(cell, make_outcomes(), Usage())
    assert load_run(tmp_path).failures == ()


def two_scorings(path: Path) -> None:
    norm = make_cell("b" * 32, scoring="loglikelihood_norm")
    store = RunStore(path, {**SETTINGS, "scoring": "loglikelihood"})
    store.register([make_cell(), norm], {})
    store.write(make_cell(), make_outcomes(1), Usage())
    store.write(norm, make_outcomes(2), Usage())
    store.finish(1)


def test_a_run_is_read_under_one_scorer_at_a_time(tmp_path: Path) -> None:
    two_scorings(tmp_path)
    run = load_run(tmp_path)
    norm = run.select("loglikelihood_norm")
    assert run.scorings == ("loglikelihood", "loglikelihood_norm")
    assert ([score.mean_score for score in run.wording_scores()], run.settings["scoring"]) == ([0.5], "loglikelihood")
    assert [score.mean_score for score in norm.wording_scores()] == [1.0]
    assert norm.settings["scoring"] == norm.scoring == "loglikelihood_norm"
    assert len(run.all_cells) == 2
    with pytest.raises(RunError, match=r"no outcomes of the scoring method 'paper' \(expected one of: loglikelihood, "):
        run.select("paper")


@pytest.mark.parametrize(
    ("settings", "facts", "hint"),
    [
        ({}, {}, "phraseproof evaluate --scoring paper with the same --out adds them"),
        ({"imported": "csv"}, {}, r"An imported run has what its files hold \(phraseproof import-results\)"),
        ({"calibration": {}}, {"derived_from": {"run": "runs/a"}}, "It was derived from runs/a"),
    ],
)
def test_what_adds_a_scoring_is_said_by_the_kind_of_run(
    settings: dict[str, Any], facts: dict[str, Any], hint: str, tmp_path: Path
) -> None:
    two_scorings(tmp_path)
    run = load_run(tmp_path)
    content = {**run.content, **facts, "settings": {**run.content["settings"], **settings}}
    with pytest.raises(RunError, match=f"'paper'.*{hint}$"):
        Run(tmp_path, content).select("paper")
    if settings:
        with pytest.raises(RunError, match=f"'bleu'.*{hint}$"):
            Run(tmp_path, content).select(metric="bleu")


def test_cells_are_read_in_order_with_the_asked_columns(tmp_path: Path) -> None:
    cells = [make_cell(str(n) * 32, instruction=f"mine/{name}") for n, name in enumerate("zab")]
    finished_run(tmp_path, *cells)
    run = load_run(tmp_path)
    read = list(run.read_cells(["example_id", "score"]))
    assert [cell for cell, _ in read] == cells
    assert all(table.column_names == ["example_id", "score"] for _, table in read)
    assert [cell for cell, _ in run.read_cells(["score"], only=[cells[1]])] == [cells[1]]


def test_a_query_takes_parameters_and_its_errors_are_one_line(tmp_path: Path) -> None:
    finished_run(tmp_path, make_cell())
    run = load_run(tmp_path)
    assert run.query_rows("SELECT example_id FROM outcomes WHERE score = ?", [1.0]) == [{"example_id": "0"}]
    with pytest.raises(RunError, match="the query failed: ") as caught:
        run.query("SELECT nothing FROM outcomes")
    assert "\n" not in str(caught.value)


def test_a_run_in_which_nothing_is_done_says_so(tmp_path: Path) -> None:
    RunStore(tmp_path, SETTINGS).register([make_cell()], {})
    with pytest.raises(RunError, match=r"no cell of the run is done yet.*Run evaluate again"):
        load_run(tmp_path).wording_scores()


def test_a_share_of_the_grid_is_known_and_its_means_are_refused(tmp_path: Path) -> None:
    finished_run(tmp_path, make_cell(grid_examples=8), make_cell("b" * 32, instruction="mine/two", grid_examples=8))
    run = load_run(tmp_path)
    assert run.share < 1
    assert run.share == 4 / 16
    with pytest.raises(RunError, match="the run holds 25% of its grid"):
        run.wording_scores()
    assert run.outcomes().num_rows == 4


def test_an_imported_run_has_scores_and_no_outcomes(tmp_path: Path) -> None:
    score = WordingScore("t", "c", "observed", "mine/one", 0, 0.25, None)
    RunStore(tmp_path, SETTINGS).register([], {"accuracies": {"one": score._asdict()}})
    run = load_run(tmp_path)
    assert run.wording_scores() == [score]
    with pytest.raises(NotEnoughDataError, match="holds imported accuracies"):
        run.outcomes()


@pytest.mark.parametrize("content", ["", "{}", '{"cell": {}, "error": "x"}', "[]"])
def test_a_damaged_record_of_a_failure_is_one_line(tmp_path: Path, content: str) -> None:
    store = RunStore(tmp_path, SETTINGS)
    store.register([make_cell()], {})
    store.record_failure(make_cell(), "ValueError: no", "Traceback ...")
    (path,) = (tmp_path / "failures").iterdir()
    path.write_text(content)
    with pytest.raises(RunError, match=r"the record of a failure is damaged.*Delete it"):
        _ = load_run(tmp_path).failures
