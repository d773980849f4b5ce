from __future__ import annotations

import errno
import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.store.journal import StoredOutcome
from phraseproof.store.queries import load_run
from phraseproof.store.schema import to_table
from phraseproof.store.writer import RunStore, Usage
from support.stored_cells import SETTINGS, finished_run, make_cell, make_outcomes


def test_a_written_cell_reads_back_whole(tmp_path: Path) -> None:
    cell = make_cell()
    store = finished_run(tmp_path, cell)
    assert store.has(cell)
    rows = load_run(tmp_path).outcomes().to_pylist()
    assert [row["example_id"] for row in rows] == ["0", "1"]
    assert rows[0]["options"] == ["A", "B"]
    assert rows[0]["option_logprobs"] == [-0.5, -1.5]
    assert rows[0]["group"] == "observed"
    assert [row["score"] for row in rows] == [1.0, 0.0]
    run = load_run(tmp_path)
    assert run.content["usage"] == {
        "scoring_cpu_s": 1.0,
        "wall_s": 2.0,
        "tokens_asked": 30,
        "tokens_computed": 10,
        "peak_rss_bytes": 123,
    }
    assert run.wording_texts() == {("t", "mine/one"): "Say A."}
    assert not run.missing


def test_another_setting_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    finished_run(tmp_path, make_cell())
    with pytest.raises(RunError, match=r"another setting of model\.name") as caught:
        RunStore(tmp_path, {**SETTINGS, "model": {"name": "other"}})
    assert "\n" not in str(caught.value)
    assert "the same settings to go on with this run" in str(caught.value)
    RunStore(tmp_path, SETTINGS)


def test_a_smaller_sample_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    finished_run(tmp_path, make_cell())
    with pytest.raises(RunError, match=r"a larger sample \(expected no --limit, got --limit 5\)"):
        RunStore(tmp_path, {**SETTINGS, "limit": 5})


def test_a_folder_in_which_nothing_is_stored_is_taken_over(tmp_path: Path) -> None:
    """As after a self-test that failed: the user corrects an option, and nothing computed is at stake."""
    store = RunStore(tmp_path, SETTINGS)
    store.register([make_cell()], {})
    store.record_failure(make_cell(), "ValueError: no", "Traceback ...")
    other = RunStore(tmp_path, {**SETTINGS, "model": {"name": "other"}})
    other.register([make_cell("b" * 32)], {})
    run = load_run(tmp_path)
    assert run.settings["model"] == {"name": "other"}
    assert [cell.identity for cell in run.cells] == ["b" * 32]
    assert run.failures == ()


def test_a_folder_with_an_outcome_in_a_journal_is_not_taken_over(tmp_path: Path) -> None:
    store = RunStore(tmp_path, SETTINGS)
    store.register([make_cell()], {})
    store.append(make_cell(), [StoredOutcome(make_outcomes()[0], Usage())])
    with pytest.raises(RunError, match=r"another setting of model\.name"):
        RunStore(tmp_path, {**SETTINGS, "model": {"name": "other"}})


def test_the_same_outcomes_under_another_group_are_adopted_not_computed(tmp_path: Path) -> None:
    cell = make_cell()
    store = finished_run(tmp_path, cell)
    twin = make_cell(group="unobserved", instruction="yours/one")
    assert store.has(twin)
    table = pq.read_table(store.cell_path(twin))
    assert set(table["group"].to_pylist()) == {"unobserved"}
    assert set(table["instruction"].to_pylist()) == {"yours/one"}
    original = pq.read_table(store.cell_path(cell))
    assert table["option_logprobs"] == original["option_logprobs"]
    assert store.has(twin)


