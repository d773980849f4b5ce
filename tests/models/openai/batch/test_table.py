"""What is known of batches after a kill."""

from __future__ import annotations

from pathlib import Path

from phraseproof.models.openai.answer_store import AnswerStore
from phraseproof.models.openai.batch.table import BatchTable


def table_of(path: Path) -> BatchTable:
    return BatchTable(AnswerStore(path, is_synced=True).database)


def test_another_process_finds_every_state(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    table = table_of(path)
    first = table.plan([b"1", b"2"], 100)
    second = table.uploaded(table.plan([b"3"], 50), "file-3")
    third = table.submitted(table.uploaded(table.plan([b"4"], 60), "file-4"), "batch-4")
    again = table_of(path)
    assert again.every() == [first, second, third]
    assert (second.file_id, second.batch_id) == ("file-3", None)
    assert (third.file_id, third.batch_id, third.input_bytes) == ("file-4", "batch-4", 60)
    assert again.holding([b"2", b"4", b"5", b"1"]) == {first: [b"2", b"1"], third: [b"4"]}
    assert again.keys_of(first) == {b"1", b"2"}


def test_a_forgotten_batch_leaves_nothing(tmp_path: Path) -> None:
    table = table_of(tmp_path / "a.sqlite")
    first, second = table.plan([b"1"], 1), table.plan([b"2"], 1)
    table.forget(first)
    assert table.every() == [second]
    assert table.holding([b"1", b"2"]) == {second: [b"2"]}
    assert table.keys_of(first) == set()
