"""The view `outcomes`: the same rows however files are read, and older files with newer columns."""

from __future__ import annotations

import resource
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from phraseproof.store.outcomes_view import create_outcomes_view
from phraseproof.store.packs import CellPlace
from phraseproof.store.queries import load_run
from support.run_files import edit_run_file
from support.stored_cells import finished_run, make_cell


def test_more_cells_than_files_may_be_open_give_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [make_cell(f"{n:032x}", instruction=f"mine/{n}") for n in range(5)]
    finished_run(tmp_path, *cells)
    order = "SELECT * FROM outcomes ORDER BY instruction, example_id"
    few = load_run(tmp_path).query_rows(order)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (42, 42))
    assert load_run(tmp_path).query_rows(order) == few
    assert len(few) == 10


def test_rows_without_a_scorer_get_that_of_their_run(tmp_path: Path) -> None:
    """As version 0.1.0 wrote them."""
    store = finished_run(tmp_path, make_cell())
    path = store.cell_path(make_cell())
    old = pq.read_table(path).drop_columns(["scoring", "metric", "option_tokens", "option_credits", "reference"])
    pq.write_table(old, path)
    edit_run_file(tmp_path, lambda content: content.pop("checksums"))
    rows = load_run(tmp_path).outcomes().to_pylist()
    assert {(row["scoring"], row["metric"], row["option_tokens"]) for row in rows} == {
        ("loglikelihood", "accuracy", None)
    }


def test_old_and_new_files_are_read_together(tmp_path: Path) -> None:
    """The mark `older_cells` in run.json makes the reader unite columns by name."""
    new = make_cell("b" * 32, instruction="mine/two")
    store = finished_run(tmp_path, make_cell(), new)
    path = store.cell_path(make_cell())
    pq.write_table(pq.read_table(path).drop_columns(["scoring", "metric", "option_tokens"]), path)
    with duckdb.connect() as connection:
        paths = [CellPlace(path), CellPlace(store.cell_path(new))]
        create_outcomes_view(connection, paths, scoring="it's a scorer", is_mixed=True)
        rows = connection.sql("SELECT instruction, scoring, metric, option_tokens FROM outcomes ORDER BY 1").fetchall()
    assert (
        rows
        == [("mine/one", "it's a scorer", "accuracy", None)] * 2 + [("mine/two", "loglikelihood", "accuracy", [])] * 2
    )