def test_an_edited_wording_takes_its_predecessors_place(tmp_path: Path) -> None:
    finished_run(tmp_path, make_cell("a" * 32))
    finished_run(tmp_path, make_cell("b" * 32))
    run = load_run(tmp_path)
    assert [cell.identity for cell in run.cells] == ["b" * 32]
    assert run.outcomes().num_rows == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_cell_is_one_line_that_names_the_file(tmp_path: Path, damage: str) -> None:
    cell = make_cell()
    store = finished_run(tmp_path, cell)
    path = store.cell_path(cell)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        other = make_cell("c" * 32)
        store.write(other, make_outcomes(), Usage())
        path.write_bytes(store.cell_path(other).read_bytes())
    lacking, errors = RunStore(tmp_path, SETTINGS).missing([cell])
    assert lacking == [cell]
    assert [error.where for error in errors] == [str(path)]
    with pytest.raises(RunError, match="damaged") as caught:
        load_run(tmp_path).wording_scores()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"schema_version": 1}', '{"schema_version": 1, "settings": {}, "cells": [{}]}'],
)
def test_a_damaged_run_file_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=r"run\.json is damaged") as caught:
        load_run(tmp_path)
    assert "\n" not in str(caught.value)


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    finished_run(tmp_path, make_cell())
    content = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**content, "schema_version": 999}))
    with pytest.raises(RunError, match="another version"):
        load_run(tmp_path)


def test_names_of_any_shape_get_files_of_their_own(tmp_path: Path) -> None:
    names = ["a/b", "a_b", "a b", "../../etc/passwd", "x" * 300, "naïve", "*", "."]
    cells = [make_cell(f"{n:032x}", task=name, group=name, instruction=name) for n, name in enumerate(names)]
    store = finished_run(tmp_path, *cells)
    paths = {store.cell_path(cell).resolve() for cell in cells}
    assert len(paths) == len(names)
    assert all(path.is_relative_to(tmp_path.resolve()) for path in paths)
    assert load_run(tmp_path).outcomes().num_rows == 2 * len(names)


def test_a_claimed_cell_is_not_given_twice(tmp_path: Path) -> None:
    cell = make_cell()
    store = RunStore(tmp_path, SETTINGS)
    other = RunStore(tmp_path, SETTINGS)
    with store.claim([cell]) as first, other.claim([cell]) as second:
        assert first == [cell]
        assert second == []
    with other.claim([cell, make_cell(group="again")]) as third:
        assert third == [cell], "the other one has the same outcomes"
        other.write(cell, make_outcomes(), Usage())
    with store.claim([cell]) as done:
        assert done == []


def _register_many(path: str, start: int) -> None:
    store = RunStore(Path(path), SETTINGS)
    for n in range(start, start + 20):
        store.register([make_cell(f"{n:032x}", instruction=f"mine/{n}")], {})


