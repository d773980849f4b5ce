"""Imported cells as a run folder: marked as such, added to, and replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.core import Cell, Outcome
from phraseproof.errors import RunError
from phraseproof.identity import file_hash
from phraseproof.logs.assemble import assemble
from phraseproof.logs.cells import Log, LoggedCell, LogPlace, LogRequest
from phraseproof.logs.csv_table import read
from phraseproof.logs.write import WrittenRun, write_imported
from phraseproof.store.run_file import IMPORTED_FROM
from phraseproof.store.usage import Usage
from phraseproof.store.writer import RunStore


def _import(path: Path, text: str, out: Path) -> WrittenRun:
    path.write_text(text, encoding="utf-8")
    log = read([path], LogRequest())
    return write_imported(assemble(log, LogRequest(), {}), log, "csv", out)


def test_the_record_names_files_and_program(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    run = _import(path, "model,wording,example,score,group\nm,a,1,1,old\nm,b,1,0,new\n", tmp_path / "run").run
    content = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert content["settings"]["imported"] == "csv"
    assert content[IMPORTED_FROM] == {
        str(path): {"tool": "a table", "bytes": path.stat().st_size, "checksum": file_hash(path)}
    }
    assert content["tasks"]["t"]["source"] == "imported from a table"
    assert run.groups == ("old", "new")
    assert not run.missing


def test_files_add_to_a_run_and_replace_their_own_cells(tmp_path: Path) -> None:
    header, out = "model,wording,example,score\n", tmp_path / "run"
    assert _import(tmp_path / "t.csv", f"{header}m,a,1,1\n", out).replaced == 0
    assert _import(tmp_path / "t.csv", f"{header}m,b,1,1\n", out).replaced == 0
    written = _import(tmp_path / "t.csv", f"{header}m,a,1,0\n", out)
    assert written.replaced == 1
    assert {each.instruction: each.mean_score for each in written.run.wording_scores()} == {"a": 0.0, "b": 1.0}
    # The same outcomes again change nothing.
    assert _import(tmp_path / "t.csv", f"{header}m,a,1,0\n", out).replaced == 0


def test_wordings_of_other_data_are_not_added(tmp_path: Path) -> None:
    header, out = "model,wording,example,score,gold\n", tmp_path / "run"
    _import(tmp_path / "t.csv", f"{header}m,a,1,1,yes\nm,a,2,1,no\n", out)
    _import(tmp_path / "t.csv", f"{header}m,b,2,1,no\nm,b,3,1,no\n", out)
    for example in "13":
        with pytest.raises(RunError, match=f"wordings of t with other data of the example '{example}'"):
            _import(tmp_path / "t.csv", f"{header}m,c,{example},1,maybe\n", out)
    # What takes the place of all wordings may have other data.
    assert _import(tmp_path / "t.csv", f"{header}m,a,1,1,maybe\nm,b,1,1,maybe\n", out).replaced == 2


def test_wordings_of_other_settings_are_not_added(tmp_path: Path) -> None:
    def write(wording: str, temperature: str) -> WrittenRun:
        path = tmp_path / "log.json"
        path.touch()
        cell = LoggedCell(
            LogPlace("m", "t", wording, "acc"), [Outcome("1", 1.0)], "log", task_settings={"temperature": temperature}
        )
        log = Log("a program", [path], [cell])
        return write_imported(assemble(log, LogRequest(), {}), log, "csv", tmp_path / "run")

    write("a", "0")
    write("b", "0")
    with pytest.raises(RunError, match=r"wordings of t with other settings .*'temperature': '0'.*'1'"):
        write("c", "1")


def test_a_wording_is_in_one_group(tmp_path: Path) -> None:
    header, out = "model,wording,example,score,group\n", tmp_path / "run"
    _import(tmp_path / "t.csv", f"{header}m,a,1,1,old\n", out)
    with pytest.raises(RunError, match=r"the wording 'a' of t in another group \(expected old, got new\)"):
        _import(tmp_path / "t.csv", f"{header}m,a,2,1,new\n", out)


def test_other_runs_are_not_mixed_with_it(tmp_path: Path) -> None:
    text = "model,wording,example,score\nm,a,1,1\n"
    out = tmp_path / "run"
    _import(tmp_path / "t.csv", text, out)
    with pytest.raises(RunError, match="no model can add to them"):
        RunStore(out, {"model": {"name": "m", "adapter": None}, "scoring": "imported"})
    with pytest.raises(RunError, match=r"another setting of model\.name"):
        _import(tmp_path / "t.csv", text.replace("m,a", "n,a"), out)
    own, cell = tmp_path / "own", Cell("x", "t", "t", "a", "g", 0, 0, 1)
    store = RunStore(own, {"model": {"name": "m"}})
    store.register([cell], {})
    store.write(cell, [Outcome("1", 1.0)], Usage())
    with pytest.raises(RunError, match="the folder holds a run of a model"):
        _import(tmp_path / "t.csv", text, own)
