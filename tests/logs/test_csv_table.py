"""Tables of outcomes: any table that says what it is becomes the same outcomes."""

from __future__ import annotations

import csv
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phraseproof.errors import FileError, UsageError
from phraseproof.logs.assemble import assemble
from phraseproof.logs.cells import LogRequest
from phraseproof.logs.csv_table import read, recognizes
from phraseproof.logs.write import write_imported
from phraseproof.store.queries import Run

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


def _write(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _run(path: Path, out: Path, **options: Any) -> Run:
    request = LogRequest(**options)
    log = read([path], request)
    return write_imported(assemble(log, request, {}), log, "csv", out).run


def _row(wording: str = "a", example: object = "1", score: object = 1, **more: object) -> dict[str, object]:
    return {"model": "m", "wording": wording, "example": example, "score": score, **more}


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.tuples(NAMES, NAMES), st.dictionaries(NAMES, st.floats(0, 1), min_size=1, max_size=4), min_size=1, max_size=5
    ),
    st.randoms(use_true_random=False),
)
def test_every_outcome_is_that_of_its_row(cells: dict[tuple[str, str], dict[str, float]], random: Any) -> None:
    rows = [
        _row(wording, example, repr(score), task=task)
        for (task, wording), scores in cells.items()
        for example, score in scores.items()
    ]
    random.shuffle(rows)
    with tempfile.TemporaryDirectory() as folder:
        log = read([_write(Path(folder) / "rows.csv", rows)], LogRequest())
    found = {(each.cell.task, each.cell.instruction): each for each in assemble(log, LogRequest(), {}).cells}
    assert found.keys() == cells.keys()
    for key, scores in cells.items():
        assert {outcome.example_id: outcome.score for outcome in found[key].logged.outcomes} == scores
        assert found[key].cell.num_examples == len(scores)


def test_labels_become_options(tmp_path: Path) -> None:
    rows = [
        _row("a", 1, 1, choice="yes", gold="yes"),
        _row("a", 2, 0, choice="Sure!", gold="no"),
        _row("b", 1, 0, choice="no", gold="yes"),
        _row("b", 2, 1, choice="no", gold="no"),
    ]
    run = _run(_write(tmp_path / "t.csv", rows), tmp_path / "run")
    assert (run.scoring, run.metric) == ("imported", "accuracy")
    found = run.query_rows("SELECT options, predicted, target, text FROM outcomes ORDER BY instruction, example_id")
    assert [row["predicted"] for row in found] == [0, None, 1, 1]
    assert found[1] == {"options": ["yes", "no"], "predicted": None, "target": 1, "text": "Sure!"}


def test_log_probabilities_become_those_of_options(tmp_path: Path) -> None:
    rows = [
        _row(wording, example, float(gold == "no"), gold=gold, logprobs=json.dumps({"yes": -1.5, "no": -0.25}))
        for wording in "ab"
        for example, gold in (("1", "yes"), ("2", "no"))
    ]
    run = _run(_write(tmp_path / "t.csv", rows), tmp_path / "run")
    assert (run.scoring, run.metric) == ("loglikelihood", "accuracy")
    assert run.query_rows("SELECT option_logprobs AS p FROM outcomes LIMIT 1") == [{"p": [-1.5, -0.25]}]
    # An option that was not listed.
    rows = [{**row, "logprobs": json.dumps({"yes": None, "no": -0.25})} for row in rows]
    run = _run(_write(tmp_path / "t.csv", rows), tmp_path / "unlisted")
    assert run.query_rows("SELECT option_logprobs AS p FROM outcomes LIMIT 1") == [{"p": [-math.inf, -0.25]}]


def test_other_kinds_of_tables(tmp_path: Path) -> None:
    rows = [_row("a", 1, True), _row("a", 2, False), _row("b", 1, 0.5)]
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert recognizes(path)
    run = _run(path, tmp_path / "run")
    assert {each.instruction: each.mean_score for each in run.wording_scores()} == {"a": 0.5, "b": 0.5}
    assert run.metric == "imported:score"


def test_what_options_say_and_what_is_left_out(tmp_path: Path) -> None:
    rows = [
        {"wording": "a", "example": "1", "score": "", "colour": "red"},
        {"wording": "a", "example": "2", "score": 4},
    ]
    path = _write(tmp_path / "tickets.csv", [{"colour": "", **row} for row in rows])
    request = LogRequest(model="mine", scale=(1.0, 5.0))
    log = read([path], request)
    (found,) = assemble(log, request, {}).cells
    assert (found.cell.task, found.cell.metric, found.logged.failed) == ("tickets", "imported:score (1 to 5)", 1)
    assert log.notes == [f"{path}: columns that are not read: colour"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (_row(score="good"), "not a score"),
        (_row(score="nan"), r"t.csv:2, score: not a score .expected a number, true, false, or nothing"),
        (_row(score="-inf"), "not a score"),
        (_row(score="1.5"), "out of range"),
        (_row(wording=""), "does not say what it is of"),
        (_row(shots="-1"), "not a number of shots"),
        (_row(logprobs="[1]"), "not log-probabilities of options"),
        (_row(logprobs='{"a": 1, "b": 0}'), "not a log-probability"),
        (_row(logprobs='{"a": -1, "b": -2}', gold="c"), "not one of the options"),
        (_row(logprobs='{"a": -1, "b": -2}', gold="b"), "the score contradicts"),
    ],
)
def test_rows_that_cannot_be_read_are_refused(row: dict[str, object], problem: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=problem):
        _run(_write(tmp_path / "t.csv", [row]), tmp_path / "run")


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    for second, problem in (
        (_row(score=0), "several results"),
        (_row("b", gold="no", choice="no"), "not that of"),
        (_row("a", 2, group="x"), "not that of its other rows"),
    ):
        first = _row(**{key: "" for key in second if key not in _row()}) | ({"gold": "yes"} if "gold" in second else {})
        with pytest.raises(FileError, match=problem):
            _run(_write(tmp_path / "t.csv", [first, second]), tmp_path / "run")


def test_tables_of_something_else(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", [{"wording": "a", "score": 1}])
    assert not recognizes(path)
    assert not recognizes(tmp_path)
    with pytest.raises(FileError, match="has no column 'model'"):
        read([path], LogRequest())
    with pytest.raises(UsageError, match="--wordings"):
        read([path], LogRequest(wordings=("folder",)))