def test_processes_that_register_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_register_many, args=(str(tmp_path), 100 * n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert len(load_run(tmp_path).cells) == 60


# --------------------------------------------------------------------------------------------------- edits, and folders


def record(task: str, instruction: str) -> dict[str, dict[str, Any]]:
    return {
        "tasks": {"t": {"content": task}},
        "instructions": {"mine/one": {"text": "Say A.", "content": instruction}},
    }


def test_what_was_edited_leaves_with_its_old_cells(tmp_path: Path) -> None:
    one, two = make_cell(), make_cell("b" * 32, instruction="mine/two")
    elsewhere = make_cell("c" * 32, task="u")
    store = RunStore(tmp_path, SETTINGS)
    assert store.register([one, two, elsewhere], record("old", "old")) == ([], [])
    assert store.register([one], record("old", "old")) == ([], [])
    # Another text of mine/one: its cell on the other task is of yesterday's text.
    assert store.register([replace(one, identity="d" * 32)], record("old", "new")) == ([elsewhere], [one])
    # Other data of the task: the cell under the other wording is of yesterday's data.
    assert store.register([replace(one, identity="e" * 32)], record("new", "new")).left == [two]
    assert [cell.identity for cell in load_run(tmp_path).cells] == ["e" * 32]
    # A share of the same cell, and another share of it: nothing was edited.
    for share in ("_1", "_2", ""):
        assert store.register([replace(one, identity="e" * 32 + share)], record("new", "new")) == ([], [])


def test_a_wording_that_a_task_brings_is_told_apart_from_others_of_its_name(tmp_path: Path) -> None:
    first, second = make_cell(instruction="designer/x"), make_cell("b" * 32, task="u", instruction="designer/x")
    store = RunStore(tmp_path, SETTINGS)
    entries = {"t: designer/x": {"text": "T", "content": "1"}, "u: designer/x": {"text": "U", "content": "2"}}
    store.register([first, second], {"instructions": entries})
    assert load_run(tmp_path).wording_texts() == {("t", "designer/x"): "T", ("u", "designer/x"): "U"}
    assert store.register([], {"instructions": {"u: designer/x": {"text": "V", "content": "3"}}}).left == [second]


def test_a_file_in_the_folders_place(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(RunError, match="a run needs a folder, and this is a file"):
        RunStore(tmp_path / "run", SETTINGS)


def test_locks_that_cannot_be_taken_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = finished_run(tmp_path, make_cell())

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("phraseproof.store.locks.os.open", refuse)
    with pytest.raises(RunError, match=r"run\.lock: cannot be written: Read-only file system"):
        RunStore(tmp_path, SETTINGS)
    with pytest.raises(RunError, match="cannot be written"), store.claim([make_cell()]):
        pass


def test_a_folder_that_cannot_be_made_for_a_cell_is_one_line(tmp_path: Path) -> None:
    store = RunStore(tmp_path, SETTINGS)
    (tmp_path / "cells").write_text("in the way")
    with pytest.raises(RunError, match="cannot be written"):
        store.write(make_cell(), make_outcomes(), Usage())


def test_bytes_of_a_command_line_that_are_not_utf8_come_back_as_they_were(tmp_path: Path) -> None:
    command = b"phraseproof evaluate --out caf\xe9".decode(errors="surrogateescape")
    RunStore(tmp_path, SETTINGS).register([make_cell()], {"environment": {"command": command}})
    assert load_run(tmp_path).content["environment"]["command"] == command


def test_a_temporary_file_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    finished_run(tmp_path, make_cell())
    leftover = tmp_path / ".run.json.12345.0a1b2c3d.tmp"
    leftover.write_text("{")
    RunStore(tmp_path, SETTINGS)
    assert not leftover.exists()
    assert load_run(tmp_path).outcomes().num_rows == 2


def test_many_cells_leave_at_once(tmp_path: Path) -> None:
    store = RunStore(tmp_path, SETTINGS)
    first = [make_cell(f"{n:032x}", instruction=f"mine/{n}") for n in range(5_000)]
    store.register(first, record("old", "old"))
    edited = store.register([replace(first[0], identity="e" * 32)], record("new", "old"))
    assert edited == (first[1:], first[:1])


def test_many_cells_are_written_at_once_and_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    cells = [make_cell(f"{number:032x}", instruction=f"mine/{number}") for number in range(450)]
    store = RunStore(tmp_path, SETTINGS)
    store.register(cells, {})
    folder = store.cell_path(cells[0]).parent
    folder.mkdir(parents=True)
    for identity in (cells[3].identity, cells[-1].identity):
        (folder / f".{identity}.1.0a1b2c3d.tmp").write_text("half of")
    store.write_tables((cell, to_table(cell, make_outcomes(), "{}")) for cell in cells)
    store.finish(0)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert not store.missing(cells)[0]
    run = load_run(tmp_path)
    assert [cell for cell, _ in run.read_cells(("score",))] == cells
    assert set(run.content["checksums"]) == {store.cell_path(cell).relative_to(tmp_path).as_posix() for cell in cells}


def test_an_error_among_many_cells_keeps_those_of_earlier_batches(tmp_path: Path) -> None:
    cells = [make_cell(f"{number:032x}", instruction=f"mine/{number}") for number in range(300)]
    store = RunStore(tmp_path, SETTINGS)
    store.register(cells, {})

    def tables() -> Iterator[tuple[Cell, pa.Table]]:
        for cell in cells:
            if cell is cells[250]:
                raise KeyboardInterrupt
            yield cell, to_table(cell, make_outcomes(), "{}")

    with pytest.raises(KeyboardInterrupt):
        store.write_tables(tables())
    assert store.missing(cells)[0] == cells[200:]
    assert not [path for path in tmp_path.rglob(".*.tmp") if path.is_file()]
