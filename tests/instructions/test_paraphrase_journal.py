from __future__ import annotations

import os
from pathlib import Path

import pytest

from phraseproof.core import CutText
from phraseproof.errors import FileError
from phraseproof.instructions.paraphrase_journal import Journal


@pytest.mark.parametrize("text", ["[]\n", "{}\n\n", 'not json\n{"key": "a", "answer": "b"}\n'])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text(text)
    with pytest.raises(FileError, match=r"notes.jsonl:1: not a line of a paraphraser's journal"):
        Journal(path, None)
    assert path.read_text() == text


def test_a_cut_answer_is_still_one_after_reading(tmp_path: Path) -> None:
    path = tmp_path / "x.asked.jsonl"
    journal = Journal(path, None)
    journal.keep("a", 0, CutText("half of a"))
    journal.keep("b", 0, "whole \ud800")
    again = Journal(path, None)
    assert isinstance(again.answer("a", 0), CutText)
    assert again.answer("a", 0) == "half of a"
    assert again.answer("b", 0) == "whole \ud800"
    assert not isinstance(again.answer("b", 0), CutText)


def test_an_answer_is_on_the_disk_when_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "x.asked.jsonl", list[str]()
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").read_text()))
    journal = Journal(path, None)
    for prompt in ("a", "b"):
        journal.keep(prompt, 0, "an answer")
        assert synced[-1] == path.read_text()
    assert [text.count("\n") for text in synced] == [1, 2]
