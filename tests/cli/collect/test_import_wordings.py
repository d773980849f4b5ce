"""`collect import` adds all wordings of a table, or none and says which rows are wrong."""

from __future__ import annotations

from pathlib import Path

from phraseproof.collect.store import CollectStore

from .conftest import Collect


def test_all_rows_or_none(collect: Collect, opened: CollectStore, tmp_path: Path) -> None:
    table = tmp_path / "w.csv"
    table.write_text("author,kind,wording\nCid,zero-shot,One\n,one-shot,Two\n,,{massage}\n", encoding="utf-8")
    words = ("import", table, "--licence", "CC0-1.0", "--task", "tickets")
    done = collect(*words)
    assert done.code == 2
    warning, error = done.err.splitlines()
    assert warning.startswith(f"warning: {table}:3, kind: not a table")
    assert error.startswith(f"error: {table}:4, kind: not a table")
    assert error.endswith("Nothing was imported: 2 rows cannot be read")
    assert len(opened.invitations()) == 2
    table.write_text("author,kind,wording\nCid,zero-shot,One\n,,Two\nAda,few,Three\n", encoding="utf-8")
    done = collect(*words)
    assert done.code == 0
    assert done.err.splitlines() == [
        "note: 3 wordings added, by 1 new author; 0 were there already",
        "note: 2 empty cells took the value of the row above",
    ]
    assert "0 wordings added, by 0 new authors; 3 were there already" in collect(*words).err
    assert "Missing option '--licence'" in collect("import", table).err
