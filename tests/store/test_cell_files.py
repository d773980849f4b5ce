from __future__ import annotations

from pathlib import Path

from phraseproof.core import Cell, Outcome
from phraseproof.store.cell_files import CellFiles, whole_identity
from phraseproof.store.journal import StoredOutcome
from phraseproof.store.packs import CellPlace
from phraseproof.store.writer import RunStore, Usage


def test_a_wording_is_found_in_parts_and_journals(tmp_path: Path) -> None:
    store = RunStore(tmp_path, {})
    part = Cell("a" * 32 + "_12345678", "t", "c", "mine/one", "g", 0, 0, 1, 3)
    whole = Cell("a" * 32, "t", "c", "mine/one", "g", 0, 0, 3)
    store.write(part, [Outcome("1", 1.0)], Usage())
    store.append(whole, [StoredOutcome(Outcome("2", 0.0), Usage())])
    files = CellFiles(tmp_path)
    assert [set(rows) for rows in files.stored("t", "a" * 32)] == [{"1"}, {"2"}]
    assert list(files.stored("t", "b" * 32)) == []
    assert files.of_cell(part) == CellPlace(store.cell_path(part))
    assert files.of_cell(whole) is None
    assert whole_identity(part.identity) == whole.identity
